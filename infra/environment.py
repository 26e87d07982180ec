"""The settings of one environment (cdk.json: context.environments), typed, and checked before anything is built."""

import difflib
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, collapse_addresses
from typing import Annotated, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

_ANYWHERE = IPv4Network("0.0.0.0/0")

# Instance classes of RDS for PostgreSQL: burstable, general purpose, memory optimised; the last three generations.
_BURSTABLE = [
    f"db.{family}.{size}" for family in ("t3", "t4g") for size in ("micro", "small", "medium", "large", "xlarge")
]
_INSTANCE_CLASSES = _BURSTABLE + [
    f"db.{family}.{size}"
    for family in ("m6g", "m6i", "m7g", "m7i", "m8g", "r6g", "r6i", "r7g", "r7i", "r8g")
    for size in ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
]


class SettingsError(ValueError):
    """Settings that make no sense; `problems` says where and why, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Public(_Settings):
    """Who may send requests to the load balancer."""

    open_to_the_internet: bool
    """true: everybody; said by name, so that nobody is exposed by leaving something out."""

    allowed_cidrs: Annotated[tuple[str, ...], Field(strict=False, max_length=50)]
    """Otherwise these IPv4 ranges (a security group takes 60 rules), such as ["203.0.113.0/24"]."""

    @field_validator("allowed_cidrs")
    @classmethod
    def _someone_but_not_everybody(cls, cidrs: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        networks = [_network(cidr) for cidr in cidrs]
        if info.data.get("open_to_the_internet") is True and networks:
            raise ValueError("has no effect with open_to_the_internet: true; set one of the two")
        if info.data.get("open_to_the_internet") is False:
            if not networks:
                raise ValueError(
                    'lets nobody in; name ranges such as ["203.0.113.0/24"], or set open_to_the_internet: true'
                )
            if _ANYWHERE in collapse_addresses(networks):
                raise ValueError("lets everybody in; if that is meant, set open_to_the_internet: true")
        return cidrs


class Network(_Settings):
    """The VPC."""

    nat_gateways: Annotated[int, Field(ge=0, le=2)]
    """1, or 2 for one in each zone: tasks in private subnets. 0: in public ones, behind their security groups."""


class Monitoring(_Settings):
    """What is kept about running tasks."""

    container_insights: Literal["disabled", "enabled", "enhanced"]
    """CloudWatch metrics per service, or per task and container; they cost extra."""

    log_retention_days: Literal[
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
    ]
    """The values that CloudWatch Logs accepts."""


class Database(_Settings):
    """Amazon RDS for PostgreSQL."""

    instance_class: str
    """Such as db.t4g.micro."""

    multi_az: bool
    """A standby in the other zone that takes over within a minute or two; doubles the price."""

    storage_gb: Annotated[int, Field(ge=20, le=65536)]
    """gp3 storage to begin with (the range RDS accepts)."""

    max_storage_gb: Annotated[int, Field(ge=20, le=65536)]
    """RDS enlarges the storage by itself up to this."""

    backup_retention_days: Annotated[int, Field(ge=1, le=35)]
    """How far back the database can be restored to any second."""

    deletion_protection: bool
    """true: nobody deletes the database before this is false and deployed."""

    @field_validator("instance_class")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in _INSTANCE_CLASSES:
            close = ", ".join(difflib.get_close_matches(value, _INSTANCE_CLASSES, n=3, cutoff=0))
            raise ValueError(f"must be an instance class of RDS for PostgreSQL, such as {close}; not {value!r}")
        return value

    @field_validator("max_storage_gb")
    @classmethod
    def _room_to_grow(cls, value: int, info: ValidationInfo) -> int:
        # RDS refuses a threshold that is less than 10 % above the allocated storage.
        storage = info.data.get("storage_gb")
        if storage is not None and value * 10 < storage * 11:
            raise ValueError(f"must be at least 10 % more than storage_gb, {storage}; not {value}")
        return value


class Environment(_Settings):
    """Everything that differs between environments."""

    name: Annotated[str, Field(pattern="^[a-z][a-z0-9-]{0,19}$")]
    """The key below context.environments; part of the stack's name."""

    architecture: Literal["x86_64", "arm64"]
    """CPU of the tasks and their images; arm64 is a fifth cheaper."""

    public: Public
    network: Network
    monitoring: Monitoring
    database: Database


def environment(name: object, environments: object) -> Environment:
    """Return the settings called `name`; raise `SettingsError` with everything that is wrong with them."""
    place = "cdk.json: context.environments"
    if not isinstance(environments, Mapping) or not environments:
        raise SettingsError([f"{place}: must hold the settings of each environment by its name"])
    if name not in environments:
        chosen = "no environment is chosen" if name is None else f"there is no environment {name!r}"
        known = ", ".join(environments)
        raise SettingsError([f"{place}: {chosen}; write --context environment=…, one of: {known}"])
    place, settings = f"{place}.{name}", environments[name]
    if not isinstance(settings, Mapping):
        raise SettingsError([f"{place}: must hold settings; not {settings!r}"])
    try:
        return Environment.model_validate({**settings, "name": name})
    except ValidationError as error:
        raise SettingsError([_sentence(place, details) for details in error.errors()]) from None


def _network(cidr: str) -> IPv4Network:
    try:
        return IPv4Network(cidr)
    except ValueError as error:
        raise ValueError(f"must be IPv4 ranges such as 203.0.113.0/24; {error}") from None


def _sentence(place: str, details: ErrorDetails) -> str:
    path = ".".join([place, *map(str, details["loc"])])
    value = details["input"]
    match details["type"]:
        case "missing":
            return f"{path}: is missing"
        case "extra_forbidden":
            siblings = ", ".join(name for name in _fields_beside(details["loc"]) if name != "name")
            return f"{path}: there is no such setting; there are {siblings}"
        case "value_error":
            return f"{path}: {details['ctx']['error']}"
        case "literal_error":
            return f"{path}: must be {details['ctx']['expected']}; not {value!r}"
    return f"{path}: {details['msg'].replace('Input should', 'must')}; not {value!r}"


def _fields_beside(location: tuple[int | str, ...]) -> Iterable[str]:
    model: type[BaseModel] = Environment
    for name in location[:-1]:
        model = cast("type[BaseModel]", model.model_fields[str(name)].annotation)
    return model.model_fields
