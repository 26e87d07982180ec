"""Application Auto Scaling, which the emulator lacks: it keeps what it is told, and scales nothing by itself."""

import json
from collections.abc import Mapping
from typing import Any

from infra.rehearsal.launcher.internals import app, router

_NAME, _TARGET = "application-autoscaling", "AnyScaleFrontendService"

_targets: dict[str, dict[str, Any]] = {}


def install() -> None:
    """Answer its requests."""
    router.SERVICE_PATTERNS[_NAME] = {"target_prefixes": [_TARGET], "host_patterns": [r"application-autoscaling\."]}
    app.SERVICE_HANDLERS[_NAME] = _handle


async def _handle(
    _method: str, _path: str, headers: Mapping[str, str], body: bytes, _query: Mapping[str, Any]
) -> tuple[int, dict[str, str], bytes]:
    said = json.loads(body or b"{}")
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    match action:
        case "RegisterScalableTarget":
            _targets[said["ResourceId"]] = {**_targets.get(said["ResourceId"], {}), **said}
            return _answer({})
        case "DescribeScalableTargets":
            wanted = said.get("ResourceIds") or list(_targets)
            return _answer({"ScalableTargets": [_targets[name] for name in wanted if name in _targets]})
    return _answer({"__type": "ValidationException", "message": f"the rehearsal has no {action}"}, 400)


def _answer(content: Mapping[str, Any], status: int = 200) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(content).encode()
