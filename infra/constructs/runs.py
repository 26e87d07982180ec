"""The state machine of a task that runs by the clock, in Amazon States Language: one run, from its start to its end."""

from typing import Any

from aws_cdk import Aws

# What ECS answers when it has no room or cannot for a moment: nothing has run yet.
_NOT_STARTED = ("ECS.AmazonECSException", "AmazonECS.Unknown", "ECS.ServerException", "ECS.ThrottlingException")
_STARTS = 3
_PAUSE_SECONDS = 60

_State = dict[str, Any]


def definition(
    *, task: _State, cluster: str, family: str, retries: int, timeout_seconds: int, may_overlap: bool
) -> dict[str, Any]:
    """Return the state machine that runs the `task` (parameters of RunTask) once, and stops it when it takes too long.

    Unless runs `may_overlap`, one that finds another task of the `family` running is left out.
    """
    run = {
        "Type": "Task",
        "Resource": _ecs("ecs:runTask.sync"),
        "Parameters": {**task, "Cluster": cluster, "StartedBy.$": "$$.Execution.Name"},
        "TimeoutSeconds": timeout_seconds,
        "Retry": [_retry(_NOT_STARTED, _STARTS), *([_retry(("States.TaskFailed",), retries)] if retries else [])],
        "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "Late"}],
        "End": True,
    }
    look = {
        "Look": _list_tasks("Is the run before still going on?", {"Cluster": cluster, "Family": family}, "Decide"),
        "Decide": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.TaskArns[0]", "IsPresent": True, "Next": "LeftOut"}],
            "Default": "Run",
        },
        "LeftOut": {"Type": "Succeed", "Comment": "The run before is still going on"},
    }
    late = {
        "Late": _list_tasks("It took too long", {"Cluster": cluster, "StartedBy.$": "$$.Execution.Name"}, "Stop"),
        "Stop": {
            "Type": "Map",
            "ItemsPath": "$.TaskArns",
            "ItemProcessor": {
                "StartAt": "StopTask",
                "States": {
                    "StopTask": {
                        "Type": "Task",
                        "Resource": _ecs("aws-sdk:ecs:stopTask"),
                        "Parameters": {"Cluster": cluster, "Task.$": "$", "Reason": f"Longer than {timeout_seconds} s"},
                        "End": True,
                    }
                },
            },
            "Next": "TookTooLong",
        },
        "TookTooLong": {"Type": "Fail", "Error": "TookTooLong", "Cause": f"It took longer than {timeout_seconds} s"},
    }
    return {
        "Comment": f"One run of {family}, from its start to its end",
        "StartAt": "Run" if may_overlap else "Look",
        "States": {**({} if may_overlap else look), "Run": run, **late},
    }


def _list_tasks(comment: str, parameters: _State, then: str) -> _State:
    return {
        "Type": "Task",
        "Comment": comment,
        "Resource": _ecs("aws-sdk:ecs:listTasks"),
        "Parameters": {**parameters, "DesiredStatus": "RUNNING"},
        "Next": then,
    }


def _retry(errors: tuple[str, ...], attempts: int) -> _State:
    return {"ErrorEquals": list(errors), "MaxAttempts": attempts, "IntervalSeconds": _PAUSE_SECONDS, "BackoffRate": 2}


def _ecs(integration: str) -> str:
    return f"arn:{Aws.PARTITION}:states:::{integration}"
