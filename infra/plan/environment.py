"""The settings of one environment (cdk.json: context.environments), typed, and checked before anything is built."""

import difflib
from collections.abc import Mapping
from ipaddress import IPv4Network, collapse_addresses
from typing import Annotated, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from infra.plan.asleep import HoursAsleep, hours_asleep
from infra.plan.instance_classes import MEMORY_GIB

_ANYWHERE = IPv4Network("0.0.0.0/0")
_E_MAIL = r"^[^@\s]{1,64}@[^@\s]{1,190}$"
_DOMAIN = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$"

# At most 25 ranges: a security group takes 60 rules, and a range needs one for each of two ports.
_Cidrs = Annotated[tuple[str, ...], Field(strict=False, max_length=25)]


class SettingsError(ValueError):
    """Settings that make no sense; `problems` says where and why, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class CloudFrontSettings(_Settings):
    """HTTPS on a name of CloudFront's own, in front of a load balancer that has no public address."""

    mode: Literal["cloudfront"]

    open_to_the_internet: bool = False
    """true: also when the compose file has nobody sign in."""


class DomainSettings(_Settings):
    """HTTPS on a name of your own, on the load balancer itself."""

    mode: Literal["domain"]

    domain_name: Annotated[str, Field(pattern=_DOMAIN)]
    """Such as catalogue.example.com."""

    hosted_zone_name: Annotated[str, Field(pattern=_DOMAIN)]
    """The Route 53 zone that the name is in, such as example.com."""

    hosted_zone_id: Annotated[str, Field(pattern="^Z[A-Z0-9]{1,31}$")]
    """Its id; given, so that synthesis asks nobody."""

    allowed_cidrs: _Cidrs = ()
    """Only these IPv4 ranges, such as ["203.0.113.0/24"]; empty: everybody, who then has to sign in."""

    open_to_the_internet: bool = False
    """true: also when the compose file has nobody sign in."""

    @field_validator("hosted_zone_name")
    @classmethod
    def _holds_the_domain(cls, zone: str, info: ValidationInfo) -> str:
        domain = info.data.get("domain_name")
        if domain is not None and domain != zone and not domain.endswith(f".{zone}"):
            raise ValueError(f"must be the zone that domain_name, {domain}, is in; not {zone!r}")
        return zone

    @field_validator("allowed_cidrs")
    @classmethod
    def _ranges(cls, cidrs: tuple[str, ...]) -> tuple[str, ...]:
        if _ANYWHERE in collapse_addresses([_network(cidr) for cidr in cidrs]):
            raise ValueError("lets everybody in; leave it out if that is meant")
        return cidrs


class LoadBalancerSettings(_Settings):
    """HTTP without TLS on the load balancer's own name, where nobody can sign in: for a private network, or a trial."""

    mode: Literal["load_balancer"]

    open_to_the_internet: bool = False
    """true: everybody may use the application; said by name, so that nobody is exposed by leaving something out."""

    allowed_cidrs: Annotated[_Cidrs, Field(validate_default=True)] = ()
    """Otherwise these IPv4 ranges, such as ["203.0.113.0/24"]."""

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


PublicUrl = CloudFrontSettings | DomainSettings | LoadBalancerSettings


class ServicesSettings(_Settings):
    """How many tasks run, and on what."""

    min_tasks: Annotated[int, Field(ge=1, le=100)]
    """At least this many of a service that scales, even where the compose file has fewer; 2 are in two zones."""

    max_tasks: Annotated[int, Field(ge=1, le=1000)]
    """At most this many of it, even where the compose file allows more."""

    spot_percent: Annotated[int, Field(ge=0, le=100)]
    """Share on Fargate Spot: up to 70 % cheaper, stopped at two minutes' notice. Below 100, min_tasks never are."""

    ecs_exec: bool
    """true: who may do so in IAM can open a shell in a container."""

    asleep: str | None = None
    """Hours of every day without tasks and with a stopped database, such as 20:00-08:00 America/Sao_Paulo."""

    @property
    def hours_asleep(self) -> HoursAsleep | None:
        """What `asleep` means; None where the environment never sleeps."""
        return hours_asleep(self.asleep) if self.asleep else None

    @field_validator("asleep")
    @classmethod
    def _hours_and_time_zone(cls, value: str | None) -> str | None:
        if value is not None:
            hours_asleep(value)
        return value

    @field_validator("max_tasks")
    @classmethod
    def _not_less_than_min(cls, value: int, info: ValidationInfo) -> int:
        least = info.data.get("min_tasks")
        if least is not None and value < least:
            raise ValueError(f"must be at least min_tasks, {least}; not {value}")
        return value


