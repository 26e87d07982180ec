"""A task of its own that runs once: containers made of a service's, with its roles, secrets and network."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from infra.operations.deployment import Deployment, OperationError, RunningService
from infra.operations.stopped_tasks import RUN

Container = dict[str, Any]

_POLL_SECONDS = 2
_PATIENCE_SECONDS = 6 * 3600
_NEVER_RAN = 1  # the exit code where the container has none
_OF_THE_TASK = (
    *("taskRoleArn", "executionRoleArn", "networkMode", "volumes", "requiresCompatibilities", "cpu", "memory"),
    *("runtimePlatform", "ephemeralStorage"),
)


def definition(deployment: Deployment, service: RunningService) -> Any:
    """Return what ECS says of a service's task definition."""
    current = service.described["taskDefinition"]
    return deployment.client("ecs").describe_task_definition(taskDefinition=current)["taskDefinition"]


def run_once(
    deployment: Deployment,
    service: RunningService,
    described: Any,
    containers: Sequence[Container],
    heard: Callable[[str, str], None],
) -> int:
    """Run `containers` in a task like a service's, whose definition was `described`; return the last one's exit code.

    `heard` is told each line of their logs, after its container's name. The last container has to be the essential
    one: with it the task ends. However this ends, the task is stopped and its definition is gone.

    Raises:
        OperationError: ECS did not start it, or it goes on for too long.
    """
    ecs = deployment.client("ecs")
    own = str(
        ecs.register_task_definition(
            family=f"{described['family']}-run",
            containerDefinitions=list(containers),
            **{key: described[key] for key in _OF_THE_TASK if key in described},
        )["taskDefinition"]["taskDefinitionArn"]
    )
    try:
        answer = ecs.run_task(
            cluster=deployment.cluster,
            taskDefinition=own,
            capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}],  # Spot may take it back halfway
            networkConfiguration=service.described["networkConfiguration"],
            startedBy=RUN,
        )
        if answer.get("failures"):
            raise OperationError(f"ECS did not start it: {answer['failures'][0].get('reason')}")
        arn = answer["tasks"][0]["taskArn"]
        heard("", f"task {arn.rpartition('/')[2]} starts; that takes about half a minute")
        return _watched(deployment, ecs, arn, containers, heard)
    finally:
        ecs.deregister_task_definition(taskDefinition=own)


def _watched(
    deployment: Deployment, ecs: Any, arn: str, containers: Sequence[Container], heard: Callable[[str, str], None]
) -> int:
    logs, shown = deployment.client("logs"), dict.fromkeys([one["name"] for one in containers], 0)
    until, last = time.monotonic() + _PATIENCE_SECONDS, containers[-1]["name"]
    try:
        while time.monotonic() < until:
            (task,) = ecs.describe_tasks(cluster=deployment.cluster, tasks=[arn])["tasks"]
            stopped = task["lastStatus"] == "STOPPED"
            if stopped:
                time.sleep(_POLL_SECONDS)  # for its last lines to arrive
            for one in containers:
                shown[one["name"]] = _show(logs, one, arn, shown[one["name"]], heard)
            if stopped:
                (ended,) = [one for one in task["containers"] if one["name"] == last]
                if ended.get("exitCode") is None:
                    heard("", f"it never ran: {ended.get('reason') or task.get('stoppedReason', '')}")
                return int(ended.get("exitCode", _NEVER_RAN))
            time.sleep(_POLL_SECONDS)
        raise OperationError(f"it still runs after {_PATIENCE_SECONDS // 3600} hours, and is stopped now")
    except BaseException:
        ecs.stop_task(cluster=deployment.cluster, task=arn, reason="its caller went away")
        raise


def _show(logs: Any, container: Container, arn: str, shown: int, heard: Callable[[str, str], None]) -> int:
    """Tell what a container's log has beyond `shown` lines; return how many there are."""
    options, name = container["logConfiguration"]["options"], container["name"]
    stream = f"{options['awslogs-stream-prefix']}/{name}/{arn.rpartition('/')[2]}"
    events: list[Any] = []
    asked = {"logGroupName": options["awslogs-group"], "logStreamName": stream, "startFromHead": True}
    try:
        while True:
            page = logs.get_log_events(**asked)
            events += page["events"]
            if not page["events"] or page["nextForwardToken"] == asked.get("nextToken"):
                break
            asked["nextToken"] = page["nextForwardToken"]
    except logs.exceptions.ResourceNotFoundException:
        return shown  # it has written nothing yet
    for event in events[shown:]:
        heard(name, event["message"].rstrip())
    return len(events)
