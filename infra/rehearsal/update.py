"""Deploy another version over the one that runs, with requests all the time, and see what becomes of both."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra.rehearsal import public_names
from infra.rehearsal.cdk import Cdk
from infra.rehearsal.emulator import Emulator
from infra.rehearsal.failures import failures
from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.site import Site
from infra.rehearsal.traffic import traffic
from infra.rehearsal.versions import ProjectVersion

_PATIENCE = 120  # seconds for a task that ended to be replaced
_PROGRESS = re.compile(r"\d\d:\d\d:\d\d  \S+: \d+ of \d+ of version \d+")
_ANSWERS, _CARD = re.compile(r"^✓ https?://"), re.compile(r"^→ ")
_NEWER = "newer than this version's"


def roll_through(version: ProjectVersion, project: Path, cdk: Cdk, site: Site, emulator: Emulator) -> list[str]:
    """Deploy a version that works, of which `project` is a copy; return how requests were answered meanwhile.

    Raises:
        RehearsalError: one of them was not, or it is still the version before that answers, or its migration was
            not applied, or whoever deploys was not told of the services.
    """
    before, started = _running(site), datetime.now(UTC)
    with traffic(site) as answers:
        code, said = _deployed(cdk, project, emulator)
    if code:
        raise RehearsalError(f"deploy ended with {code}: {' / '.join(said[-3:])}")
    after = _running(site)
    if after == before:
        raise RehearsalError(f"after the update it is still version {before} that answers")
    migrated = [_schema(version, started)] if version.migrates else []
    return [
        f"{answers} answered meanwhile, none cut, first by {before}, then by {after}",
        *migrated,
        *_told(said, _PROGRESS, "how many tasks run"),
        *_told(said, _ANSWERS, "whether the public URL answers"),
    ]


def roll_back(version: ProjectVersion, project: Path, cdk: Cdk, site: Site, emulator: Emulator) -> list[str]:
    """Deploy a version that does not work; return how requests were answered meanwhile, and why it failed.

    Raises:
        RehearsalError: its deployment is not taken back, or a request was not answered, or nothing says why, or what
            was before does not work with the schema that its migration has left.
    """
    session = boto3.Session()
    before, started = _running(site), datetime.now(UTC)
    with traffic(site) as answers:
        code, said = _deployed(cdk, project, emulator)
    if not code:
        raise RehearsalError("it was deployed as if nothing were wrong with it")
    if not _is_rolled_back(session):
        raise RehearsalError("its deployment was not taken back")
    if _running(site) != before:
        raise RehearsalError(f"after the rollback it is not version {before} that answers")
    if (len(answers.versions) > 1) != version.updates_api:
        raise RehearsalError(f"meanwhile it was answered by {', '.join(answers.versions)}")
    reasons = failures(session, since=started)
    if not reasons:
        raise RehearsalError("neither ECS nor the logs say why it failed")
    by = f"first by {', then by '.join([*answers.versions, before])}" if version.updates_api else f"all by {before}"
    schema = [_schema(version, started), _start_anew(site, emulator)] if version.migrates else []
    cards = _told(said, _CARD, "what to mend")
    return [f"{answers} answered meanwhile, none cut, {by}", *reasons, *schema, *dict.fromkeys(cards)]


def _deployed(cdk: Cdk, project: Path, emulator: Emulator) -> tuple[int, list[str]]:
    """Deploy as operators do, with what that says: nobody rehearses a rehearsal, and nobody is there to approve."""
    with public_names.known(emulator) as names:
        variables = {**names, "CDK_REQUIRE_APPROVAL": "never"}
        return cdk.operate(project, "deploy", "--unrehearsed", variables=variables)


def _told(said: list[str], expected: re.Pattern[str], what: str) -> list[str]:
    found = [line for line in said if expected.search(line)]
    if not found:
        raise RehearsalError(f"deploy did not tell {what}: {' / '.join(said[-5:])}")
    return found


def _running(site: Site) -> Any:
    return site.request("GET", "/openapi.json", 200)["info"]["version"]


def _is_rolled_back(session: boto3.Session) -> bool:
    stacks = session.client("cloudformation").describe_stacks()["Stacks"]
    return any(stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE" for stack in stacks)


def _schema(version: ProjectVersion, since: datetime) -> str:
    """Return what the migration said last, an error when it said nothing of a schema."""
    said = [line for line in _logs(since) if "the schema is at revision" in line]
    if not said:
        raise RehearsalError(f"the logs do not say that the migration of {version.name} was applied")
    return said[-1]


def _start_anew(site: Site, emulator: Emulator) -> str:
    """Have a task of the API end: what starts in its place is the version before, with the schema of the one after it.

    Raises:
        RehearsalError: it is not replaced by one that is well and says that the schema is newer.
    """
    since = datetime.now(UTC)
    emulator.execute("api", "kill 1")
    deadline = time.monotonic() + _PATIENCE
    while True:
        said = [line for line in _logs(since) if _NEWER in line]
        answered, _page = site.fetch("GET", "/products/?limit=1") if said else (0, b"")
        if answered == 200:
            return f"a task that ended is replaced by one that serves: {said[-1]}"
        if time.monotonic() > deadline:
            raise RehearsalError("a task of the API that ended is not replaced by one that is well and says so")
        time.sleep(1)


def _logs(since: datetime) -> Iterator[str]:
    """Yield what the containers of the services have written since then."""
    logs = boto3.Session().client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        for stream in logs.describe_log_streams(logGroupName=group["logGroupName"])["logStreams"]:
            try:
                events = logs.get_log_events(
                    logGroupName=group["logGroupName"],
                    logStreamName=stream["logStreamName"],
                    startTime=int(since.timestamp() * 1000),
                    startFromHead=True,
                )["events"]
            except ClientError:
                continue  # it is gone
            yield from (event["message"].strip() for event in events)
