"""The service with `x-aws.rds` -> `DatabaseDefinition`."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

from infra.compose import values
from infra.compose.fields import Fields
from infra.compose.model import DatabaseDefinition, DatabaseField, DatabaseUrl

# PostGIS and pgvector are extensions that RDS has too.
_IMAGE = re.compile(
    r"(?:docker\.io/)?(?:(?:library/)?postgres:|postgis/postgis:|pgvector/pgvector:(?:\d+\.\d+\.\d+-)?pg)(?P<major>\d+)"
    r"(?:[.\-@].*)?"
)
_IDENTIFIER = values.matching(
    "[A-Za-z][A-Za-z0-9_]{0,62}", "a letter and up to 62 letters, digits or _, as RDS wants it"
)
_URL = re.compile(r"url(?:\?(?P<parameters>[\w.-]+=[\w.%/-]*(?:&[\w.-]+=[\w.%/-]*)*))?")

_RDS_HAS = range(11, 19)  # major versions, the oldest in Extended Support (RDS for PostgreSQL Release Notes)

# RDS refuses reserved words, and does not say which those are: PostgreSQL's own, and those that others met.
_RESERVED = RESERVED_WORDS | {
    "admin",
    "catalog",
    "db",
    "dispatch",
    "flag",
    "identity",
    "public",
    "template0",
    "template1",
}
_RESERVED_PREFIXES = ("pg_", "rds_", "rdsadmin", "rdsrepladmin")

_FOR_CONTAINERS = {
    *(
        "autoscaling",
        "database_sign_in",
        "egress",
        "environment",
        "registry_credentials",
        "schedule",
        "secrets",
        "sign_in",
    ),
}


_INIT_SCRIPTS = "/docker-entrypoint-initdb.d"
_MIGRATE = (
    "Make it with a migration: a service that the others wait for with service_completed_successfully. Then move the"
    " volume to docker-compose.override.yml, if a laptop still needs it."
)
_SETTINGS = "Move it to docker-compose.override.yml; settings that AWS needs too go into infra/constructs/database.py."
_NOT_RUN = {"command": _SETTINGS, "entrypoint": _SETTINGS, "build": "Write image: postgres: and the major version."}


def to_database(
    fields: Fields, environment: Mapping[str, str]
) -> tuple[DatabaseDefinition, dict[str, DatabaseField | DatabaseUrl]]:
    """Return the database, and which variable of other services carries which part of its address and credentials."""
    for key in fields.within("x-aws"):
        if key == "public":
            fields.problem("x-aws.public", "a managed database is never reachable from outside", "Drop the key.")
        elif key in _FOR_CONTAINERS:
            fields.problem(f"x-aws.{key}", "RDS stands in for this service, which has no containers", "Drop the key.")
    for key, instead in _NOT_RUN.items():
        if key in fields:
            fields.problem(key, "RDS stands in for this container and does not run it", instead)
    for index, volume in enumerate(fields.each("volumes", lambda volume: volume)):
        if _INIT_SCRIPTS in str(volume):
            reason = "RDS runs no init scripts, so what they make is missing on AWS"
            fields.problem(f"volumes[{index}]", reason, _MIGRATE)
    database = DatabaseDefinition(
        service=fields.service or "",
        major_version=_major_version(fields),
        name=_identifier(fields, environment, "POSTGRES_DB"),
        owner=_identifier(fields, environment, "POSTGRES_USER"),
    )
    return database, _variables(fields)


def _major_version(fields: Fields) -> str:
    image = _IMAGE.fullmatch(fields.get("image", values.string, ""))
    if image and int(image["major"]) in _RDS_HAS:
        return image["major"]
    reason = "RDS for PostgreSQL needs to know the version"
    if image:
        reason = f"RDS has no PostgreSQL {image['major']}, but {_RDS_HAS[0]} to {_RDS_HAS[-1]}"
    fields.problem("image", reason, "Write postgres: and the major version, such as postgres:18.")
    return ""


def _identifier(fields: Fields, environment: Mapping[str, str], variable: str) -> str:
    if variable not in environment:
        fields.problem(
            f"environment.{variable}", "is missing; it names what RDS creates", f"Write such as {variable}: app."
        )
        return ""
    name: str = fields.parse(f"environment.{variable}", environment[variable], _IDENTIFIER, "")
    if name.lower() in _RESERVED or name.lower().startswith(_RESERVED_PREFIXES):
        alternative = f"Write such as {variable}: app_{name.lower()}."
        fields.problem(f"environment.{variable}", f"RDS keeps {name} for itself, as a reserved word", alternative)
    return name


def _variables(fields: Fields) -> dict[str, DatabaseField | DatabaseUrl]:
    variables = fields.within("x-aws").within("rds").within("variables")
    result = {name: variables.get(name, _part, None) for name in variables}
    carried = set(result.values())
    missing = [field for field in DatabaseField if field not in carried]
    if missing and None not in carried and not any(isinstance(part, DatabaseUrl) for part in carried):
        reason = f"no variable carries {', '.join(missing)}"
        alternative = "Write VARIABLE: field for each, such as PGHOST: host, or one URL, such as DATABASE_URL: url."
        fields.problem("x-aws.rds.variables", reason, alternative)
    return {name: part for name, part in sorted(result.items()) if part is not None}


def _part(value: Any) -> DatabaseField | DatabaseUrl:
    if isinstance(value, str) and (url := _URL.fullmatch(value)):
        return DatabaseUrl(scheme="postgresql", parameters=url["parameters"] or "")
    accepted = values.one_of(*DatabaseField, "url (also with parameters: url?sslmode=require)")
    return DatabaseField(accepted(value))
