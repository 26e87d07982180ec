"""Configuration of Envoy, which is Service Connect's proxy on AWS too, and plays the load balancer here.

Each is told by files what it listens on, where that leads, and who is there, and takes a change of them in its stride:
what is under way goes on.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FOLDER = "/etc/rehearsal"
_BOOTSTRAP = f"{FOLDER}/envoy.json"
EVERYWHERE = "0.0.0.0"  # noqa: S104 (in a network of its own)
COMMAND = f"exec envoy --config-path {_BOOTSTRAP} --concurrency 1 --log-level error --disable-hot-restart"
ADMIN_PORT = 9901

Json = dict[str, Any]
Address = tuple[str, int]

_CONNECT_SECONDS = 10
_TYPES = "type.googleapis.com/envoy"
_EXTENSIONS = f"{_TYPES}.extensions"
_PROTOCOL = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_BREAKERS, _MANY = ("max_connections", "max_pending_requests", "max_requests", "max_retries"), 2**31 - 1
_LISTENERS, _CLUSTERS = f"{FOLDER}/listeners.json", f"{FOLDER}/clusters.json"


def _bootstrap() -> dict[str, str]:
    """Return the file that it is started with."""
    text = json.dumps(
        {
            "node": {"id": "rehearsal", "cluster": "rehearsal"},
            "admin": {"address": _socket(EVERYWHERE, ADMIN_PORT)},
            "dynamic_resources": {
                "lds_config": _in(_LISTENERS),
                "cds_config": _in(_CLUSTERS),
            },
        }
    )
    return {_BOOTSTRAP: text}


def files(
    listeners: Sequence[Json], clusters: Sequence[Json], endpoints: Mapping[str, Iterable[Address]]
) -> dict[str, str]:
    """Return the files by which it is told what to do, what is referred to first; `endpoints` by the cluster's name."""
    return {
        **_bootstrap(),
        **{_endpoints(name): _resources(_assignment(name, addresses)) for name, addresses in endpoints.items()},
        _CLUSTERS: _resources(*clusters),
        _LISTENERS: _resources(*listeners),
    }


def listener(
    address: Address,
    routes: Sequence[Json],
    *,
    idle_seconds: float,
    more: Json | None = None,
    filters: Sequence[Json] = (),
) -> Json:
    """Return what listens for HTTP, and ends a stream on which neither side says anything for so long.

    `more` is further options of the connection manager; `filters` come before the one that routes.
    """
    manager = {
        "@type": f"{_EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "http",
        "generate_request_id": False,
        "server_header_transformation": "PASS_THROUGH",
        "stream_idle_timeout": f"{idle_seconds}s",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": list(routes)}]},
        "http_filters": [*filters, _router()],
        **(more or {}),
    }
    return {
        "@type": f"{_TYPES}.config.listener.v3.Listener",
        "name": f"{address[0]}:{address[1]}",
        "address": _socket(*address),
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


def route(cluster: str, *, seconds: float, idle_seconds: float, match: Json | None = None, **more: Any) -> Json:
    """Return a route: a complete answer takes `seconds` at most, 0 for no limit; `more` is further options."""
    action = {"cluster": cluster, "timeout": f"{seconds}s", "idle_timeout": f"{idle_seconds}s", **more}
    return {"match": match or {"prefix": "/"}, "route": action}


def cluster(name: str, *, idle_seconds: float, **more: Any) -> Json:
    """Return a group of endpoints; a connection that is not used is kept so long. `more` is further options."""
    protocol = {
        "@type": f"type.googleapis.com/{_PROTOCOL}",
        "common_http_protocol_options": {"idle_timeout": f"{idle_seconds}s"},
        "explicit_http_config": {"http_protocol_options": {}},
    }
    return {
        "@type": f"{_TYPES}.config.cluster.v3.Cluster",
        "name": name,
        "connect_timeout": f"{_CONNECT_SECONDS}s",
        "circuit_breakers": {"thresholds": [dict.fromkeys(_BREAKERS, _MANY)]},  # of its own it would have 1024
        "type": "EDS",
        "eds_cluster_config": {"eds_config": _in(_endpoints(name))},
        "typed_extension_protocol_options": {_PROTOCOL: protocol},
        **more,
    }


def _assignment(name: str, addresses: Iterable[Address]) -> Json:
    endpoints = [
        {
            "endpoint": {
                "address": _socket(*address),
                "health_check_config": {"hostname": f"{address[0]}:{address[1]}"},  # it would ask for the cluster
            }
        }
        for address in sorted(addresses)
    ]
    return {
        "@type": f"{_TYPES}.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": name,
        "endpoints": [{"lb_endpoints": endpoints}],
    }


def _endpoints(cluster: str) -> str:
    return f"{FOLDER}/endpoints-{re.sub(r'[^A-Za-z0-9]', '-', cluster)}.json"


def _in(file: str) -> Json:
    return {"path_config_source": {"path": file, "watched_directory": {"path": FOLDER}}}


def _resources(*resources: Json) -> str:
    return json.dumps({"resources": resources})


def _router() -> Json:
    kind = f"{_EXTENSIONS}.filters.http.router.v3.Router"
    return {"name": "envoy.filters.http.router", "typed_config": {"@type": kind, "suppress_envoy_headers": True}}


def _socket(address: str, port: int) -> Json:
    return {"socket_address": {"address": address, "port_value": port}}
