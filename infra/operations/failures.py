"""Show the tasks that failed, newest first: why, the last lines of their logs, and where to mend it.

ECS forgets a stopped task after an hour; the stack keeps its reason for as long as its logs, so this knows of last
night's too.
"""

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from infra.compose.lines import line_of
from infra.operations.command_line import Output, age
from infra.operations.deployment import Deployment
from infra.operations.stopped_tasks import FailedTask, failed_task, has_failed
from infra.plan.records import failure_log_group_name

_HOURS = 24


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `failures` takes."""
    parser.add_argument("service", nargs="?", help="of this service only")
    parser.add_argument("--hours", type=float, default=_HOURS, help=f"how far back (default: {_HOURS})")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Print a card for each; the exit code is 0 either way."""
    deployment.chosen([options.service] if options.service else [])
    found = [one for one in recent(deployment, hours=options.hours) if options.service in (None, one.service)]
    if not out.facts(found):
        for one in found:
            show(deployment, one, out)
        if not found:
            out.line(f"No task failed in the last {options.hours:g} hours.")
    return 0


def recent(deployment: Deployment, *, hours: float) -> list[FailedTask]:
    """Return the tasks that failed in the last so many hours, newest first."""
    since = datetime.now(UTC) - timedelta(hours=hours)
    tasks = {task["taskArn"]: task for task in _recorded(deployment, since)}
    tasks |= {task["taskArn"]: task for task in deployment.stopped_and_running("STOPPED")}
    logs = deployment.client("logs")
    failed = []
    for task in tasks.values():
        if has_failed(task):
            service = deployment.service_name(task)
            failed.append(failed_task(logs, task, service=service, log_group=deployment.log_group(service)))
    return sorted((one for one in failed if one.at >= since), key=lambda one: one.at, reverse=True)


def show(deployment: Deployment, failure: FailedTask, out: Output) -> None:
    """Print the card of one failure."""
    out.console.rule(f"{failure.service}, {age(failure.at)} ago ({failure.at:%Y-%m-%d %H:%M} UTC)", align="left")
    out.line(f"{failure.reason}   task {failure.task}   image {failure.image}")
    for container in failure.containers:
        state = "was stopped" if container.exit_code is None else f"exited with code {container.exit_code}"
        out.line(f"  {container.name} {state}" + (f": {container.reason}" if container.reason else ""))
        for line in container.log:
            out.line(f"    {line}")
    out.line(f"→ {where(deployment, failure)}: {failure.advice}")


def where(deployment: Deployment, failure: FailedTask) -> str:
    """Return which key of which file a failure is about, and its line there."""
    if failure.key.endswith("(cdk.json)"):
        return failure.key
    file = deployment.plan.project.file
    return f"{file.name}:{line_of(file, failure.service, failure.key)}: {failure.key}"


def _recorded(deployment: Deployment, since: datetime) -> Iterator[Any]:
    """Yield the failed tasks that the stack wrote down."""
    pages = deployment.client("logs").get_paginator("filter_log_events")
    group = failure_log_group_name(deployment.stack_name)
    try:
        for page in pages.paginate(logGroupName=group, startTime=round(since.timestamp() * 1000)):
            for event in page["events"]:
                yield json.loads(event["message"])["detail"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":  # a stack of an earlier version has none
            raise
