"""Keeps secrets of the file, which are for the laptop, out of everything that goes to AWS."""

import re
from collections.abc import Container, Mapping
from urllib.parse import urlsplit

from infra.compose.fields import Fields
from infra.compose.interpolation import Unresolved
from infra.compose.model import DatabaseField, DatabaseUrl, Project
from infra.compose.secret_rules import instead, is_secret_name, secret_in
from infra.compose.strings import strings

_INSTEAD_IN_IMAGE = "Drop it, and fetch what needs it before the build: it would stay in the image."
_INSTEAD_IN_TEXT = "Drop it, and let the program read it from a variable that x-aws.secrets names."
_RANDOM_URL = re.compile(r"(.*_)?(URL|URI|DSN)", re.IGNORECASE)


def check(
    project: Project,
    services: Mapping[str, Fields],
    environments: Mapping[str, Mapping[str, str]],
    database_variables: Mapping[str, DatabaseField | DatabaseUrl],
    excused: Container[str],
) -> None:
    """Note each value of a Fargate service that is a secret by its name or form, or holds the local database's.

    `environments` are those of Compose, where `database_variables` say what is a password of the database. `excused`
    are variables that another problem has said what to do with.
    """
    passwords = _local_passwords(project, environments, database_variables)
    for name, service in project.services.items():
        for key, value in strings(service, services[name]):
            place, _, variable = key.rpartition(".")
            reason = secret_in(variable, value)
            if any(password in value for password in passwords):
                reason = "holds the local database's password"
            if reason is None or (place.endswith("environment") and variable in excused):
                continue
            alternative = _INSTEAD_IN_TEXT
            if place.endswith("environment"):
                alternative = _of_database(project, variable, value) or instead(variable, value)
            elif place == "build.args":
                alternative = _INSTEAD_IN_IMAGE
            if reason.startswith("holds the local"):
                alternative += " If it only looks like it, choose another local password."
            services[name].problem(key, reason, alternative)
        for variable in (variable for variable, secret in service.secrets.items() if secret.existing is None):
            value = environments[name].get(variable, "")
            if "://" in value or _RANDOM_URL.fullmatch(variable):
                alternative = _of_database(project, variable, value) or instead(variable, "://")
                reason = "would be random characters, not a URL"
                services[name].problem(f"x-aws.secrets.{variable}", reason, alternative)


def _of_database(project: Project, variable: str, value: str) -> str:
    """Return how RDS gives a variable that is the managed database's URL its value; empty when it is none."""
    try:
        host = urlsplit(value).hostname
    except ValueError:
        return ""
    if project.database is None or host != project.database.service:
        return ""
    return f"Add {variable}: url to x-aws.rds.variables of {host}."


def _local_passwords(
    project: Project,
    environments: Mapping[str, Mapping[str, str]],
    database_variables: Mapping[str, DatabaseField | DatabaseUrl],
) -> set[str]:
    """Return the values of the managed database's secrets, and of the variables that carry a password elsewhere."""
    found = set()
    if project.database:
        own = environments[project.database.service]
        found |= {value for name, value in own.items() if is_secret_name(name)}
    carriers = {name for name, field in database_variables.items() if field is DatabaseField.PASSWORD}
    for environment in environments.values():
        found |= {value for name, value in environment.items() if name in carriers}
    return {value for value in found if value and not isinstance(value, Unresolved)}
