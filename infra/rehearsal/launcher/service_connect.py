"""Service Connect: an Envoy in the network of each task that has it, as on AWS.

What comes in to a port with a name passes through it, from wherever it comes; and what the task sends to such a name
does. Names are those of services that exist when the task starts, and lead to tasks that are well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.rehearsal.launcher import envoy
from infra.rehearsal.launcher.envoy import Json
from infra.rehearsal.launcher.internals import ecs

_REQUEST_SECONDS, _IDLE_SECONDS = 15, 300  # unless the service says otherwise (ECS API Reference)
_FIRST_INWARD_PORT, _FIRST_OUTWARD_PORT = 15000, 15500  # of the proxy's own
_RETRIES = {
    "retry_on": "connect-failure,refused-stream,retriable-status-codes",
    "retriable_status_codes": [503],
    "num_retries": 2,
    # Another task than the one that failed, where there is one.
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": 5,
}


@dataclass(frozen=True, kw_only=True)
class _Name:
    """A name that leads to a port of a service's tasks, and how long a complete answer and silence may take."""

    service: str
    host: str
    port: int
    mapping: str
    request_seconds: float
    idle_seconds: float


_names: dict[str, list[_Name]] = {}  # by the service that has them
_participants: set[str] = set()  # services with a proxy


def note(service: str, configuration: Json) -> None:
    """Keep a service's ServiceConnectConfiguration, which the emulator drops."""
    if configuration.get("Enabled"):
        _participants.add(service)
    _names[service] = [
        _Name(
            service=service,
            host=alias["DnsName"],
            port=int(alias["Port"]),
            mapping=offered["PortName"],
            request_seconds=_seconds(offered, "PerRequestTimeoutSeconds", _REQUEST_SECONDS),
            idle_seconds=_seconds(offered, "IdleTimeoutSeconds", _IDLE_SECONDS),
        )
        for offered in configuration.get("Services", [])
        for alias in offered.get("ClientAliases", [])
    ]


def has_proxy(service: str) -> bool:
    """Whether the tasks of a service have one."""
    return service in _participants


def hosts() -> dict[str, str]:
    """Return the addresses, in a task's own network, that names have for tasks that start now."""
    return {name.host: _loopback(number) for number, name in enumerate(_all())}


def redirects(service: str, task_definition: Json, reached: Mapping[str, str]) -> dict[envoy.Address, int]:
    """Return where the proxy of a task stands in the way, with its own port for each; `reached` as in `files`."""
    ports = _ports(task_definition)
    offered = sorted({ports[name.mapping] for name in _names.get(service, [])})
    inward = {(envoy.EVERYWHERE, port): _FIRST_INWARD_PORT + number for number, port in enumerate(offered)}
    asked = sorted((reached[name.host], name.port) for name in _all() if name.host in reached)
    return inward | {address: _FIRST_OUTWARD_PORT + number for number, address in enumerate(asked)}


def files(service: str, task_definition: Json, reached: Mapping[str, str]) -> dict[str, str]:
    """Return what the proxy of a task is told; `reached` are the `hosts` of when it started."""
    listeners, clusters, endpoints = [], [], {}
    ports, own_ports = _ports(task_definition), redirects(service, task_definition, reached)
    for name in _names.get(service, []):
        inward, port = f"inward-{ports[name.mapping]}", ports[name.mapping]
        # Nothing is limited in how long it is not used: the application's server decides that.
        clusters.append(envoy.cluster(inward, idle_seconds=0))
        endpoints[inward] = [("127.0.0.1", port)]
        address = (envoy.EVERYWHERE, own_ports[envoy.EVERYWHERE, port])
        listeners.append(envoy.listener(address, [_route(inward, name)], idle_seconds=name.idle_seconds))
    for name in _all():
        if name.host in reached:
            clusters.append(envoy.cluster(name.host, idle_seconds=name.idle_seconds))
            endpoints[name.host] = _tasks(name)
            address = ("127.0.0.1", own_ports[reached[name.host], name.port])
            routes = [_route(name.host, name, retry_policy=_RETRIES)]
            listeners.append(envoy.listener(address, routes, idle_seconds=name.idle_seconds))
    return envoy.files(listeners, clusters, endpoints)


def _route(cluster: str, name: _Name, **more: Any) -> Json:
    return envoy.route(cluster, seconds=name.request_seconds, idle_seconds=name.idle_seconds, **more)


def _all() -> list[_Name]:
    return [name for service in sorted(_names) for name in _names[service]]


def _tasks(name: _Name) -> list[envoy.Address]:
    return [
        (task["_container_ip"], _ports(ecs._task_defs[ecs._resolve_td_key(task["taskDefinitionArn"])])[name.mapping])
        for task in list(ecs._tasks.values())
        if task["group"] == f"service:{name.service}" and task["lastStatus"] == "RUNNING" and task.get("_is_well")
    ]


def _ports(task_definition: Json) -> dict[str, int]:
    return {
        port["name"]: int(port["containerPort"])
        for container in task_definition["containerDefinitions"]
        for port in container.get("portMappings", [])
        if "name" in port
    }


def _seconds(offered: Json, key: str, default: float) -> float:
    return float(offered.get("Timeout", {}).get(key, default))


def _loopback(number: int) -> str:
    return f"127.255.0.{number + 1}"
