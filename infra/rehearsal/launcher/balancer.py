"""An application load balancer is an Envoy with a network interface of its own, told what the balancer's settings say.

It asks targets whether they are well, keeps browsers with their target, passes WebSockets, and ends what is silent.
"""

import json
import re
import urllib.request
from collections.abc import Sequence
from typing import Any

from infra.rehearsal.launcher import envoy
from infra.rehearsal.launcher.envoy import Json
from infra.rehearsal.launcher.interfaces import Interface, Interfaces
from infra.rehearsal.launcher.internals import alb, handlers

_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
_HEALTH_SECONDS = 1  # at the most between two questions: time passes faster here
_EXTENSIONS = "type.googleapis.com/envoy.extensions"
_STICKY = "envoy.filters.http.stateful_session"
_STICKY_TYPE = f"{_EXTENSIONS}.filters.http.stateful_session.v3"
_CLIENT_KEEP_ALIVE_SECONDS = 3600
_METHODS = "GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH"

_interfaces: dict[str, Interface] = {}  # by the balancer's ARN


def install(interfaces: Interfaces) -> None:
    """Have one start and end with each load balancer of CloudFormation's."""
    balancers = handlers(_BALANCER)
    create_record, delete_record = balancers["create"], balancers["delete"]

    def create(*arguments: Any) -> Any:
        arn, attributes = create_record(*arguments)
        _interfaces[arn] = interfaces.create(
            alb._lbs[arn]["SecurityGroups"], command=envoy.COMMAND, files=lambda: files(arn)
        )
        return arn, attributes

    def delete(arn: str, *others: Any) -> None:
        delete_record(arn, *others)
        if arn in _interfaces:
            interfaces.remove(_interfaces.pop(arn))

    balancers["create"], balancers["delete"] = create, delete


def address(balancer: Json) -> str | None:
    """Return the address of a load balancer, None where nothing runs in its place."""
    interface = _interfaces.get(balancer["LoadBalancerArn"])
    return interface.address if interface else None


def files(arn: str) -> dict[str, str]:
    """Return what the Envoy in the place of a load balancer is told."""
    idle = float(alb._lb_attr(arn, "idle_timeout.timeout_seconds", 60))
    groups = _groups(arn)
    targets = {name: [(target["Id"], int(target["Port"])) for target in alb._targets.get(name, [])] for name in groups}
    clusters = [_cluster(alb._tgs[name], idle) for name in groups]
    return envoy.files([_listener(one, idle) for one in _listeners(arn)], clusters, targets)


def is_well(target_group: str, target: str) -> bool | None:
    """Whether every load balancer that knows a target of a target group finds it well; None when one does not say."""
    asking = [_health(one, target_group, target) for arn, one in _interfaces.items() if target_group in _groups(arn)]
    return None if None in asking else all(asking)


def _health(interface: Interface, target_group: str, target: str) -> bool | None:
    url = f"http://{interface.address}:{envoy.ADMIN_PORT}/clusters?format=json"
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            clusters = json.load(response).get("cluster_statuses", [])
    except OSError:
        return None
    for cluster in clusters:
        if cluster["name"] == target_group:
            for host in cluster.get("host_statuses", []):
                if host["address"]["socket_address"]["address"] == target:
                    return "failed_active_health_check" not in host["health_status"]
    return None


def _listeners(arn: str) -> list[Json]:
    return [one for one in alb._listeners.values() if one["LoadBalancerArn"] == arn]


def _rules(listener: Json) -> list[Json]:
    rules = [one for one in alb._rules.values() if one["ListenerArn"] == listener["ListenerArn"]]
    return sorted(rules, key=alb._rule_sort_key)


def _groups(arn: str) -> list[str]:
    actions = [
        action
        for listener in _listeners(arn)
        for source in (listener["DefaultActions"], *(rule["Actions"] for rule in _rules(listener)))
        for action in source
    ]
    found = {action["TargetGroupArn"] for action in actions if action.get("TargetGroupArn") in alb._tgs}
    return sorted(found)


def _listener(listener: Json, idle: float) -> Json:
    arn, port = listener["LoadBalancerArn"], int(listener["Port"])
    routes = [_route(rule["Actions"], _match(rule), idle) for rule in _rules(listener) if not rule.get("IsDefault")]
    routes.append(_route(listener["DefaultActions"], {"prefix": "/"}, idle))
    drops = alb._lb_attr(arn, "routing.http.drop_invalid_header_fields.enabled", "false") == "true"
    protocol = {
        "idle_timeout": f"{_CLIENT_KEEP_ALIVE_SECONDS}s",
        "headers_with_underscores_action": "DROP_HEADER" if drops else "ALLOW",
    }
    more = {
        "common_http_protocol_options": protocol,
        "max_request_headers_kb": 64,
        "use_remote_address": True,
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "local_reply_config": {"mappers": [_says(502, "UF", "UC", "UPE"), _says(504, "SI", "UT")]},
    }
    made = envoy.listener((envoy.EVERYWHERE, port), routes, idle_seconds=idle, more=more, filters=[_sticky()])
    manager = made["filter_chains"][0]["filters"][0]["typed_config"]
    manager["route_config"]["request_headers_to_add"] = [
        _header("x-forwarded-port", str(port)),
        _header("x-amzn-trace-id", "Root=1-%START_TIME(%s)%-%STREAM_ID%", "ADD_IF_ABSENT"),
    ]
    if listener["Protocol"] == "HTTPS":  # its TLS has ended before
        manager["scheme_header_transformation"] = {"scheme_to_overwrite": "https"}
    return made


