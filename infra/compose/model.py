"""What a compose file says, typed: all that the rest of `infra` knows about Compose."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Condition(StrEnum):
    """What a service waits for before it starts (Compose's own words)."""

    STARTED = "service_started"
    HEALTHY = "service_healthy"
    COMPLETED = "service_completed_successfully"


class DatabaseField(StrEnum):
    """A part of the managed database's address or credentials (the keys of an RDS secret)."""

    HOST = "host"
    PORT = "port"
    NAME = "dbname"
    USER = "username"
    PASSWORD = "password"


@dataclass(frozen=True, kw_only=True)
class DatabaseUrl:
    """All parts of the managed database's address and credentials in one URL, its owner's password included."""

    scheme: str  # postgresql, or with a driver such as postgresql+asyncpg
    parameters: str  # the query string; may be empty


class SignInField(StrEnum):
    """A part of what a service needs to know to let people sign in through the stack's identity provider."""

    ISSUER = "issuer"
    CLIENT_ID = "client_id"
    CLIENT_SECRET = "client_secret"
    PUBLIC_URL = "public_url"  # where people reach the application, which is where signing in leads back to


@dataclass(frozen=True, kw_only=True)
class SecretDefinition:
    """A secret of AWS Secrets Manager: one that the stack generates and shares, or one that was put there before."""

    generated: str | None  # its name among those of the stack
    existing: str | None  # name or ARN
    key: str | None  # of an existing one whose value is a JSON object: the field that is meant


@dataclass(frozen=True, kw_only=True)
class Build:
    """How an image is built: an absolute context, and a Dockerfile path relative to it."""

    context: Path
    dockerfile: str
    target: str | None
    args: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """A container's own health check; `command` starts with CMD or CMD-SHELL, as both Compose and ECS want it."""

    command: tuple[str, ...]
    interval_seconds: int
    timeout_seconds: int
    retries: int
    start_period_seconds: int


@dataclass(frozen=True, kw_only=True)
class VolumeMount:
    """A named volume in a container."""

    volume: str
    path: str  # absolute, in the container
    read_only: bool


@dataclass(frozen=True, kw_only=True)
class Ulimit:
    """A resource limit of a container, such as `nofile`."""

    name: str
    soft: int
    hard: int


@dataclass(frozen=True, kw_only=True)
class Public:
    """`x-aws.public`: what the load balancer sends to a service, and where it asks whether the service is well."""

    paths: tuple[str, ...]
    health_path: str
    health_codes: str  # of HTTP, such as 200 or 200-399,401: what the load balancer takes for well
    sticky: bool  # a browser stays with the task that answered it first
    free_input: tuple[str, ...]  # paths that take whatever people write: none of it is an attack by its looks

    def is_well(self, status: int) -> bool:
        """Say whether a status of HTTP is one that the load balancer takes for well."""
        ranges = [codes.partition("-") for codes in self.health_codes.split(",")]
        return any(int(first) <= status <= int(last or first) for first, _, last in ranges)


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """`x-aws.autoscaling`: up to how many tasks, and what each is to be kept at; at least one target is given."""

    max_replicas: int
    cpu_percent: int | None  # average CPU of the tasks
    requests_per_minute: int | None  # per task; public services only


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """`x-aws.schedule`: when a service's task runs, if not all the time."""

    expression: str  # of EventBridge Scheduler: cron(…) or rate(…)
    time_zone: str  # of the IANA database
    may_overlap: bool  # a run begins also while the one before it is still going on
    timeout_seconds: int  # after which a run is given up
    retries: int  # of a run that failed (`restart: on-failure:3`)


@dataclass(frozen=True, kw_only=True)
class EgressRule:
    """`x-aws.egress`: one port that a service may connect to, at the addresses of a range."""

    cidr: str
    port: int


@dataclass(frozen=True, kw_only=True)
class ServiceDefinition:
    """One service that runs on Fargate. A value the file does not give is None, empty or False."""

    name: str
    build: Build | None
    image: str | None
    registry_credentials: SecretDefinition | None  # `x-aws.registry_credentials`: an existing secret, to pull the image
    architecture: str | None  # of `platform`, for an image that is pulled: x86_64 or arm64
    command: tuple[str, ...] | None
    entrypoint: tuple[str, ...] | None
    environment: Mapping[str, str]  # sorted by name, without the variables below
    database_variables: Mapping[str, DatabaseField]  # sorted by name: what RDS, not the file, gives a value to
    database_urls: Mapping[str, DatabaseUrl]  # likewise, sorted by name
    ports: tuple[int, ...]  # container ports
    health_check: HealthCheck | None
    depends_on: Mapping[str, Condition]  # of other Fargate services; the managed database is always there first
    cpus: float | None  # limit, in CPUs
    memory_mib: int | None  # hard limit
    memory_reservation_mib: int | None
    replicas: int
    user: str | None
    working_directory: str | None
    read_only: bool
    init: bool
    scratch_directories: tuple[str, ...]  # `tmpfs` paths: writable, gone with the task
    volumes: tuple[VolumeMount, ...]
    stop_grace_period_seconds: int | None
    ulimits: tuple[Ulimit, ...]
    drop_capabilities: tuple[str, ...]
    add_capabilities: tuple[str, ...]
    labels: Mapping[str, str]
    public: Public | None
    autoscaling: Autoscaling | None
    schedule: Schedule | None
    egress: tuple[EgressRule, ...]  # besides port 443, the database and other services
    stops_first: bool  # there are never two tasks of it: the old one stops before the new one starts
    database_user: str | None  # `x-aws.database_sign_in: iam`: signs in to RDS as this user by IAM token, not password
    secrets: Mapping[str, SecretDefinition]  # `x-aws.secrets`, sorted by variable
    sign_in_variables: Mapping[str, SignInField]  # `x-aws.sign_in`: variable -> what it carries

    @property
    def uses_database(self) -> bool:
        """Whether it is given the managed database's address."""
        return bool(self.database_variables or self.database_urls)


@dataclass(frozen=True, kw_only=True)
class DatabaseDefinition:
    """The service that RDS for PostgreSQL stands in for."""

    service: str
    major_version: str  # from the image's tag
    name: str  # POSTGRES_DB
    owner: str  # POSTGRES_USER


@dataclass(frozen=True, kw_only=True)
class Project:
    """A whole compose file, as Fargate can run it. `services` holds all but the managed database, in file order."""

    file: Path
    name: str
    services: Mapping[str, ServiceDefinition]
    database: DatabaseDefinition | None

    def scheduled(self) -> frozenset[str]:
        """Services whose tasks run by the clock."""
        return frozenset(name for name, service in self.services.items() if service.schedule)

    def one_shots(self) -> frozenset[str]:
        """Services another one waits for to complete: containers of its task, not services of their own."""
        return frozenset(
            name
            for service in self.services.values()
            for name, condition in service.depends_on.items()
            if condition is Condition.COMPLETED
        )
