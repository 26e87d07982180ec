"""Run once, as its schedule would, each task that runs by the clock."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3

from infra.operations import stacks
from infra.rehearsal.failures import failures
from infra.rehearsal.problem import RehearsalError

_KIND = "AWS::StepFunctions::StateMachine"
_PATIENCE_SECONDS = 300
_POLL_SECONDS = 1


def run_scheduled_tasks(session: boto3.Session, stack_name: str) -> list[str]:
    """Return what became of a run of each state machine of the stack, a few words each.

    Raises:
        RehearsalError: one did not succeed, or a container of its task failed.
    """
    machines = [one.physical for one in stacks.resources(session, stack_name) if one.type == _KIND]
    return [said for machine in machines for said in _run(session, machine)]


def _run(session: boto3.Session, machine: str) -> Iterator[str]:
    client, started = session.client("stepfunctions"), datetime.now(UTC)
    execution = client.start_execution(stateMachineArn=machine)["executionArn"]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (described := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
        if time.monotonic() > deadline:
            raise RehearsalError(f"a run of {machine} has not ended in {_PATIENCE_SECONDS} s")
        time.sleep(_POLL_SECONDS)
    if described["status"] != "SUCCEEDED":
        raise RehearsalError(f"a run of {machine} ended as {described['status']}: {described.get('cause', '')}")
    tasks = list(_tasks(session, execution.rpartition(":")[2]))
    if not tasks:
        raise RehearsalError(f"a run of {machine} made no task")
    # The emulator ends a run well whatever its containers end with.
    if any(container.get("exitCode") != 0 for task in tasks for container in task["containers"]):
        raise RehearsalError(f"a run by the clock failed: {'; '.join(failures(session, since=started))}")
    for task in tasks:
        yield f"{task['taskDefinitionArn'].rpartition('/')[2]} ran by the clock"


def _tasks(session: boto3.Session, started_by: str) -> Iterator[Any]:
    ecs = session.client("ecs")
    for cluster in ecs.list_clusters()["clusterArns"]:
        arns = ecs.list_tasks(cluster=cluster, startedBy=started_by, desiredStatus="STOPPED")["taskArns"]
        yield from ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
