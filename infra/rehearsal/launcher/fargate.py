"""ECS tasks run as Fargate runs them: every setting of the container, in the order they depend on each other, healthy
before they count, under their Service Connect name; and CloudFormation waits until a service is steady.

The emulator by itself starts all containers at once with their image, command and environment only, calls a task
stable a second after it started, and lets CloudFormation go on at once.
"""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from infra.rehearsal.launcher import balancer, envoy, registry, service_connect, sessions, sign_in, volumes
from infra.rehearsal.launcher.certificates import AUTHORITY, BUNDLE, Authority
from infra.rehearsal.launcher.database import run_off_the_loop
from infra.rehearsal.launcher.envoy import Json
from infra.rehearsal.launcher.interfaces import Interface, Interfaces
from infra.rehearsal.launcher.internals import ecs, handlers, replace, request_scope, spawn_background

_SECOND = 1_000_000_000  # Docker's unit of time is the nanosecond
_POLL, _POLL_LATER = 0.25, 1.0  # seconds between two looks at a task's health, before and after it is well
_UNHEALTHY_CONTAINER, _UNHEALTHY_TARGET = "Task failed container health checks", "Task failed ELB health checks"
_LOG_SECONDS = 1.0  # in which the last of a container's log is read
_STOP_LABEL = "catalogue.stop-timeout"  # a container's own, in seconds
_ROOT_IN_URL = re.compile(r"[?&]sslrootcert=([^&\s]+)")
_BUNDLE = "/etc/ssl/rehearsal.pem"
_STEADY_TIMEOUT = 300.0  # seconds; ECS itself gives up after three hours


def install(engine: Any, interfaces: Interfaces, certificates: Authority) -> None:
    """Replace how the emulator runs the containers of a task."""
    network = _Network(interfaces)
    replace(ecs, "_build_run_kwargs", partial(_with_every_setting, network, certificates))
    replace(ecs, "_container_ip", lambda _: network.address)
    replace(ecs, "_requested_subnet", _with_its_security_groups)
    replace(ecs, "_run_docker_container", lambda _: _start_in_order)
    replace(
        ecs, "_prepare_service_images", lambda _: lambda *_: None
    )  # it asks the registry that an image is named for
    _count_when_healthy(engine)
    _wait_until_steady()
    replace(ecs, "_cleanup_task_resources", partial(_that_removes_everything, engine, network))
    replace(ecs, "_remove_docker_container", _after_its_time_to_stop)


class _Network:
    """The network of each task: its containers share an address, and Service Connect's proxy is in it."""

    def __init__(self, interfaces: Interfaces) -> None:
        self._interfaces, self._of_tasks = interfaces, dict[str, Interface]()

    def of(self, task: Json, task_definition: Json, emulator: str) -> Interface:
        """Return a task's, which its first container makes."""
        arn = task["taskArn"]
        if arn not in self._of_tasks:
            self._of_tasks[arn] = self._create(task, task_definition, emulator)
        return self._of_tasks[arn]

    def address(self, container: Any, _network: str) -> str | None:
        """Return the address that a container has with the others of its task."""
        interface = self._of_tasks.get(container.labels["com.amazonaws.ecs.task-arn"])
        return interface.address if interface else None

    def remove(self, task: Json) -> None:
        """Remove a task's, after its containers."""
        if interface := self._of_tasks.pop(task["taskArn"], None):
            self._interfaces.remove(interface)

    def leave(self) -> None:
        """Wait until nobody is sent to tasks that are about to stop."""
        self._interfaces.settle()

    def _create(self, task: Json, task_definition: Json, emulator: str) -> Interface:
        service = task["group"].removeprefix("service:")
        # Like a task's names on AWS: those that are there when it starts.
        reached = service_connect.hosts() if service_connect.has_proxy(service) else {}
        hosts = {**reached, **dict.fromkeys(sign_in.hosts(), emulator)}
        if not service_connect.has_proxy(service):
            return self._interfaces.create(task["_subnet"].groups, hosts=hosts)
        return self._interfaces.create(
            task["_subnet"].groups,
            command=envoy.COMMAND,
            files=lambda: service_connect.files(service, task_definition, reached),
            redirects=service_connect.redirects(service, task_definition, reached),
            hosts=hosts,
        )


class _Subnet(str):
    """The subnet that a task is to be in, which the emulator keeps with it, and the security groups, which it drops."""

    __slots__ = ("groups",)
    groups: list[str]


