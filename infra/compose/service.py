"""The data of one service that runs on Fargate -> `Service`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.compose import values
from infra.compose.autoscaling import autoscaling_of
from infra.compose.egress import egress_of
from infra.compose.fields import Fields
from infra.compose.model import Build, Condition, HealthCheck, SecretDefinition, ServiceDefinition, Ulimit
from infra.compose.public import public_of
from infra.compose.schedule import schedule_of
from infra.compose.variables import VariableSources, secret_of
from infra.compose.volumes import mounts_of

# Ranges of the ECS API: HealthCheck and ContainerDefinition.stopTimeout.
_INTERVAL, _TIMEOUT, _START_PERIOD = values.seconds(5, 300), values.seconds(2, 60), values.seconds(0, 300)
_RETRIES = values.integer(1, 10)
_STOP_TIMEOUT = values.seconds(0, 120)
_NAME = values.matching("[a-z0-9_][a-z0-9_-]{0,61}", "a name for ECS: lower-case, digits, - and _")
_ARCHITECTURES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
_REPLICAS = values.integer(1, 5000)  # tasks per service, an ECS quota


def to_service(
    fields: Fields,
    directory: Path,
    *,
    variables: VariableSources,
    depends_on: Mapping[str, Condition],
) -> ServiceDefinition:
    """Return the service; what is wrong becomes a problem of `fields` and is left out."""
    deploy = fields.within("deploy")
    limits, reservations = (deploy.within("resources").within(part) for part in ("limits", "reservations"))
    memory = limits.get("memory", values.memory_mib, None)
    reservation = reservations.get("memory", values.memory_mib, None)
    if memory and reservation and reservation > memory:
        reservations.problem("memory", f"{reservation} MiB is more than the limit of {memory} MiB", "Raise the limit.")
    fields.parse("", fields.service, _NAME, "")
    deploy.get("mode", values.one_of("replicated"), "")
    replicas = deploy.get("replicas", _REPLICAS, 1)
    order = deploy.within("update_config").get("order", values.one_of("start-first", "stop-first"), None)
    if "build" not in fields and "image" not in fields:
        fields.problem("", "has neither build nor image")
    credentials = fields.within("x-aws").get("registry_credentials", _registry_credentials, None)
    if "build" in fields and credentials:
        reason = "this service's image is built and pushed to Amazon ECR, which needs none"
        fields.problem("x-aws.registry_credentials", reason, "Drop the key, or drop build to pull the image.")
    elif credentials and ".dkr.ecr." in str(fields.raw("image")):
        reason = "Amazon ECR takes none: the task may pull from that repository by its role"
        fields.problem("x-aws.registry_credentials", reason, "Drop the key.")
    return ServiceDefinition(
        name=fields.service or "",
        build=_build(fields, directory),
        image=fields.get("image", values.string, None),
        registry_credentials=credentials,
        architecture=None if "build" in fields else fields.get("platform", _architecture, None),
        command=fields.get("command", values.words, None),
        entrypoint=fields.get("entrypoint", values.words, None),
        environment=variables.environment,
        database_variables=variables.database,
        database_urls=variables.database_urls,
        ports=_ports(fields),
        health_check=_health_check(fields),
        depends_on=depends_on,
        cpus=limits.get("cpus", values.cpus, None),
        memory_mib=memory,
        memory_reservation_mib=reservation,
        replicas=replicas,
        user=fields.get("user", values.string, None),
        working_directory=fields.get("working_dir", values.string, None),
        read_only=fields.get("read_only", values.boolean, False),
        init=fields.get("init", values.boolean, False),
        scratch_directories=fields.get("tmpfs", _scratch_directories, ()),
        volumes=mounts_of(fields),
        stop_grace_period_seconds=fields.get("stop_grace_period", _STOP_TIMEOUT, None),
        ulimits=_ulimits(fields),
        drop_capabilities=tuple(fields.each("cap_drop", values.capability)),
        add_capabilities=tuple(fields.each("cap_add", _added_capability)),
        labels=_pairs(fields, "labels"),
        public=public_of(fields),
        autoscaling=autoscaling_of(fields),
        schedule=schedule_of(fields),
        egress=egress_of(fields),
        stops_first=order == "stop-first" and replicas == 1,
        database_user=variables.database_user,
        secrets=variables.secrets,
        sign_in_variables=variables.sign_in,
    )


def _build(fields: Fields, directory: Path) -> Build | None:
    if "build" not in fields:
        return None
    if isinstance(fields.raw("build"), str):
        context, dockerfile, target, args = fields.get("build", _context, None), "Dockerfile", None, {}
    else:
        build = fields.within("build")
        context = build.get("context", _context, None) if "context" in build else "."
        dockerfile = build.get("dockerfile", values.string, "Dockerfile")
        target = build.get("target", values.string, None)
        args = _pairs(build, "args")
    if context is None:
        return None
    absolute = (directory / context).resolve()
    if not (absolute / dockerfile).is_file():
        fields.problem("build", f"there is no file {absolute / dockerfile}", "Check context and dockerfile.")
    return Build(context=absolute, dockerfile=dockerfile, target=target, args=args)


def _registry_credentials(value: Any) -> SecretDefinition:
    secret = secret_of(value)
    if secret.existing is None or secret.key is not None:
        raise ValueError('must be {existing: name-or-ARN}, of a secret like {"username": …, "password": …}')
    return secret


def _architecture(value: Any) -> str:
    found = _ARCHITECTURES.get(str(value).removeprefix("linux/").removesuffix("/v8"))
    if found is None:
        raise ValueError(f"must be linux/amd64 or linux/arm64, not {value!r}")
    return found


def _context(value: Any) -> str:
    if re.match(r"\w+://|git@|github\.com/", values.string(value)):
        raise ValueError("an image asset is built from a local directory; check the sources out beside this file")
    return str(value)


def _pairs(fields: Fields, key: str) -> dict[str, str]:
    """Read names and values of which none may come from the shell."""
    result = {}
    for name, value in fields.get(key, values.pairs, {}).items():
        if value is None:
            fields.problem(f"{key}.{name}", "has no value, and none is taken from the shell", "Write its value.")
        else:
            result[name] = value
    return result


def _ports(fields: Fields) -> tuple[int, ...]:
    ranges = fields.each("ports", values.port_range) + fields.each("expose", values.port_range)
    return tuple(dict.fromkeys(port for ports in ranges for port in ports))


def _health_check(fields: Fields) -> HealthCheck | None:
    check = fields.within("healthcheck")
    if "healthcheck" not in fields or check.get("disable", values.boolean, False):
        return None
    if "test" not in check:
        check.problem("test", "is missing: ECS does not read the HEALTHCHECK of an image", "Write the test here.")
    command = check.get("test", values.health_command, None)
    if command is None:
        return None
    # Docker's own defaults, so that a check is the same in both places.
    return HealthCheck(
        command=command,
        interval_seconds=check.get("interval", _INTERVAL, 30),
        timeout_seconds=check.get("timeout", _TIMEOUT, 30),
        retries=check.get("retries", _RETRIES, 3),
        start_period_seconds=check.get("start_period", _START_PERIOD, 0),
    )


def _scratch_directories(value: Any) -> tuple[str, ...]:
    paths = values.strings(value)
    for path in paths:
        if not re.fullmatch(r"/[^:]*", path):
            raise ValueError(f"{path!r} must be an absolute path alone: a task's ephemeral volume takes no options")
    return paths


def _ulimits(fields: Fields) -> tuple[Ulimit, ...]:
    ulimits = fields.within("ulimits")
    found = []
    for name in sorted(ulimits):
        if name != "nofile":
            ulimits.problem(name, "Fargate sets no limit but nofile", "Drop the key.")
        elif limit := ulimits.get(name, values.ulimit, None):
            soft, hard = limit
            found.append(Ulimit(name=name, soft=soft, hard=hard))
    return tuple(found)


def _added_capability(value: Any) -> str:
    name = values.capability(value)
    if name != "SYS_PTRACE":
        raise ValueError(f"Fargate adds no capability but SYS_PTRACE, not {name}; do without it, or drop the entry")
    return name
