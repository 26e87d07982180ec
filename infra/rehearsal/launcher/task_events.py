"""ECS tells EventBridge of each task that stopped, and EventBridge writes to log groups.

The emulator's ECS tells nobody, and its EventBridge does not know log groups as targets.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from infra.rehearsal.launcher.internals import cloudwatch_logs, ecs, eventbridge, replace

_LOG_GROUP = ":log-group:"


def install() -> None:
    """Have stopped tasks written down where the stack's rules say."""
    replace(ecs, "_mark_task_stopped", _that_tells)
    replace(eventbridge, "_invoke_target", _that_knows_log_groups)


def _that_tells(stop: Callable[..., bool]) -> Callable[..., bool]:
    def stop_and_tell(task_arn: str, task: dict[str, Any], *others: Any, **named: Any) -> bool:
        stopped = stop(task_arn, task, *others, **named)
        if stopped:
            detail = {key: value for key, value in task.items() if not key.startswith("_")}
            event = {
                "Source": "aws.ecs",
                "DetailType": "ECS Task State Change",
                "Detail": json.dumps(detail, default=_plain),
                "Resources": [task_arn],
            }
            eventbridge._put_events({"Entries": [event]}, allow_aws_source=True)
        return stopped

    return stop_and_tell


def _that_knows_log_groups(invoke: Callable[..., None]) -> Callable[..., None]:
    def invoke_target(target: dict[str, Any], event: dict[str, Any], rule: Any, view: Any = None) -> None:
        group = target["Arn"].partition(_LOG_GROUP)[2]
        if not group:
            invoke(target, event, rule, view)
            return
        shown = view or eventbridge._pattern_event_view(event)
        stream = {"logGroupName": group, "logStreamName": event["EventId"]}
        cloudwatch_logs._create_log_stream(stream)
        cloudwatch_logs._put_log_events(stream | {"logEvents": [{"message": json.dumps(shown.event_with_detail())}]})

    return invoke_target


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
