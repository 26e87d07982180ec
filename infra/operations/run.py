"""Run a command once, in a task of its own like a service's: its image, variables, secrets and network.

Shows its log and ends with its exit code; Ctrl-C stops the task. Example: run api -- python -m app.api.migrate
"""

import argparse
import time
from typing import Any

from infra.operations.command_line import Output
from infra.operations.deployment import Deployment, OperationError
from infra.operations.stopped_tasks import RUN

_POLL_SECONDS = 2
_PATIENCE_SECONDS = 6 * 3600
_NEVER_RAN = 1  # the exit code where the container has none


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` takes."""
    parser.add_argument("service", help="whose task definition; a service that runs once before another counts too")
    parser.add_argument("command", nargs="+", help="after --, what to run")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Run it; return the exit code of the command."""
    service = next((one for one in deployment.services if options.service in _containers(deployment, one.name)), None)
    if service is None:
        deployment.chosen([options.service])
        raise AssertionError
    ecs = deployment.client("ecs")
    definition = _registered(ecs, service.described["taskDefinition"], options.service)
    try:
        answer = ecs.run_task(
            cluster=deployment.cluster,
            taskDefinition=definition,
            capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}],  # Spot may take it back halfway
            networkConfiguration=service.described["networkConfiguration"],
            overrides={"containerOverrides": [{"name": options.service, "command": options.command}]},
            startedBy=RUN,
        )
        if answer.get("failures"):
            raise OperationError(f"ECS did not start it: {answer['failures'][0].get('reason')}")
        arn = answer["tasks"][0]["taskArn"]
        out.line(f"task {arn.rpartition('/')[2]} starts; that takes about half a minute")
        return _watched(deployment, ecs, arn, service.name, options.service, out)
    finally:
        ecs.deregister_task_definition(taskDefinition=definition)


def _containers(deployment: Deployment, service: str) -> list[str]:
    return [container.name for container in deployment.plan.tasks[service].containers]


def _registered(ecs: Any, current: str, container: str) -> str:
    """Register the current task definition with this container alone, and no health check; return its ARN.

    What runs before the service's own container, such as migrations, does not run again.
    """
    described = ecs.describe_task_definition(taskDefinition=current)["taskDefinition"]
    (own,) = [one for one in described["containerDefinitions"] if one["name"] == container]
    own = {key: value for key, value in own.items() if key not in ("dependsOn", "healthCheck", "portMappings")}
    copied = (
        *("taskRoleArn", "executionRoleArn", "networkMode", "volumes", "requiresCompatibilities", "cpu", "memory"),
        *("runtimePlatform", "ephemeralStorage"),
    )
    return str(
        ecs.register_task_definition(
            family=f"{described['family']}-run",
            containerDefinitions=[{**own, "essential": True}],
            **{key: described[key] for key in copied if key in described},
        )["taskDefinition"]["taskDefinitionArn"]
    )


def _watched(deployment: Deployment, ecs: Any, arn: str, service: str, container: str, out: Output) -> int:
    logs, shown = deployment.client("logs"), 0
    stream = f"{container}/{container}/{arn.rpartition('/')[2]}"
    until = time.monotonic() + _PATIENCE_SECONDS
    try:
        while time.monotonic() < until:
            (task,) = ecs.describe_tasks(cluster=deployment.cluster, tasks=[arn])["tasks"]
            stopped = task["lastStatus"] == "STOPPED"
            if stopped:
                time.sleep(_POLL_SECONDS)  # for its last lines to arrive
            shown = _show(logs, deployment.log_group(service), stream, shown, out)
            if stopped:
                (ended,) = [one for one in task["containers"] if one["name"] == container]
                if ended.get("exitCode") is None:
                    out.line(f"it never ran: {ended.get('reason') or task.get('stoppedReason', '')}")
                return int(ended.get("exitCode", _NEVER_RAN))
            time.sleep(_POLL_SECONDS)
        raise OperationError(f"it still runs after {_PATIENCE_SECONDS // 3600} hours, and is stopped now")
    except BaseException:
        ecs.stop_task(cluster=deployment.cluster, task=arn, reason="its caller went away")
        raise


def _show(logs: Any, group: str, stream: str, shown: int, out: Output) -> int:
    """Print what the stream has beyond `shown` lines; return how many there are."""
    events: list[Any] = []
    asked: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
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
        out.line(event["message"].rstrip())
    return len(events)