def _with_its_security_groups(requested: Callable[[Json], str | None]) -> Callable[[Json], str | None]:
    def subnet(request: Json) -> str | None:
        found = requested(request)
        if found is None:
            return None
        noted = _Subnet(found)
        noted.groups = list(request["networkConfiguration"]["awsvpcConfiguration"].get("securityGroups", []))
        return noted

    return subnet


def _with_every_setting(
    network: _Network, certificates: Authority, build_arguments: Callable[..., Json]
) -> Callable[..., Json]:
    def arguments(container: Json, task_definition: Json, *others: Any) -> Json:
        result = build_arguments(container, task_definition, *others)
        task = ecs._tasks[result["labels"]["com.amazonaws.ecs.task-arn"]]
        emulator = str(urlsplit(result["environment"]["AWS_ENDPOINT_URL"]).hostname)
        result["labels"] |= container.get("dockerLabels", {}) | {_STOP_LABEL: str(container.get("stopTimeout", 30))}
        result["environment"] = environment = _environment(result["environment"], task)
        settings = _settings(container, task_definition)
        settings["volumes"] = [*settings.get("volumes", []), *_trusted(certificates, environment)]
        settings["network_mode"] = network.of(task, task_definition, emulator).network_mode
        return {key: value for key, value in result.items() if key != "network"} | settings

    return arguments


def _trusted(certificates: Authority, environment: dict[str, str]) -> list[str]:
    """Mounts by which a container trusts the rehearsal's authority wherever it would trust Amazon's."""
    roots = {environment["PGSSLROOTCERT"]} if "PGSSLROOTCERT" in environment else set()
    roots |= {unquote(path) for value in environment.values() for path in _ROOT_IN_URL.findall(value)}
    return [certificates.mounted(BUNDLE, _BUNDLE), *(certificates.mounted(AUTHORITY, root) for root in sorted(roots))]


