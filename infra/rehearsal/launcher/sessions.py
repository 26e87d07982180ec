"""Sessions in a task: what the emulator answers is where one leads, for infra/rehearsal/session_plugin.py to go there.

AWS answers with the address of a data channel, and its own plugin talks to the agent at the other end.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from infra.rehearsal.launcher.internals import ecs, error_response_json, json_response, replace, ssm

_FORWARD = "AWS-StartPortForwardingSessionToRemoteHost"
_AGENT = {"name": "ExecuteCommandAgent", "lastStatus": "RUNNING"}
_let_in: dict[str, bool] = {}
Handle = Callable[..., Awaitable[Any]]


def install() -> None:
    """Have ECS open sessions in containers whose task lets it, and Systems Manager through them."""
    replace(ecs, "_attach_started_container", _with_an_agent)
    replace(ecs, "_create_service", _as_noted)
    ecs._ACTION_MAP["ExecuteCommand"] = _execute
    replace(ssm, "handle_request", _that_starts_sessions)


def note(service: str, properties: Mapping[str, Any]) -> None:
    """Note of a service that CloudFormation is about to make whether its tasks let operators in: it drops that."""
    _let_in[service] = bool(properties.get("EnableExecuteCommand"))


def _as_noted(create: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda asked: create({"enableExecuteCommand": _let_in.get(asked["serviceName"], False), **asked})


def _with_an_agent(attach: Callable[..., bool]) -> Callable[..., bool]:
    def attach_with_it(task: dict[str, Any], container: Any, index: int, *others: Any) -> bool:
        attached = attach(task, container, index, *others)
        if attached and task.get("enableExecuteCommand"):
            task["containers"][index]["managedAgents"] = [_AGENT]
        return attached

    return attach_with_it


def _execute(asked: Mapping[str, Any]) -> Any:
    arn = next((arn for arn in ecs._tasks if arn.endswith(asked["task"].rpartition("/")[2])), None)
    containers = ecs._tasks[arn]["containers"] if arn else []
    for one in containers:
        if one["name"] == asked["container"] and one.get("managedAgents"):
            way = {"container": one["runtimeId"], "command": asked["command"]}
            return json_response({"session": _session(way, "sessionId", "streamUrl", "tokenValue")})
    message = "The execute command failed because execute command was not enabled when the task was run."
    return error_response_json("InvalidParameterException", message, 400)


def _that_starts_sessions(handle: Handle) -> Handle:
    async def handle_sessions(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
        if not headers.get("x-amz-target", "").endswith(".StartSession"):
            return await handle(method, path, headers, body, query)
        asked = json.loads(body)
        if asked["DocumentName"] != _FORWARD:
            return error_response_json("InvalidDocument", f"Only {_FORWARD} is emulated.", 400)
        given = {name: values[0] for name, values in asked["Parameters"].items()}
        way = {"container": asked["Target"].rpartition("_")[2], **given}
        return json_response(_session(way, "SessionId", "StreamUrl", "TokenValue"))

    return handle_sessions


def _session(way: Mapping[str, str], identity: str, url: str, token: str) -> dict[str, str]:
    return {identity: "rehearsal", url: json.dumps(way), token: "rehearsal"}
