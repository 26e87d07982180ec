"""Environments of pull requests (cdk.json: context.preview): called after a number, cheap, and gone by themselves."""

import copy
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.plan.instance_classes import MEMORY_GIB

EXPIRES = "expires"
"""The tag of a preview's stack that says until when it is there, …"""

EXPIRES_FORMAT = "%Y-%m-%dT%H:%MZ"
"""… as `strftime` writes it, in UTC."""

_NAME = re.compile(r"pr-[1-9][0-9]{0,6}")

# What is cheaper than any environment that is to last; docs/pipeline.md says what it comes to.
_CHEAPEST: Mapping[str, Mapping[str, Any]] = {
    "services": {"min_tasks": 1, "max_tasks": 1, "spot_percent": 100, "asleep": None},
    "network": {"nat_gateways": 0},
    "monitoring": {"container_insights": "disabled", "log_retention_days": 1, "traffic_logs": False, "notify": []},
    "database": {
        "multi_az": False,
        "storage_gb": 20,
        "max_storage_gb": 22,
        "backup_retention_days": 1,
        "own_key": False,
        "insights": False,
        "snapshot_identifier": None,
    },
}


# What a larger class gives way to: the cheapest that has the memory for signing in by IAM (iam_sign_in.py).
_INSTANCE_CLASS = "db.t4g.small"


class PreviewError(ValueError):
    """There is no such environment; the message says why."""


class Seed(BaseModel):
    """What fills a preview: a command that is run once in a task like a service's, and does no harm when run again."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    service: str  # of the compose file, whose image, variables and role in the database it has
    command: Annotated[list[str], Field(min_length=1)]


class PreviewSettings(BaseModel):
    """`context.preview` of cdk.json."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    enabled: bool
    like: str  # the environment whose settings it begins with
    hours: Annotated[int, Field(ge=1, le=168)]  # from its last deployment to its end
    limit: Annotated[int, Field(ge=1, le=20)]  # how many there are at a time
    seed: Seed | None = None  # without it, a preview is empty


def is_preview(name: object) -> bool:
    """Say whether an environment is called as a pull request's are, such as pr-12."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def preview_settings(said: object) -> PreviewSettings:
    """Return the settings; raise `PreviewError` when there are none, or they make no sense."""
    try:
        return PreviewSettings.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(["cdk.json: context.preview", *map(str, first["loc"])])
        raise PreviewError(f"{path}: {first['msg']}; not {first['input']!r}") from None


def with_preview(name: object, context: Mapping[str, Any]) -> Any:
    """Return the environments of cdk.json; where `name` is a pull request's and they are enabled, that one too."""
    environments = context.get("environments")
    if not is_preview(name) or not isinstance(environments, Mapping) or name in environments:
        return environments
    settings = preview_settings(context.get("preview"))
    like = environments.get(settings.like)
    if not settings.enabled or not isinstance(like, Mapping):
        return environments
    made: dict[str, Any] = copy.deepcopy({**like, "deletion_protection": False, "web_acl": False})
    for section, values in _CHEAPEST.items():
        made[section] = {**made.get(section, {}), **values}
    if MEMORY_GIB.get(made["database"].get("instance_class"), 0) > MEMORY_GIB[_INSTANCE_CLASS]:
        made["database"]["instance_class"] = _INSTANCE_CLASS
    return {**environments, str(name): made}
