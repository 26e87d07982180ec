"""CloudFront passes requests on to an origin in the VPC, as the distribution and that origin's own settings say.

The emulator serves a distribution, but does not know of such origins in CloudFormation, nor look at their settings, and
it reads an answer as a whole before it passes it on. Its own rules on headers are what is used here.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace as replaced
from functools import partial
from typing import Any, ClassVar
from uuid import uuid4

from infra.rehearsal.launcher import balancer
from infra.rehearsal.launcher.edge import Answer, Onward, Scope
from infra.rehearsal.launcher.internals import app, cloudfront, get_account_id, replace

_ERROR = "Error from cloudfront"
_KEPT_STATUSES = (404, 414, 500, 501, 502, 503, 504)
_ERROR_SECONDS = 10.0


def install() -> None:
    """Have requests follow the settings of a VPC origin."""
    replace(cloudfront, "_dataplane_origin", _with_settings_of_vpc_origin)


def onward(scope: Scope, headers: Mapping[str, str]) -> Onward | Answer | None:
    """Return where a viewer's request goes, or what it is answered; None when no distribution has its host's name.

    No function runs: there is no JavaScript here.
    """
    label = app._parse_cloudfront_dataplane_host(headers.get("host", ""))
    distribution = label and cloudfront.find_distribution_for_label(label)
    if not distribution:
        return None
    config = cloudfront.parse_distribution_dataplane_config(distribution)
    behavior = cloudfront._match_behavior(config, scope["path"])
    method, path = scope.get("method", "GET"), scope["raw_path"].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    is_https = scope["scheme"] in ("https", "wss") or headers.get("x-forwarded-proto") == "https"
    refusal = (
        cloudfront._check_stacked_distribution(headers)
        or cloudfront._check_viewer_protocol_policy(behavior, method, is_https, path, query, headers)
        or cloudfront._check_allowed_methods(behavior, method)
    )
    if refusal:
        return Answer(*refusal)
    errors = _ErrorCache(distribution, method, path)
    if kept := errors.find():
        return kept
    origin = config["origins"][behavior["target_origin_id"]]
    client = scope["client"][0]
    forwarded = cloudfront._origin_request_headers(
        origin, _forwarded(behavior, headers), client, headers.get("x-forwarded-for", "")
    )
    if "content-length" in headers:
        forwarded["content-length"] = headers["content-length"]
    behind = cloudfront._registered_alb(origin)
    address = behind and balancer.address(behind)
    if not address:
        return Answer(*cloudfront._cf_error_response(502, "The request could not be satisfied.", _ERROR))
    return Onward(
        url=f"http://{address}:{origin['http_port']}{path}{'?' if query else ''}{query}",
        headers=forwarded,
        idle_seconds=origin["read_timeout"],
        amend=partial(_amended, behavior, headers.get("origin", ""), method),
        kept=errors.statuses,
        keep=errors.keep,
    )


class _ErrorCache:
    """The errors that CloudFront answers again for a while, whatever the cache policy says.

    For ten seconds, unless the distribution says otherwise of a status (Amazon CloudFront Developer Guide, "How
    CloudFront caches HTTP 4xx and 5xx status codes"). Two requests are the same when their paths are: the policy has
    nothing else in its key.
    """

    _kept: ClassVar[dict[tuple[str, str, str], tuple[float, float, Answer]]] = {}

    def __init__(self, distribution: dict[str, Any], method: str, path: str) -> None:
        self._key = (distribution["Id"], method, path)
        seconds = dict.fromkeys(_KEPT_STATUSES, _ERROR_SECONDS) | _error_ttls(distribution)
        self._seconds = {status: ttl for status, ttl in seconds.items() if ttl > 0 and method in ("GET", "HEAD")}

    @property
    def statuses(self) -> Collection[int]:
        """Those of answers that are kept."""
        return self._seconds.keys()

    def find(self) -> Answer | None:
        """Return the answer that was kept of the same request, if it still counts."""
        now = time.monotonic()
        for key, (_at, until, _answer) in list(self._kept.items()):
            if until <= now:
                del self._kept[key]
        if self._key not in self._kept:
            return None
        at, _until, answer = self._kept[self._key]
        return replaced(answer, headers={**answer.headers, "x-cache": _ERROR, "age": str(int(now - at))})

    def keep(self, answer: Answer) -> None:
        """Answer the same request so for as long as the status says."""
        now = time.monotonic()
        self._kept[self._key] = (now, now + self._seconds[answer.status], answer)


def _error_ttls(distribution: dict[str, Any]) -> dict[int, float]:
    """How long the distribution says that errors are kept, in seconds by status."""
    responses = cloudfront._find(cloudfront._dist_config_el(distribution), "CustomErrorResponses")
    items = [] if responses is None else cloudfront._find(responses, "Items")
    return {
        int(cloudfront._text(item, "ErrorCode")): float(cloudfront._text(item, "ErrorCachingMinTTL") or _ERROR_SECONDS)
        for item in ([] if items is None else items)
    }


def _forwarded(behavior: dict[str, Any], headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that the behavior's policies let through, and those that always are."""
    allowed, cookie_allowed, _query_allowed = cloudfront._forwarding_predicates(behavior)
    kept = {
        name: value
        for name, value in headers.items()
        if allowed(name) or name in cloudfront._ALWAYS_FORWARD_REQUEST_HEADERS
    }
    cookies = cloudfront._event_cookies_from_header(headers.get("cookie", ""))
    kept["cookie"] = "; ".join(f"{name}={cookie['value']}" for name, cookie in cookies.items() if cookie_allowed(name))
    return {"user-agent": "Amazon CloudFront"} | {name: value for name, value in kept.items() if value}


def _amended(
    behavior: dict[str, Any], origin: str, method: str, status: int, headers: dict[str, list[str]]
) -> Mapping[str, str | list[str]]:
    policy = cloudfront.response_headers_policy_config(behavior.get("response_headers_policy_id"))
    amended = cloudfront._apply_response_headers_policy(headers, policy, origin, method)
    found = "Miss from cloudfront" if status < 400 else _ERROR
    result: dict[str, str | list[str]] = cloudfront._add_cloudfront_headers(amended, found)
    return result


def _with_settings_of_vpc_origin(read_origin: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def origin(element: Any) -> dict[str, Any]:
        settings = read_origin(element)
        in_vpc = cloudfront._find(element, "VpcOriginConfig")
        if in_vpc is None:
            return settings
        endpoint = cloudfront._vpc_origins[cloudfront._text(in_vpc, "VpcOriginId")]["VpcOriginEndpointConfig"]
        return settings | {
            "protocol_policy": endpoint["OriginProtocolPolicy"],
            "http_port": int(endpoint.get("HTTPPort", 80)),
            "https_port": int(endpoint.get("HTTPSPort", 443)),
            "read_timeout": int(cloudfront._text(in_vpc, "OriginReadTimeout") or 30),
        }

    return origin


def create(_logical_id: str, properties: dict[str, Any], _stack_name: str) -> tuple[str, dict[str, Any]]:
    """Make the origin that CloudFormation asks for."""
    identity = f"vo_{uuid4().hex[:22]}"
    arn = f"arn:aws:cloudfront::{get_account_id()}:vpcorigin/{identity}"
    cloudfront._vpc_origins[identity] = {"Id": identity, "Arn": arn, "Status": "Deployed", "Version": 2, **properties}
    return identity, {"Id": identity, "Arn": arn}


def delete(identity: str, _properties: dict[str, Any]) -> None:
    """Remove it."""
    cloudfront._vpc_origins.pop(identity, None)
