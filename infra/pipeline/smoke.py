"""`make smoke ENV=dev`: whether a deployed environment answers at its public URL, as somebody outside meets it."""

import sys
import time
from collections.abc import Iterator

import requests
from botocore.exceptions import BotoCoreError, ClientError

from infra.compose.model import Public
from infra.operations import stacks
from infra.operations.project import plan_of
from infra.operations.session import open_session
from infra.plan import Plan, PlanError

_PATIENCE_SECONDS = 300.0  # CloudFront's and the load balancer's own; a deployment waited for the tasks already
_PAUSE_SECONDS = 5.0
_ANSWER_SECONDS = 20


def main(environment: str, patience: float = _PATIENCE_SECONDS) -> int:
    """Ask each public service for its health until it answers; 1 with what was answered when it does not in time."""
    try:
        plan, session = plan_of(environment), open_session()
        stack = stacks.described(session, plan.stack_name)
    except (PlanError, BotoCoreError, ClientError) as error:
        print(f"make smoke: {error}", file=sys.stderr)
        return 1
    if stack is None:
        print(f"make smoke: there is no stack {plan.stack_name} in {session.region_name}", file=sys.stderr)
        return 1
    url = stacks.outputs(stack).get("PublicUrl")
    if url is None:
        print(f"{plan.stack_name} has nothing that the public meets.")
        return 0
    return max([_answers(url.rstrip("/") + one.health_path, one, patience) for one in _public(plan)], default=0)


def _public(plan: Plan) -> Iterator[Public]:
    for task in plan.tasks.values():
        if task.service.public:
            yield task.service.public


def _answers(url: str, public: Public, patience: float) -> int:
    until = time.monotonic() + patience
    while True:
        said = _asked(url, public)
        if said is None:
            print(f"✓ {url}")
            return 0
        if time.monotonic() + _PAUSE_SECONDS > until:
            print(f"✗ {url}: {said}", file=sys.stderr)
            return 1
        time.sleep(_PAUSE_SECONDS)


def _asked(url: str, public: Public) -> str | None:
    """Return what is wrong with the answer, None where nothing is."""
    try:
        answer = requests.get(url, timeout=_ANSWER_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return str(error)
    return None if public.is_well(answer.status_code) else f"it answered {answer.status_code}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
