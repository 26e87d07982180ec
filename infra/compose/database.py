"""The service with `x-aws.rds` -> `DatabaseDefinition`."""

import re
from collections.abc import Mapping

from infra.compose import values
from infra.compose.fields import Fields
from infra.compose.model import DatabaseDefinition, DatabaseField

_IMAGE = re.compile(r"(?:docker\.io/)?(?:library/)?postgres:(?P<major>\d+)(?:[.\-@].*)?")
_IDENTIFIER = values.matching(
    "[A-Za-z][A-Za-z0-9_]{0,62}", "a letter and up to 62 letters, digits or _, as RDS wants it"
)
_FOR_CONTAINERS = {"autoscaling", "database_sign_in", "environment", "secrets", "sign_in"}


def to_database(fields: Fields, environment: Mapping[str, str]) -> tuple[DatabaseDefinition, dict[str, DatabaseField]]:
    """Return the database, and which variable of other services carries which part of its address and credentials."""
    for key in fields.within("x-aws"):
        if key == "public":
            fields.problem("x-aws.public", "a managed database is never reachable from outside", "Drop the key.")
        elif key in _FOR_CONTAINERS:
            fields.problem(f"x-aws.{key}", "RDS stands in for this service, which has no containers", "Drop the key.")
    database = DatabaseDefinition(
        service=fields.service or "",
        major_version=_major_version(fields),
        name=_identifier(fields, environment, "POSTGRES_DB"),
        owner=_identifier(fields, environment, "POSTGRES_USER"),
    )
    return database, _variables(fields)


def _major_version(fields: Fields) -> str:
    image = _IMAGE.fullmatch(fields.get("image", values.string, ""))
    if image:
        return image["major"]
    alternative = "Write postgres: and the major version, such as postgres:18."
    fields.problem("image", "RDS for PostgreSQL needs to know the version", alternative)
    return ""


def _identifier(fields: Fields, environment: Mapping[str, str], variable: str) -> str:
    if variable not in environment:
        fields.problem(f"environment.{variable}", "is missing; it names what RDS creates")
        return ""
    return fields.parse(f"environment.{variable}", environment[variable], _IDENTIFIER, "")


def _variables(fields: Fields) -> dict[str, DatabaseField]:
    variables = fields.within("x-aws").within("rds").within("variables")
    accepted = values.one_of(*DatabaseField)
    result = {name: variables.get(name, lambda value: DatabaseField(accepted(value)), None) for name in variables}
    missing = set(DatabaseField) - set(result.values())
    if missing and None not in result.values():
        reason = f"no variable carries {', '.join(field for field in DatabaseField if field in missing)}"
        fields.problem("x-aws.rds.variables", reason, "Write VARIABLE: field for each, such as PGHOST: host.")
    return {name: field for name, field in sorted(result.items()) if field is not None}
