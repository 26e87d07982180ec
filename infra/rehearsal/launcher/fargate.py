"""ECS tasks run as Fargate runs them: every setting of the container, in the order they depend on each other, healthy
before they count, under their Service Connect name; and CloudFormation waits until a service is steady.

The emulator by itself starts all containers at once with their image, command and environment only, calls a task
stable a second after it started, and lets CloudFormation go on at once.
"""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from infra.rehearsal.launcher import registry, sign_in, volumes
from infra.rehearsal.launcher.certificates import BUNDLE, Authority
from infra.rehearsal.launcher.database import run_off_the_loop
from infra.rehearsal.launcher.internals import alb, ecs, handlers, replace, request_scope, spawn_background

_SECOND = 1_000_000_000  # Docker's unit of time is the nanosecond
_POLL = 0.25  # seconds
_LOG_SECONDS = 1.0  # in which the last of a container's log is read
_STOP_LABEL = "catalogue.stop-timeout"  # a container's own, in seconds
_BUNDLE = "/etc/ssl/rehearsal.pem"
_STEADY_TIMEOUT = 300.0  # seconds; ECS itself gives up after three hours

# service name: {port mapping name: DNS name}, of ServiceConnectConfiguration, which the emulator drops
_dns_names: dict[str, dict[str, str]] = {}


def install(engine: Any, certificates: Authority) -> None:
    """Replace how the emulator runs the containers of a task."""
    replace(ecs, "_build_run_kwargs", partial(_with_every_setting, certificates))
    replace(ecs, "_run_docker_container", lambda _: _start_in_order)
    replace(
        ecs, "_prepare_service_images", lambda _: lambda *_: None
    )  # it asks the registry that an image is named for
    _count_when_healthy(engine)
    _wait_until_steady()
    replace(ecs, "_cleanup_task_resources", partial(_that_removes_what_has_ended, engine))
    replace(ecs, "_remove_docker_container", _after_its_time_to_stop)


def _with_every_setting(
    certificates: Authority, build_arguments: Callable[..., dict[str, Any]]
) -> Callable[..., dict[str, Any]]:
    def arguments(container: dict[str, Any], task_definition: dict[str, Any], *others: Any) -> dict[str, Any]:
        result = build_arguments(container, task_definition, *others)
        network, task = result["network"], ecs._tasks[result["labels"]["com.amazonaws.ecs.task-arn"]]
        result["labels"] |= container.get("dockerLabels", {}) | {_STOP_LABEL: str(container.get("stopTimeout", 30))}
        result["environment"] = _environment(result["environment"], task)
        result["networking_config"] = {network: {"Aliases": _aliases(task, container)}}
        settings = _settings(container, task_definition)
        settings["volumes"] = [*settings.get("volumes", []), certificates.mounted(BUNDLE, _BUNDLE)]
        settings["extra_hosts"] = dict.fromkeys(
            sign_in.hosts(), urlsplit(result["environment"]["AWS_ENDPOINT_URL"]).hostname
        )
        return result | settings

    return arguments