def _route(actions: Sequence[Json], match: Json, idle: float) -> Json:
    action = actions[-1]
    kind = action["Type"]
    if kind == "fixed-response":
        config = action["FixedResponseConfig"]
        body = {"inline_string": config.get("MessageBody", "")}
        return {"match": match, "direct_response": {"status": int(config["StatusCode"]), "body": body}}
    if kind == "redirect":
        return {"match": match, "redirect": {"https_redirect": True}}
    group = action["TargetGroupArn"]
    sticky = _attribute(group, "stickiness.enabled") == "true"
    made = envoy.route(group, seconds=0, idle_seconds=idle, match=match)
    made["typed_per_filter_config"] = {
        _STICKY: {"@type": f"{_STICKY_TYPE}.StatefulSessionPerRoute", "disabled": True}
        if not sticky
        else {
            "@type": f"{_STICKY_TYPE}.StatefulSessionPerRoute",
            "stateful_session": _session(_attribute(group, "stickiness.lb_cookie.duration_seconds") or "86400"),
        }
    }
    return made


def _match(rule: Json) -> Json:
    patterns = [value for one in rule["Conditions"] if one["Field"] == "path-pattern" for value in _values(one)]
    wild = "|".join(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".") for pattern in patterns)
    return {"safe_regex": {"regex": f"(?:{wild or '.*'})"}}


def _values(condition: Json) -> list[str]:
    values: list[str] = condition.get("Values") or condition.get("PathPatternConfig", {}).get("Values", [])
    return values


def _cluster(group: Json, idle: float) -> Json:
    interval = int(group.get("HealthCheckIntervalSeconds", 30))
    seconds = min(interval, _HEALTH_SECONDS)
    codes = str(group.get("Matcher", {}).get("HttpCode", "200"))
    expected = [
        {"start": int(first), "end": int(last or first) + 1}
        for first, _, last in (part.partition("-") for part in codes.split(","))
    ]
    check = {
        "interval": f"{seconds}s",
        "no_traffic_interval": f"{seconds}s",
        "unhealthy_interval": f"{seconds}s",
        "timeout": f"{group.get('HealthCheckTimeoutSeconds', 5)}s",
        "healthy_threshold": int(group.get("HealthyThresholdCount", 5)),
        # No sooner than on AWS, though: it may be found out by the container's own check before.
        "unhealthy_threshold": int(group.get("UnhealthyThresholdCount", 2)) * interval // seconds,
        "http_health_check": {
            "path": group.get("HealthCheckPath", "/"),
            "expected_statuses": expected,
            "request_headers_to_add": [_header("user-agent", "ELB-HealthChecker/2.0")],
        },
    }
    return envoy.cluster(
        group["TargetGroupArn"],
        idle_seconds=idle,
        health_checks=[check],
        ignore_health_on_host_removal=True,
        common_lb_config={"healthy_panic_threshold": {"value": 1}},  # none is well: all are asked, as on AWS
    )


def _sticky() -> Json:
    kind = {"@type": f"{_STICKY_TYPE}.StatefulSession", **_session("86400")}
    return {"name": _STICKY, "typed_config": kind}


def _session(seconds: str) -> Json:
    state = {
        "@type": f"{_EXTENSIONS}.http.stateful_session.cookie.v3.CookieBasedSessionState",
        "cookie": {"name": "AWSALB", "path": "/", "ttl": f"{seconds}s"},
    }
    return {"session_state": {"name": "envoy.http.stateful_session.cookie", "typed_config": state}}


def _attribute(group: str, key: str) -> str | None:
    return next((one["Value"] for one in alb._tg_attrs.get(group, []) if one["Key"] == key), None)


def _says(status: int, *flags: str) -> Json:
    """What is said in place of Envoy's own answer: the status that a load balancer has for it."""
    return {"filter": {"response_flag_filter": {"flags": list(flags)}}, "status_code": status}


def _header(name: str, value: str, action: str = "OVERWRITE_IF_EXISTS_OR_ADD") -> Json:
    return {"header": {"key": name, "value": value}, "append_action": action}
