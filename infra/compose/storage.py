"""Data that would end with its task: a database in a container, and SQLite on a container's disk."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from infra.compose.fields import Fields
from infra.compose.images import DATABASES, repository
from infra.compose.model import DatabaseField, Project
from infra.compose.strings import strings

_RDS = "Amazon RDS for PostgreSQL"
_ON_LAPTOPS = (
    "Move this service, and what depends_on it, to docker-compose.override.yml, which Compose reads on a laptop and the"
    " stack does not; give the others its address on AWS in x-aws.environment or x-aws.secrets."
)
# SQLAlchemy, Django, Prisma and others; without a file it is in memory, and meant to end.
_SQLITE_FILE = re.compile(r"\bsqlite3?(\+\w+)?:/{2,}(?!/|:memory:)[^\s?]|\bfile:[^\s?]+\.(db|sqlite3?)\b")


def keeps_data(fields: Fields) -> bool:
    """Say whether a service is a database by its image."""
    return _instead(fields) is not None


def refuse_databases(
    services: Mapping[str, Fields], environments: Mapping[str, Mapping[str, str]], *, has_managed: bool
) -> set[str]:
    """Note each of these services, which keep data, and return the variables that RDS would give a value to.

    RDS can stand in for one of them.
    """
    given: set[str] = set()
    for name, fields in services.items():
        instead = _instead(fields)
        alternative = _ON_LAPTOPS
        if instead == _RDS and not has_managed:
            fitting = _fitting(name, environments)
            given |= fitting.keys()
            variables = ", ".join(f"{variable}: {part}" for variable, part in fitting.items())
            alternative = f"Have it stand in for this service with x-aws: {{rds: {{variables: {{{variables}}}}}}}."
        reason = f"{fields.raw('image')} keeps its data in a task, and it ends with the task: AWS has {instead} for it"
        fields.problem("image", reason, alternative)
    return given


def check(project: Project, services: Mapping[str, Fields]) -> None:
    """Note what writes to a file of SQLite in a task."""
    for name, service in project.services.items():
        for key, value in strings(service, services[name]):
            if found := _SQLITE_FILE.search(value):
                alternative = "Use PostgreSQL: a service with the image postgres:18 and x-aws.rds."
                if "environment" in key:
                    alternative += f" Or write the URL for AWS in x-aws.environment.{key.rpartition('.')[2]}."
                reason = "names a file of SQLite, which is on the disk of a task and ends with it"
                if any(f"{mount.path}/" in value[found.start() :] for mount in service.volumes):
                    reason = "names a file of SQLite on a network file system, where its locks do not hold"
                services[name].problem(key, reason, alternative)


def _instead(fields: Fields) -> str | None:
    image = fields.raw("image")
    return DATABASES.get(repository(image)) if isinstance(image, str) and "build" not in fields else None


def _fitting(database: str, environments: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return which variables of the other services carry which part of the database's address, by their values."""
    own = environments[database]
    parts = {
        own.get("POSTGRES_USER", "postgres"): DatabaseField.USER,
        own.get("POSTGRES_DB", own.get("POSTGRES_USER", "postgres")): DatabaseField.NAME,
        own.get("POSTGRES_PASSWORD", ""): DatabaseField.PASSWORD,
        "5432": DatabaseField.PORT,
        database: DatabaseField.HOST,
    }
    found: dict[str, str] = {}
    for name, environment in environments.items():
        if name == database:
            continue
        for variable, value in environment.items():
            if _host(value) == database:
                found[variable] = "url"
            elif value and value in parts:
                found[variable] = _by_name(variable) or parts[value]
    if "url" in found.values():
        return {variable: part for variable, part in found.items() if part == "url"}
    if set(found.values()) >= set(DatabaseField):
        return found
    return {"PGHOST": "host", "PGPORT": "port", "PGDATABASE": "dbname", "PGUSER": "username", "PGPASSWORD": "password"}


def _by_name(variable: str) -> str | None:
    """Return the part that a variable's name speaks of: database, user and password are often the same word."""
    for pattern, field in {
        "HOST|SERVER|ADDR": DatabaseField.HOST,
        "PORT": DatabaseField.PORT,
        "PASS|PWD": DatabaseField.PASSWORD,
        "USER": DatabaseField.USER,
        "DB$|NAME|DATABASE": DatabaseField.NAME,
    }.items():
        if re.search(pattern, variable, re.IGNORECASE):
            return field
    return None


def _host(value: str) -> str | None:
    try:
        url = urlsplit(value)
        return url.hostname if url.scheme.startswith("postgres") else None
    except ValueError:
        return None
