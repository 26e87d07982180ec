"""Keeps secrets of the file, which are for the laptop, out of everything that goes to AWS."""

import re
from collections.abc import Mapping

from infra.compose.fields import Fields
from infra.compose.interpolation import Unresolved
from infra.compose.model import DatabaseField, DatabaseUrl, Project
from infra.compose.strings import strings

_SECRET_NAME = re.compile(
    r"(.*_)?(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|(API|SECRET|PRIVATE|ACCESS)_?KEY)", re.IGNORECASE
)
_CREDENTIALS_IN_URL = re.compile(r"\w+://[^/\s:@]*:[^/\s@]+@")
_INSTEAD = (
    "Name it in x-aws.secrets, so that it comes from AWS Secrets Manager; in x-aws.rds.variables of the database, if it"
    " is the database's; or remove it on AWS with x-aws.environment (NAME: null)."
)
_INSTEAD_IN_IMAGE = "Fetch what needs it before the build: it would stay in the image."
_INSTEAD_IN_TEXT = "Let the program read it from a variable, and name that one in x-aws.secrets."


def check(
    project: Project,
    services: Mapping[str, Fields],
    environments: Mapping[str, Mapping[str, str]],
    database_variables: Mapping[str, DatabaseField | DatabaseUrl],
) -> None:
    """Note each value of a Fargate service that is a secret by its name or form, or holds the local database's.

    `environments` are those of Compose, where `database_variables` say what is a password of the database.
    """
    passwords = _local_passwords(project, environments, database_variables)
    for name, service in project.services.items():
        for key, value in strings(service, services[name]):
            instead = {"environment": _INSTEAD, "x-aws": _INSTEAD, "build": _INSTEAD_IN_IMAGE}.get(
                key.partition(".")[0], _INSTEAD_IN_TEXT
            )
            if any(password in value for password in passwords):
                reason = "holds the local database's password"
                services[name].problem(
                    key, reason, f"{instead} If it only looks like it, choose another local password."
                )
            elif value and _SECRET_NAME.fullmatch(key.rpartition(".")[2]):
                services[name].problem(key, "is a secret by its name, and its value would be readable on AWS", instead)
            elif _CREDENTIALS_IN_URL.search(value):
                services[name].problem(key, "holds a URL with a password, readable on AWS", instead)


def _local_passwords(
    project: Project,
    environments: Mapping[str, Mapping[str, str]],
    database_variables: Mapping[str, DatabaseField | DatabaseUrl],
) -> set[str]:
    """Return the values of the managed database's secrets, and of the variables that carry a password elsewhere."""
    found = set()
    if project.database:
        own = environments[project.database.service]
        found |= {value for name, value in own.items() if _SECRET_NAME.fullmatch(name)}
    carriers = {name for name, field in database_variables.items() if field is DatabaseField.PASSWORD}
    for environment in environments.values():
        found |= {value for name, value in environment.items() if name in carriers}
    return {value for value in found if value and not isinstance(value, Unresolved)}
