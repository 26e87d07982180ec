"""Ask an environment at its public URL whether it answers, as somebody outside meets it."""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import requests

from infra.compose.model import Public
from infra.operations.command_line import Output
from infra.operations.deployment import Deployment
from infra.plan import Plan

PATIENCE_SECONDS = 300.0  # CloudFront's and the load balancer's own; a deployment waited for the tasks already
_PAUSE_SECONDS = 5.0
_ANSWER_SECONDS = 20


@dataclass(frozen=True)
class HealthAnswer:
    """What the health address of a public service answered last; `wrong` is empty when that is as it should be."""

    url: str
    wrong: str

    @property
    def line(self) -> str:
        """What to print of it."""
        return f"✗ {self.url}: {self.wrong}" if self.wrong else f"✓ {self.url}"


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `smoke` takes."""
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE_SECONDS,
        metavar="SECONDS",
        help=f"how long each may take until it answers (default: {PATIENCE_SECONDS:g})",
    )


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Print what each public service answers; the exit code is 1 when one does not answer in time as it should."""
    found = []
    for one in answers(deployment, options.patience):
        found.append(one)
        if not out.as_json:
            out.line(one.line)
    if not out.facts(found) and not found:
        out.line(f"{deployment.stack_name} has nothing that the public meets.")
    return 1 if any(one.wrong for one in found) else 0


def answers(deployment: Deployment, patience: float) -> Iterator[HealthAnswer]:
    """Ask each public service for its health until it answers as it should, for so many seconds each."""
    url = deployment.outputs.get("PublicUrl")
    if url is not None:
        for one in _public(deployment.plan):
            yield _answer(url.rstrip("/") + one.health_path, one, patience)


def _public(plan: Plan) -> Iterator[Public]:
    for task in plan.tasks.values():
        if task.service.public:
            yield task.service.public


def _answer(url: str, public: Public, patience: float) -> HealthAnswer:
    until = time.monotonic() + patience
    while True:
        wrong = _asked(url, public)
        if not wrong or time.monotonic() + _PAUSE_SECONDS > until:
            return HealthAnswer(url, wrong)
        time.sleep(_PAUSE_SECONDS)


def _asked(url: str, public: Public) -> str:
    """Return what is wrong with the answer, nothing where nothing is."""
    try:
        answer = requests.get(url, timeout=_ANSWER_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return str(error)
    return "" if public.is_well(answer.status_code) else f"it answered {answer.status_code}"
