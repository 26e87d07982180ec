"""What becomes of a task that was well and no longer is: its process hangs, so its health check fails."""

import time
from typing import Any, Literal

import boto3

from infra.rehearsal.emulator import Emulator
from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.site import Site

_CONTAINER = "api"
_HANG = "kill -STOP $(cat /proc/1/task/1/children)"  # what the init process has started
_SECONDS = 150  # in which another task serves; three failed checks, 5 s apart, and a start
_PAUSE = 1.0


def replaced(site: Site, emulator: Emulator, session: boto3.Session) -> list[str]:
    """Have a task of the API hang, and wait until another serves in its place; return how long that took and why.

    Raises RehearsalError when none does in time, or when its health is not the reason.
    """
    before = {task["taskArn"] for task in _tasks(session, "RUNNING")}
    problem = emulator.execute(_CONTAINER, _HANG)
    if problem is not None:
        raise RehearsalError(f"the process of {_CONTAINER} cannot be made to hang: {problem}")
    started = time.monotonic()
    while True:
        stopped = [task for task in _tasks(session, "STOPPED") if task["taskArn"] in before]
        running = _tasks(session, "RUNNING")
        if stopped and len(running) == len(before) and _is_well(running):
            break
        if time.monotonic() - started > _SECONDS:
            raise RehearsalError(f"no other task serves {_SECONDS} s after the process of {_CONTAINER} hung")
        time.sleep(_PAUSE)
    reason = stopped[0]["stoppedReason"]
    if "health checks" not in reason:
        raise RehearsalError(f"the task whose process hung was stopped for something else: {reason}")
    site.request("GET", "/products/", 200)
    return [f"{_CONTAINER}: {reason}; another serves after {time.monotonic() - started:.0f} s"]


def _is_well(tasks: list[Any]) -> bool:
    return all(task["healthStatus"] == "HEALTHY" for task in tasks)


def _tasks(session: boto3.Session, status: Literal["RUNNING", "STOPPED"]) -> list[Any]:
    """The tasks of the API in a state."""
    ecs = session.client("ecs")
    found: list[Any] = []
    for cluster in ecs.list_clusters()["clusterArns"]:
        arns = ecs.list_tasks(cluster=cluster, desiredStatus=status)["taskArns"]
        found += ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    return [task for task in found if _CONTAINER in {container["name"] for container in task["containers"]}]
