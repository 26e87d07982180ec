"""Keeps secrets of the file, which are for the laptop, out of everything that goes to AWS."""

import re
from collections.abc import Iterator, Mapping

from infra.compose.fields import Fields
from infra.compose.interpolation import Unresolved
from infra.compose.model import DatabaseField, Project, Service

_SECRET_NAME = re.compile(
    r"(.*_)?(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|(API|SECRET|PRIVATE|ACCESS)_?KEY)", re.IGNORECASE
)
_CREDENTIALS_IN_URL = re.compile(r"\w+://[^/\s:@]*:[^/\s@]+@")
_INSTEAD = (
    "Map it with x-aws.rds.variables of the database if it is the database's; otherwise leave it out of this file and "
    "let the application fetch it from AWS Secrets Manager."
)


def check(project: Project, services: Mapping[str, Fields], environments: Mapping[str, Mapping[str, str]]) -> None:
    """Note each value of a Fargate service that is a secret by its name or form, or holds the local database's."""
    passwords = _local_passwords(project, environments)
    for name, service in project.services.items():
        for key, value in _values(service):
            if any(password in value for password in passwords):
                reason = "holds the local database's password"
                services[name].problem(
                    key, reason, f"{_INSTEAD} If it only looks like it, choose another local password."
                )
            elif value and _SECRET_NAME.fullmatch(key.rpartition(".")[2]):
                services[name].problem(key, "is a secret by its name, and its value would be readable on AWS", _INSTEAD)
            elif _CREDENTIALS_IN_URL.search(value):
                services[name].problem(key, "holds a URL with a password, readable on AWS", _INSTEAD)


def _local_passwords(project: Project, environments: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Return the values of the managed database's secrets, and of the variables that carry its password elsewhere."""
    found = set()
    if project.database:
        own = environments[project.database.service]
        found |= {value for name, value in own.items() if _SECRET_NAME.fullmatch(name)}
    for service in project.services.values():
        for name, field in service.database_variables.items():
            if field is DatabaseField.PASSWORD:
                found.add(environments[service.name][name])
    return {value for value in found if value and not isinstance(value, Unresolved)}


def _values(service: Service) -> Iterator[tuple[str, str]]:
    """Yield every string of a service that reaches the template or the image, with its key."""
    for key, mapping in {
        "environment": service.environment,
        "labels": service.labels,
        "build.args": service.build.args if service.build else {},
    }.items():
        for name, value in mapping.items():
            yield f"{key}.{name}", value
    for key, words in {
        "command": service.command,
        "entrypoint": service.entrypoint,
        "healthcheck.test": service.health_check.command if service.health_check else None,
    }.items():
        for word in words or ():
            yield key, word