def _environment(given: dict[str, str], task: dict[str, Any]) -> dict[str, str]:
    """What a container is given as its variables: on ECS the region too, here whom to trust; no TLS to the database."""
    region, account = task["taskArn"].split(":")[3:5]
    # For the task role's: the SDK asks for those only on ECS's own link-local address.
    credentials = {"AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "rehearsal"}
    bridged = {"PGSSLMODE": "disable"} if "PGSSLMODE" in given else {}
    trusting = {"SSL_CERT_FILE": _BUNDLE, "REQUESTS_CA_BUNDLE": _BUNDLE}
    return trusting | given | {"AWS_REGION": region} | credentials | bridged


def _aliases(task: dict[str, Any], container: dict[str, Any]) -> list[str]:
    names = _dns_names.get(task["group"].removeprefix("service:"), {})
    return [names[port["name"]] for port in container.get("portMappings", []) if port.get("name") in names]


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
    """A task takes traffic and counts for its deployment once it is healthy; an unhealthy one is stopped."""
    address = ecs._task_ip

    def when_healthy(report_stable: Callable[..., None]) -> Callable[..., None]:
        def schedule(cluster: str, service_key: str, account: str, region: str, healthy_task: Any = None) -> None:
            if healthy_task is None:
                report_stable(cluster, service_key, account, region)
                return

            def watch() -> None:
                with request_scope(account, region):
                    problem = _health_problem(engine, healthy_task, ecs._services[service_key], address(healthy_task))
                    if problem is None:
                        healthy_task["_takes_traffic"] = True
                        report_stable(cluster, service_key, account, region, healthy_task=healthy_task)
                    elif ecs._mark_task_stopped(
                        healthy_task["taskArn"], healthy_task, problem, "ServiceSchedulerInitiated"
                    ):
                        ecs._cleanup_task_resources(healthy_task, engine)
                        ecs._record_service_task_failure(healthy_task)

            spawn_background(watch, thread_name="health")

        return schedule

    replace(ecs, "_record_task_ip", _of_an_essential_container)
    replace(ecs, "_schedule_service_deployment_completion", when_healthy)
    replace(ecs, "_task_ip", lambda _: lambda task: address(task) if task.get("_takes_traffic") else None)


def _of_an_essential_container(record_address: Callable[..., None]) -> Callable[..., None]:
    def record(task: dict[str, Any], container: Any, network: str) -> None:
        # The address of a task's first container would be that of one that ends before the others start.
        names = [item["name"] for item in task["containers"]]
        if task["_container_essentials"][names.index(container.labels["com.amazonaws.ecs.container-name"])]:
            record_address(task, container, network)

    return record


def _health_problem(engine: Any, task: dict[str, Any], service: dict[str, Any], address: str) -> str | None:
    """Wait until a task is healthy to the engine and to its target groups; why it is not, or None once it is."""
    grace = time.monotonic() + float(service.get("healthCheckGracePeriodSeconds") or 120)
    essentials = task["_container_essentials"]
    while ecs._task_is_active(task["taskArn"], task):
        states = [engine.containers.get(identity).attrs["State"] for identity in task["_docker_ids"]]
        if any(state["Status"] == "exited" and essential for state, essential in zip(states, essentials, strict=False)):
            time.sleep(_POLL)  # it is about to be stopped for that
            continue
        health = [state["Health"]["Status"] for state in states if "Health" in state]
        task["healthStatus"] = "UNHEALTHY" if "unhealthy" in health else "HEALTHY" if health else "UNKNOWN"
        if "unhealthy" in health:
            return "Task failed container health checks"
        answers = all(_target_answers(balanced, address) for balanced in service["loadBalancers"])
        if answers and all(status == "healthy" for status in health):
            return None
        if not answers and time.monotonic() > grace:
            return "Task failed ELB health checks"
        time.sleep(_POLL)
    return "Task stopped before it was healthy"


def _target_answers(balanced: dict[str, Any], address: str) -> bool:
    group = alb._tgs[balanced["targetGroupArn"]]
    url = f"http://{address}:{balanced['containerPort']}{group.get('HealthCheckPath', '/')}"
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _that_removes_what_has_ended(engine: Any, clean_up: Callable[..., None]) -> Callable[..., None]:
    """The containers of a task that ended by itself go too; the emulator leaves them until it ends itself."""

    def remove(containers: list[str]) -> None:
        time.sleep(_LOG_SECONDS)
        for container in containers:
            ecs._remove_docker_container(engine, container)

    def clean_up_everything(task: dict[str, Any], client: Any, *others: Any, **more: Any) -> None:
        containers = [] if client else list(task["_docker_ids"])
        clean_up(task, client, *others, **more)
        if containers:
            spawn_background(lambda: remove(containers), thread_name="removal")

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
        _dns_names[name] = {
            connected["PortName"]: alias["DnsName"]
            for connected in properties.get("ServiceConnectConfiguration", {}).get("Services", [])
            for alias in connected.get("ClientAliases", [])
        }
        return steady(create, properties, logical_id, properties, stack_name)

    def update_steady(identity: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Any:
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
