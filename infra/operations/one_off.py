"""A task of its own that runs once: containers made of a service's, with its roles, secrets and network."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from infra.operations.deployment import AWS_ERRORS, Deployment, OperationError, RunningService, sentence
from infra.operations.stopped_tasks import RUN

Container = dict[str, Any]

_POLL_SECONDS = 2
_PATIENCE_SECONDS = 6 * 3600
_HELD_SECONDS = 4 * 3600
_REACHABLE_SECONDS = 300
_ON_DEMAND = [{"capacityProvider": "FARGATE", "weight": 1}]  # Spot may take a task back halfway
_LEAST = {"cpu": "256", "memory": "512"}  # the smallest that Fargate has
_ENDS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}  # Ctrl-C, an end that is asked for, a closed terminal
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
        OperationError: ECS did not start it, it goes on for too long, or it could not be stopped.
    """
    own = {key: described[key] for key in _OF_THE_TASK if key in described}
    task = {**own, "containerDefinitions": [*containers]}
    with _started(deployment, service, f"{described['family']}-run", task, ends_by_itself=True) as arn:
        heard("", f"task {arn.rpartition('/')[2]} starts; that takes about half a minute")
        return _watched(deployment, arn, containers, heard)


@contextmanager
def held(deployment: Deployment, service: RunningService, role: str) -> Iterator[Any]:
    """Run a task where a service's are, that does nothing; yield what ECS says of it once sessions reach it; stop it.

    It has the image of the service's container, and neither its secrets nor its variables; its own rights are those of
    `role` (an ARN). Should nobody stop it, it ends by itself.

    Raises:
        OperationError: ECS did not start it, no session can be opened in it, or it could not be stopped.
    """
    described = definition(deployment, service)
    (own,) = [one for one in described["containerDefinitions"] if one["name"] == service.name]
    waits: Container = {
        **{
            key: own[key]
            for key in ("name", "image", "repositoryCredentials", "user", "logConfiguration")
            if key in own
        },
        "essential": True,
        "entryPoint": ["sleep"],
        "command": [str(_HELD_SECONDS)],
        "linuxParameters": {"initProcessEnabled": True},  # which ends what a session leaves behind
    }
    task = {key: described[key] for key in ("executionRoleArn", "runtimePlatform") if key in described}
    task |= {"taskRoleArn": role, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], **_LEAST}
    task |= {"containerDefinitions": [waits]}
    family = f"{described['family']}-tunnel"
    with _started(deployment, service, family, task, ends_by_itself=False, enableExecuteCommand=True) as arn:
        yield _reachable(deployment, arn)


def _reachable(deployment: Deployment, arn: str) -> Any:
    """Wait until ECS Exec's agent runs in a task, and return what ECS says of it then."""
    for task in _states(deployment, arn, _REACHABLE_SECONDS):
        if task["lastStatus"] == "STOPPED":
            raise OperationError(f"the task that was started for it ended: {task.get('stoppedReason', '')}")
        agents = [agent for one in task["containers"] for agent in one.get("managedAgents", [])]
        if any(one["name"] == "ExecuteCommandAgent" and one.get("lastStatus") == "RUNNING" for one in agents):
            return task
    raise OperationError(f"no session reaches the task that was started for it within {_REACHABLE_SECONDS} s")


def _states(deployment: Deployment, arn: str, seconds: int) -> Iterator[Any]:
    """Yield what ECS says of a task, again and again for so many seconds, from when it knows of what it has started."""
    ecs, until = deployment.client("ecs"), time.monotonic() + seconds
    while time.monotonic() < until:
        yield from ecs.describe_tasks(cluster=deployment.cluster, tasks=[arn])["tasks"]
        time.sleep(_POLL_SECONDS)


@contextmanager
def _started(
    deployment: Deployment,
    service: RunningService,
    family: str,
    task: Mapping[str, Any],
    *,
    ends_by_itself: bool,
    **options: Any,
) -> Iterator[str]:
    """Start a task of a definition that is gone at the end; yield its ARN; stop it, unless it has ended by itself.

    Raises:
        OperationError: ECS did not start it, or it could not be stopped.
    """
    ecs, running = deployment.client("ecs"), ""
    registered = ecs.register_task_definition(family=family, **task)["taskDefinition"]["taskDefinitionArn"]
    try:
        with _undisturbed():  # an end between ECS's start and its answer would leave a task that nobody knows of
            answer = ecs.run_task(
                cluster=deployment.cluster,
                taskDefinition=registered,
                capacityProviderStrategy=_ON_DEMAND,
                networkConfiguration=service.described["networkConfiguration"],
                startedBy=RUN,
                **options,
            )
            if answer.get("failures"):
                raise OperationError(f"ECS did not start it: {answer['failures'][0].get('reason')}")
            running = answer["tasks"][0]["taskArn"]
        yield running
        running = "" if ends_by_itself else running
    finally:
        with _undisturbed():
            if running:
                _stop(deployment, running)
            ecs.deregister_task_definition(taskDefinition=registered)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let Ctrl-C and its like wait until this is done: a terminal that closes sends SIGHUP more than once.

    By handlers and not by a mask, as a mask is one thread's, and the kernel may give a signal to any.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone is interrupted
        yield
        return
    waiting: list[int] = []
    before = {number: signal.signal(number, lambda came, _frame: waiting.append(came)) for number in _ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for came in waiting[:1]:
            signal.raise_signal(came)


def _stop(deployment: Deployment, arn: str) -> None:
    """Stop a task; an OperationError says how somebody else does, such as when the credentials have expired."""
    try:
        deployment.client("ecs").stop_task(cluster=deployment.cluster, task=arn, reason="its caller went away")
    except AWS_ERRORS as error:
        raise OperationError(
            f"the task that was started for it still runs: {sentence(error)}. It is stopped by: aws ecs stop-task "
            f"--region {deployment.session.region_name} --cluster {deployment.cluster} --task {arn.rpartition('/')[2]}"
        ) from error


def _watched(
    deployment: Deployment, arn: str, containers: Sequence[Container], heard: Callable[[str, str], None]
) -> int:
    logs, shown = deployment.client("logs"), dict.fromkeys([one["name"] for one in containers], 0)
    last = containers[-1]["name"]
    for task in _states(deployment, arn, _PATIENCE_SECONDS):
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
    raise OperationError(f"it still runs after {_PATIENCE_SECONDS // 3600} hours, and is stopped now")


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