def _environment(given: dict[str, str], task: dict[str, Any]) -> dict[str, str]:
    """What a container is given as its variables: on ECS the region too, and here whom to trust."""
    region, account = task["taskArn"].split(":")[3:5]
    # For the task role's: the SDK asks for those only on ECS's own link-local address.
    credentials = {"AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "rehearsal"}
    trusting = {"SSL_CERT_FILE": _BUNDLE, "REQUESTS_CA_BUNDLE": _BUNDLE}
    return trusting | given | {"AWS_REGION": region} | credentials


def _settings(container: dict[str, Any], task_definition: dict[str, Any]) -> dict[str, Any]:
    """A container definition's settings as the engine's; CPU shares are left out (see gaps.py)."""
    linux = container.get("linuxParameters", {})
    capabilities = linux.get("capabilities", {})
    memory = container.get("memory") or task_definition.get("memory")
    settings: dict[str, Any] = {
        "entrypoint": container.get("entryPoint"),
        "working_dir": container.get("workingDirectory"),
        "user": container.get("user"),
        "read_only": container.get("readonlyRootFilesystem"),
        "init": linux.get("initProcessEnabled"),
        "cap_add": capabilities.get("add"),
        "cap_drop": capabilities.get("drop"),
        "mem_limit": f"{memory}m" if memory else None,
        "volumes": [volumes.mounted(mount, task_definition) for mount in container.get("mountPoints", [])],
        "ulimits": [
            {"Name": limit["name"], "Soft": limit["softLimit"], "Hard": limit["hardLimit"]}
            for limit in container.get("ulimits", [])
        ],
        "healthcheck": _health_check(container.get("healthCheck")),
    }
    return {key: value for key, value in settings.items() if value}


def _health_check(check: dict[str, Any] | None) -> dict[str, Any] | None:
    # The defaults are the ECS API's.
    return check and {
        "test": check["command"],
        "interval": int(check.get("interval", 30)) * _SECOND,
        "timeout": int(check.get("timeout", 5)) * _SECOND,
        "retries": int(check.get("retries", 3)),
        "start_period": int(check.get("startPeriod", 0)) * _SECOND,
    }


def _start_in_order(engine: Any, container: dict[str, Any], arguments: dict[str, Any], **_: Any) -> Any:
    _require_image(engine, container["image"])
    for dependency in container.get("dependsOn", []):
        labels = arguments["labels"]
        _wait_for(engine, labels["com.amazonaws.ecs.task-arn"], **dependency)
    started = engine.containers.create(container["image"], **arguments)
    try:
        started.start()
    except Exception:
        started.remove(force=True, v=True)
        raise
    return started


def _require_image(engine: Any, image: str) -> None:
    """Have an image in the engine: one of ECR's is there since it was built, another is pulled if need be."""
    if ".dkr.ecr." in image:
        if not registry.holds(image):
            raise ecs._ImagePullError(f"{image} is not in ECR")
    elif not engine.images.list(name=image):
        engine.images.pull(image)


def _wait_for(engine: Any, task_arn: str, *, containerName: str, condition: str) -> None:  # noqa: N803 (ECS's names)
    """Wait until a container of the task has met a `dependsOn` condition; ValueError when it no longer can."""
    labels = [f"com.amazonaws.ecs.task-arn={task_arn}", f"com.amazonaws.ecs.container-name={containerName}"]
    (container,) = engine.containers.list(all=True, filters={"label": labels})
    while True:
        container.reload()
        state = container.attrs["State"]
        ended = state["Status"] == "exited"
        health = state.get("Health", {}).get("Status")
        met = {"START": True, "COMPLETE": ended, "SUCCESS": ended, "HEALTHY": health == "healthy"}[condition]
        if condition == "SUCCESS" and ended and state["ExitCode"] != 0:
            log = container.logs(tail=5).decode(errors="replace").strip()
            raise ValueError(f"container {containerName} exited with code {state['ExitCode']}: {log}")
        if condition == "HEALTHY" and (ended or health == "unhealthy"):
            raise ValueError(f"container {containerName} is not healthy")
        if met:
            return
        time.sleep(_POLL)


def _count_when_healthy(engine: Any) -> None:
    """A task counts for its deployment once it is healthy, and one that is not, or no longer, is replaced."""

    def when_healthy(report_stable: Callable[..., None]) -> Callable[..., None]:
        def schedule(cluster: str, service_key: str, account: str, region: str, healthy_task: Any = None) -> None:
            if healthy_task is None:
                report_stable(cluster, service_key, account, region)
                return

            def watch() -> None:
                with request_scope(account, region):
                    health = _Health(engine, healthy_task, ecs._services[service_key])
                    problem = health.problem_at_first()
                    if problem is None:
                        healthy_task["_is_well"] = True
                        report_stable(cluster, service_key, account, region, healthy_task=healthy_task)
                        problem = health.problem_later()
                    if problem and ecs._mark_task_stopped(
                        healthy_task["taskArn"], healthy_task, problem, "ServiceSchedulerInitiated"
                    ):
                        ecs._record_service_task_failure(healthy_task)  # another is started while this one ends
                        ecs._cleanup_task_resources(healthy_task, engine)

            spawn_background(watch, thread_name="health")

        return schedule

    replace(ecs, "_schedule_service_deployment_completion", when_healthy)


class _Health:
    """What the engine and the load balancers say of a task's health."""

    def __init__(self, engine: Any, task: Json, service: Json) -> None:
        self._engine, self._task, self._service = engine, task, service

    def problem_at_first(self) -> str | None:
        """Wait until the task is healthy: why it is not, or None once it is."""
        grace = time.monotonic() + float(self._service.get("healthCheckGracePeriodSeconds") or 120)
        while self._is_active():
            said = self._containers_say()
            if "unhealthy" in said:
                return _UNHEALTHY_CONTAINER
            is_well = self._balancers_find_it_well() is True
            if is_well and said <= {"healthy"}:
                return None
            if not is_well and time.monotonic() > grace:
                return _UNHEALTHY_TARGET
            time.sleep(_POLL)
        return "Task stopped before it was healthy"

    def problem_later(self) -> str | None:
        """Wait until a task that was healthy is not: why, or None when it has been stopped for something else."""
        while self._is_active():
            if "unhealthy" in self._containers_say():
                return _UNHEALTHY_CONTAINER
            if self._balancers_find_it_well() is False:
                return _UNHEALTHY_TARGET
            time.sleep(_POLL_LATER)
        return None

    def _is_active(self) -> bool:
        return bool(ecs._task_is_active(self._task["taskArn"], self._task))

    def _containers_say(self) -> set[str]:
        """What health checks say, of the containers that have one; one that ended is seen by the emulator."""
        states = []
        for identity in [*self._task["_docker_ids"]]:
            with suppress(Exception):  # it has been stopped for something else meanwhile
                states.append(self._engine.containers.get(identity).attrs["State"])
        said = {state["Health"]["Status"] for state in states if "Health" in state and state["Status"] == "running"}
        is_known = {"healthy"} == said or "unhealthy" in said  # else one of them is starting
        self._task["healthStatus"] = ("UNHEALTHY" if "unhealthy" in said else "HEALTHY") if is_known else "UNKNOWN"
        essentials = self._task["_container_essentials"]
        ended = [state["Status"] == "exited" for state in states]
        return said | ({"ended"} if any(map(all, zip(ended, essentials, strict=False))) else set())

    def _balancers_find_it_well(self) -> bool | None:
        """Whether it is well to all; None when one does not know yet, or does not say."""
        groups = [balanced["targetGroupArn"] for balanced in self._service["loadBalancers"]]
        said = [balancer.is_well(group, self._task["_container_ip"]) for group in groups]
        return None if None in said else all(said)


def _that_removes_everything(engine: Any, network: _Network, clean_up: Callable[..., None]) -> Callable[..., None]:
    """Nobody is sent to a task any more before it is stopped, and its network goes with it.

    Those of a task that ended by itself go too; the emulator leaves its containers until it ends itself.
    """

    def remove(task: Json, containers: list[str]) -> None:
        time.sleep(_LOG_SECONDS)
        for container in containers:
            ecs._remove_docker_container(engine, container)
        network.remove(task)

    def clean_up_everything(task: Json, client: Any, *others: Any, **more: Any) -> None:
        containers = list(task.get("_docker_ids") or [])
        if client:
            network.leave()
            clean_up(task, client, *others, **more)
            network.remove(task)
        else:
            clean_up(task, client, *others, **more)
            spawn_background(lambda: remove(task, containers), thread_name="removal")

    return clean_up_everything


def _after_its_time_to_stop(remove: Callable[..., None]) -> Callable[..., None]:
    """A container has the time of its definition to end by itself; the emulator gives it five seconds."""

    def remove_container(engine: Any, container: Any) -> None:
        with suppress(Exception):  # it is gone, or never was there
            found = engine.containers.get(getattr(container, "id", container))
            found.stop(timeout=int(found.labels[_STOP_LABEL]))
        remove(engine, container)

    return remove_container


def _that_is_in_progress(make_deployment: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def deployment(*arguments: Any, **others: Any) -> dict[str, Any]:
        # Nor is an image's digest asked for first: until it is known, no second task would start.
        state = {"rolloutState": "IN_PROGRESS", "rolloutStateReason": "", "_image_resolution_disabled": True}
        return make_deployment(*arguments, **others) | state

    return deployment


def _wait_until_steady() -> None:
    replace(ecs, "_make_deployment", _that_is_in_progress)
    services = handlers("AWS::ECS::Service")
    create, update = services["create"], services["update"]

    def steady(handler: Callable[..., Any], properties: dict[str, Any], *arguments: Any) -> Any:
        result = handler(*arguments)
        _wait_for_deployment(result[0].split(":service/")[1], properties)
        return result

    def create_steady(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
        name = properties.get("ServiceName", f"{stack_name}-{logical_id}")
        service_connect.note(name, properties.get("ServiceConnectConfiguration", {}))
        sessions.note(name, properties)
        return steady(create, properties, logical_id, properties, stack_name)

    def update_steady(identity: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Any:
        service_connect.note(identity.rpartition("/")[2], new.get("ServiceConnectConfiguration", {}))
        return steady(update, new, identity, old, new, stack_name)

    services["create"], services["update"] = create_steady, update_steady
    run_off_the_loop("AWS::ECS::Service")


def _wait_for_deployment(service_key: str, properties: dict[str, Any]) -> None:
    deadline = time.monotonic() + _STEADY_TIMEOUT
    while True:
        service = ecs._services[service_key]
        primary = ecs._primary_deployment(service)
        failed = primary["rolloutState"] == "FAILED" or primary["taskDefinition"] != properties["TaskDefinition"]
        if failed or time.monotonic() > deadline:
            raise ValueError(f"ECS service {service_key} is not steady: {_last_problem(service)}")
        if primary["rolloutState"] == "COMPLETED":
            return
        time.sleep(_POLL)


def _last_problem(service: dict[str, Any]) -> str:
    stopped = [
        task
        for task in ecs._tasks.values()
        if task["group"] == f"service:{service['serviceName']}" and task["lastStatus"] == "STOPPED"
    ]
    if not stopped:
        return "its tasks have not become healthy in time"
    last = max(stopped, key=lambda task: task["stoppedAt"])
    exits = [
        f"{item['name']} exited with code {item['exitCode']}" for item in last["containers"] if item.get("exitCode")
    ]
    return "; ".join([last["stoppedReason"], *exits])
