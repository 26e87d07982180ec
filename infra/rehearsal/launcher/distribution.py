"""CloudFront passes requests on to an origin in the VPC, as that origin's own settings say.

The emulator serves a distribution, but does not know of such origins in CloudFormation, nor look at their settings.
"""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from infra.rehearsal.launcher.internals import cloudfront, cloudfront_js, get_account_id, replace


def install() -> None:
    """Have requests follow the settings of a VPC origin, and pass a function, for which there is no JavaScript here."""
    replace(cloudfront, "_dataplane_origin", _with_settings_of_vpc_origin)
    replace(cloudfront_js, "evaluate", lambda _: lambda _code, event: event["request"])


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