class NetworkSettings(_Settings):
    """The VPC."""

    nat_gateways: Annotated[int, Field(ge=0, le=2)]
    """1, or 2 for one in each zone: tasks in private subnets. 0: in public ones, behind their security groups."""


class MonitoringSettings(_Settings):
    """What is kept about running tasks."""

    container_insights: Literal["disabled", "enabled", "enhanced"]
    """CloudWatch metrics per service, or per task and container; they cost extra."""

    log_retention_days: Literal[
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
    ]
    """The values that CloudWatch Logs accepts."""

    traffic_logs: bool
    """true: the network's flow logs and the load balancer's access logs, kept as long in a bucket."""

    traces: bool = False
    """true: a collector beside each service that is built here and keeps running, which sends traces to AWS X-Ray."""

    notify: Annotated[tuple[Annotated[str, Field(pattern=_E_MAIL)], ...], Field(strict=False, max_length=20)] = ()
    """E-mail addresses that alarms are sent to; each gets a message first, and has to confirm it."""


class DatabaseSettings(_Settings):
    """Amazon RDS for PostgreSQL."""

    instance_class: str
    """Such as db.t4g.small."""

    multi_az: bool
    """A standby in the other zone that takes over within a minute or two; doubles the price."""

    storage_gb: Annotated[int, Field(ge=20, le=65536)]
    """gp3 storage to begin with (the range RDS accepts)."""

    max_storage_gb: Annotated[int, Field(ge=20, le=65536)]
    """RDS enlarges the storage by itself up to this."""

    backup_retention_days: Annotated[int, Field(ge=1, le=35)]
    """How far back the database can be restored to any second."""

    own_key: bool
    """true: encrypted with a KMS key of its own, which rotates every year; false: with the account's key for RDS."""

    insights: bool
    """true: Database Insights, the operating system's metrics every minute, and the server's log in CloudWatch."""

    engine_version: Annotated[str, Field(pattern=r"^[1-9][0-9]*\.[0-9]+$")] | None = None
    """The full version, such as 18.4, which RDS wants to know for an upgrade to it from another major version."""

    snapshot_identifier: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9:-]{0,254}$")] | None = None
    """Name or ARN of a snapshot that the instance is made from; it has to stay here for as long as the instance is."""

    @field_validator("instance_class")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in MEMORY_GIB:
            close = ", ".join(difflib.get_close_matches(value, MEMORY_GIB, n=3, cutoff=0))
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

    deletion_protection: bool
    """true: nobody deletes the stack, its database, load balancer or users before this is false and deployed."""

    public_url: Annotated[PublicUrl, Field(discriminator="mode")]

    web_acl: bool
    """true: AWS WAF on the load balancer, with AWS's common rules and a limit on requests per address."""

    second_factor_required: bool
    """true: who signs in needs the codes of an authenticator app; Cognito's pages offer it to nobody otherwise."""

    services: ServicesSettings
    network: NetworkSettings
    monitoring: MonitoringSettings
    database: DatabaseSettings


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
    model, names = _where(details["loc"])
    path = ".".join([place, *names])
    value = details["input"]
    match details["type"]:
        case "missing":
            return f"{path}: is missing"
        case "extra_forbidden":
            siblings = ", ".join(name for name in model.model_fields if name != "name")
            return f"{path}: there is no such setting; there are {siblings}"
        case "model_type":
            return f"{path}: must hold settings; not {value!r}"
        case "value_error":
            return f"{path}: {details['ctx']['error']}"
        case "literal_error":
            return f"{path}: must be {details['ctx']['expected']}; not {value!r}"
        case "union_tag_not_found" | "union_tag_invalid":
            modes = " or ".join(", ".join(repr(mode) for mode in _MODES).rsplit(", ", 1))
            return f"{path}.mode: must be {modes}; not {details['ctx'].get('tag')!r}"
    return f"{path}: {details['msg'].replace('Input should', 'must').replace('String should', 'must')}; not {value!r}"


def _where(location: tuple[int | str, ...]) -> tuple[type[BaseModel], list[str]]:
    """Return what holds the setting at a location, and its path, from which Pydantic's name of the mode is left out."""
    model: type[BaseModel] = Environment
    names = [str(name) for name in location]
    if names[0] == "public_url" and len(names) > 1:
        model = _MODES[names.pop(1)]
    elif len(names) > 1:
        model = cast("type[BaseModel]", model.model_fields[names[0]].annotation)
    return model, names


_MODES: Mapping[str, type[BaseModel]] = {
    "cloudfront": CloudFrontSettings,
    "domain": DomainSettings,
    "load_balancer": LoadBalancerSettings,
}
