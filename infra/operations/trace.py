"""Show one task's life, from being asked for to its end: what it waited for, and how long."""

import argparse
from dataclasses import dataclass
from datetime import datetime

from infra.operations.command_line import Output
from infra.operations.deployment import Deployment, OperationError

# What ECS notes of a task, in the order in which it happens.
_STEPS = (
    ("createdAt", "asked for"),
    ("pullStartedAt", "image pull began"),
    ("pullStoppedAt", "image pulled"),
    ("connectivityAt", "connected to the network"),
    ("startedAt", "running"),
    ("stoppingAt", "told to stop"),
    ("executionStoppedAt", "containers ended"),
    ("stoppedAt", "stopped"),
)


@dataclass(frozen=True)
class TaskStep:
    """A step in a task's life; `seconds` since the one before."""

    at: datetime
    what: str
    seconds: float


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `trace` takes."""
    parser.add_argument("task", help="a task's id or the beginning of it, or a service: its newest task")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Print it."""
    tasks = [*deployment.stopped_and_running("RUNNING"), *deployment.stopped_and_running("STOPPED")]
    matching = [
        one
        for one in tasks
        if one["taskArn"].rpartition("/")[2].startswith(options.task) or deployment.service_name(one) == options.task
    ]
    if not matching:
        known = ", ".join(one["taskArn"].rpartition("/")[2] for one in tasks) or "none"
        raise OperationError(f"ECS knows of no task {options.task}; it knows of {known}, and forgets after an hour")
    task = max(matching, key=lambda one: one["createdAt"])
    moments = sorted((task[key], what) for key, what in _STEPS if key in task)
    befores = [moments[0][0], *(moment for moment, _ in moments)]
    steps = [
        TaskStep(at, what, round((at - before).total_seconds(), 1))
        for (at, what), before in zip(moments, befores, strict=False)
    ]
    if not out.facts(steps):
        service, identity = deployment.service_name(task), task["taskArn"].rpartition("/")[2]
        out.line(f"{service} {identity}: {task['lastStatus'].lower()}")
        for step in steps:
            out.line(f"  {step.at:%H:%M:%S}  +{step.seconds:.1f} s  {step.what}")
        if task.get("stoppedReason"):
            out.line(f"  {task['stoppedReason']}")
    return 0
