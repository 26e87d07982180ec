"""Deploy another version over the one that runs, with requests all the time, and see what becomes of both."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from infra.rehearsal.cdk import Cdk
from infra.rehearsal.failures import failures
from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.site import Site


def roll_through(project: Path, cdk: Cdk, site: Site) -> list[str]:
    """Deploy a version of the project that works; return how many requests were answered meanwhile.

    Raises RehearsalError when one was not, or when it is still the version before that answers.
    """
    before = _running(site)
    cdk.synth(project)
    with _served(site) as answers:
        cdk.deploy()
    after = _running(site)
    if after == before:
        raise RehearsalError(f"after the update it is still version {before} that answers")
    return [f"{answers[200]} of {answers.total()} requests answered meanwhile, first by {before}, then by {after}"]


def roll_back(project: Path, cdk: Cdk, site: Site) -> list[str]:
    """Deploy a version of the project that does not work; return how requests were answered, and why it failed.

    Raises RehearsalError when its deployment is not taken back, or a request was not answered, or nothing says why.
    """
    session = boto3.Session()
    before = _running(site)
    cdk.synth(project)
    started = datetime.now(UTC)
    with _served(site) as answers:
        try:
            cdk.deploy()
        except RehearsalError:
            pass
        else:
            raise RehearsalError("it was deployed as if nothing were wrong with it")
    if not _is_rolled_back(session):
        raise RehearsalError("its deployment was not taken back")
    if _running(site) != before:
        raise RehearsalError(f"after the rollback it is not version {before} that answers")
    reasons = failures(session, since=started)
    if not reasons:
        raise RehearsalError("neither ECS nor the logs say why it failed")
    return [f"{answers[200]} of {answers.total()} requests answered meanwhile, all by {before}", *reasons]


@contextmanager
def _served(site: Site) -> Iterator[Counter[int]]:
    """Send requests until the block ends; an error when one of them was not answered with 200, or none was sent."""
    with site.steady_requests("/products/") as answers:
        yield answers
    if set(answers) != {200}:
        others = ", ".join(f"{count} with {status}" for status, count in sorted(answers.items()))
        raise RehearsalError(
            f"requests during the deployment were answered: {others or 'none was sent'} (0: not at all)"
        )


def _running(site: Site) -> Any:
    return site.request("GET", "/openapi.json", 200)["info"]["version"]


def _is_rolled_back(session: boto3.Session) -> bool:
    stacks = session.client("cloudformation").describe_stacks()["Stacks"]
    return any(stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE" for stack in stacks)
