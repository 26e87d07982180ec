"""The only door to the emulator: its modules, and how their private parts are replaced.

ministack is pinned by hash in the locks, so its internals are used by name. What the rest of this package uses of the
modules below, `tests/infra/rehearsal/test_launcher.py` looks for; a new release that lacks some of it fails there.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from ministack import app
from ministack.core import container_reaper, router
from ministack.core.concurrency import spawn_background
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, request_scope
from ministack.services import (
    alb,
    cloudfront,
    cloudwatch_logs,
    cognito,
    ec2,
    ecr,
    ecs,
    efs,
    eventbridge,
    rds,
    secretsmanager,
    ssm,
    waf,
)
from ministack.services.cloudformation import provisioners, stacks

__all__ = [
    "add_type",
    "alb",
    "app",
    "cloudfront",
    "cloudwatch_logs",
    "cognito",
    "container_reaper",
    "ec2",
    "ecr",
    "ecs",
    "efs",
    "error_response_json",
    "eventbridge",
    "get_account_id",
    "get_region",
    "handlers",
    "json_response",
    "provisioners",
    "rds",
    "replace",
    "request_scope",
    "router",
    "secretsmanager",
    "spawn_background",
    "ssm",
    "stacks",
    "waf",
]


def replace(module: ModuleType, name: str, wrap: Callable[[Any], Any]) -> None:
    """Put what `wrap` makes of the function `name` of a module in its place.

    Raises:
        LookupError: the module has no such function any more, so nobody would call the new one.
    """
    if not hasattr(module, name):
        raise LookupError(
            f"{module.__name__} has no {name} any more: the emulator is another than this was written for"
        )
    setattr(module, name, wrap(getattr(module, name)))


def handlers(resource_type: str) -> dict[str, Any]:
    """Return what makes, updates and deletes the resources of a CloudFormation type; to be changed in place.

    Raises:
        LookupError: the emulator does not know the type.
    """
    known: dict[str, dict[str, Any]] = provisioners._RESOURCE_HANDLERS
    if resource_type not in known:
        raise LookupError(f"the emulator's CloudFormation does not know {resource_type}")
    return known[resource_type]


def add_type(resource_type: str, made_by: dict[str, Any]) -> None:
    """Let CloudFormation know a type, whether the emulator does by itself or not."""
    provisioners._RESOURCE_HANDLERS[resource_type] = made_by
