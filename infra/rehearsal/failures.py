"""Why tasks failed, as ECS and CloudWatch Logs still tell it after the deployment was taken back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

_LINES = 3  # of a container's log
_ENDED_BY_ITSELF = {"EssentialContainerExited", "TaskFailedToStart"}


def failures(session: boto3.Session, *, since: datetime) -> list[str]:
    """A sentence for each service with tasks that were made since then and failed, about the last one of them."""
    ecs = session.client("ecs")
    last: dict[str, Mapping[str, Any]] = {}
    for cluster in ecs.list_clusters()["clusterArns"]:
        arns = ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"]
        tasks: list[Any] = list(ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]) if arns else []
        for task in sorted(tasks, key=lambda task: task["createdAt"]):
            # A task that a deployment replaced was stopped too, but did not fail.
            failed = task.get("stopCode") in _ENDED_BY_ITSELF or "health checks" in task.get("stoppedReason", "")
            if failed and task["createdAt"] >= since:
                last[task["group"]] = task
    return [_reason(session, task) for task in last.values()]


def _reason(session: boto3.Session, task: Mapping[str, Any]) -> str:
    definition = session.client("ecs").describe_task_definition(taskDefinition=task["taskDefinitionArn"])
    containers = {container["name"]: container for container in definition["taskDefinition"]["containerDefinitions"]}
    said = []
    for container in task["containers"]:
        code = container.get("exitCode")
        if code != 0:  # None: it was stopped
            state = "was stopped" if code is None else f"exited with code {code}"
            log = _last_lines(session, containers[container["name"]], task["taskArn"].rpartition("/")[2])
            said.append(f"{container['name']} {state}" + (f" after: {' | '.join(log)}" if log else ""))
    return "; ".join([f"{task['group'].removeprefix('service:')}: {task['stoppedReason']}", *said])


def _last_lines(session: boto3.Session, container: Mapping[str, Any], task_id: str) -> list[str]:
    options = container.get("logConfiguration", {}).get("options", {})
    stream = f"{options.get('awslogs-stream-prefix')}/{container['name']}/{task_id}"
    try:
        events = session.client("logs").get_log_events(
            logGroupName=options["awslogs-group"], logStreamName=stream, limit=_LINES, startFromHead=False
        )["events"]
    except (KeyError, ClientError):
        return []  # it never wrote one
    return [event["message"].strip() for event in events]
