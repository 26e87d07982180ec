"""Why tasks stopped: what ECS says of a task, the last lines of its log, and what both mean for who can mend it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from infra.operations.log_records import readable
from infra.plan.records import ENDED, TAKEN

RUN = "operations-run"
"""What tasks that somebody runs once are marked with (ECS: startedBy)."""

_LINES = 5  # of a container's log
_MEMORY = 137  # the exit code of a container that was killed: by the kernel for its memory, or after its grace period


@dataclass(frozen=True)
class StoppedContainer:
    """A container of a task that failed; `exit_code` is None when it never ran, or was stopped."""

    name: str
    exit_code: int | None
    reason: str
    log: tuple[str, ...]


@dataclass(frozen=True)
class FailedTask:
    """A task that failed; `key` is the key of its service in the compose file that it is about."""

    service: str
    task: str
    at: datetime
    image: str
    reason: str
    containers: tuple[StoppedContainer, ...]
    key: str
    advice: str


def has_failed(task: Mapping[str, Any]) -> bool:
    """Say whether a stopped task failed; one that a deployment replaced or scaling ended did not."""
    reason = task.get("stoppedReason", "")
    if task.get("startedBy") == RUN:  # whoever asked for it has seen how it ended
        return False
    if task.get("stopCode") in TAKEN:
        return True
    if task.get("stopCode") in ENDED:
        return not _succeeded(task)
    return "health checks" in reason or "OutOfMemory" in reason


def failed_task(logs: Any, task: Mapping[str, Any], *, service: str, log_group: str) -> FailedTask:
    """Return what is known of a task that failed.

    Args:
        logs: a client of CloudWatch Logs.
        task: as ECS describes it, or as its event in EventBridge has it.
        service: its name in the compose file.
        log_group: where its containers write to.
    """
    identity = str(task["taskArn"]).rpartition("/")[2]
    containers = tuple(
        StoppedContainer(
            name=one["name"],
            exit_code=one.get("exitCode"),
            reason=one.get("reason", ""),
            log=last_lines(logs, log_group, one["name"], identity),
        )
        for one in task["containers"]
        if one.get("exitCode") != 0 and not one["name"].startswith("ecs-service-connect")
    )
    reason = str(task.get("stoppedReason", "no reason is given"))
    key, advice = _explained(f"{reason} {task.get('stopCode', '')}", containers)
    images = [str(one["image"]) for one in task["containers"] if one["name"] == service and one.get("image")]
    return FailedTask(
        service=service,
        task=identity,
        at=_moment(task.get("stoppedAt") or task["createdAt"]),
        image=short_image(images[0]) if images else "",
        reason=reason,
        containers=containers,
        key=key,
        advice=advice,
    )


def last_lines(logs: Any, log_group: str, container: str, task: str, lines: int = _LINES) -> tuple[str, ...]:
    """Return the last lines that a container of a task wrote; none when it wrote nothing."""
    try:
        stream = f"{container}/{container}/{task}"
        events = logs.get_log_events(logGroupName=log_group, logStreamName=stream, limit=lines, startFromHead=False)[
            "events"
        ]
    except ClientError:
        return ()  # it never wrote, or its time is over
    return tuple(readable(event["message"].rstrip()) for event in events)


def short_image(image: str) -> str:
    """Return an image's name without its registry; what CDK built by the beginning of its hash."""
    name, _, tag = image.rpartition("/")[2].partition(":")
    return tag[:12] if name.startswith("cdk-") else f"{name}:{tag}".rstrip(":")


# What a reason says, the key of the service that it is about, and what to try.
_RULES: tuple[tuple[str, str, str], ...] = (
    (r"OutOfMemory|out of memory", "deploy.resources.limits.memory", "It used more memory than the limit: raise it."),
    (
        r"container health checks",
        "healthcheck",
        "Its own health check failed: look at its log; if it was only slow to start, raise start_period.",
    ),
    (
        r"ELB health checks",
        "x-aws.public.health_path",
        "The load balancer's requests to this path were not answered well: try the path, or name health_codes.",
    ),
    (
        r"CannotPull|pull image|manifest",
        "image",
        "The image could not be pulled: it may not exist for this architecture, or the registry was out of reach.",
    ),
    (
        r"secret|ResourceInitializationError.*(?:retrieve|fetch)",
        "x-aws.secrets",
        "A secret could not be read: does it exist and have the key that is named? make secret puts a value there.",
    ),
    (r"executable file not found|no such file", "command", "What it should run is not in the image."),
    (
        r"Spot",
        "services.spot_percent (cdk.json)",
        "Fargate Spot took the task back, as it may at two minutes' notice; another one is started.",
    ),
    (r"TerminationNotice|InfrastructureHealth", "", "AWS took away the machine below it; another task is started."),
)


def _explained(reason: str, containers: Sequence[StoppedContainer]) -> tuple[str, str]:
    said = " ".join([reason, *(one.reason for one in containers)])
    for pattern, key, advice in _RULES:
        if re.search(pattern, said, re.IGNORECASE):
            return key, advice
    if any(one.exit_code == _MEMORY for one in containers):
        return "deploy.resources.limits.memory", "It was killed (137): most often because it used too much memory."
    codes = [f"{one.name} with {one.exit_code}" for one in containers if one.exit_code is not None]
    if codes:
        return "command", f"The program itself ended ({', '.join(codes)}): its last lines say why."
    return "", "Look at the service's events."


def _succeeded(task: Mapping[str, Any]) -> bool:
    """Say whether all containers ended well, as those of a task that runs once do."""
    return all(one.get("exitCode") == 0 for one in task["containers"])


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
