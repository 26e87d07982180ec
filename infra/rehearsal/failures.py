"""Why tasks failed, as ECS and CloudWatch Logs still tell it after the deployment was taken back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import boto3

from infra.operations.stopped_tasks import failed_task, has_failed


def failures(session: boto3.Session, *, since: datetime) -> list[str]:
    """A sentence for each service with tasks that were made since then and failed, about the last one of them."""
    ecs = session.client("ecs")
    last: dict[str, Mapping[str, Any]] = {}
    for cluster in ecs.list_clusters()["clusterArns"]:
        arns = ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"]
        tasks: list[Any] = list(ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]) if arns else []
        for task in sorted(tasks, key=lambda task: task["createdAt"]):
            if has_failed(task) and task["createdAt"] >= since:
                last[task["group"]] = task
    return [_sentence(session, task) for task in last.values()]


def _sentence(session: boto3.Session, task: Mapping[str, Any]) -> str:
    ecs = session.client("ecs")
    definition = ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
    (main,) = [one for one in definition["containerDefinitions"] if one.get("essential", True)]
    group = main["logConfiguration"]["options"]["awslogs-group"]
    failed = failed_task(session.client("logs"), task, service=main["name"], log_group=group)
    said = []
    for container in failed.containers:
        state = "was stopped" if container.exit_code is None else f"exited with code {container.exit_code}"
        said.append(f"{container.name} {state}" + (f" after: {' | '.join(container.log)}" if container.log else ""))
    return "; ".join([f"{failed.service}: {failed.reason}", *said])
