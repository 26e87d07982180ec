"""Interpolated data of a whole compose file -> `Project`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.compose import (
    addresses,
    autoscaling,
    dependencies,
    egress,
    keys,
    public,
    schedule,
    secrets,
    storage,
    values,
    volumes,
)
from infra.compose.database import to_database
from infra.compose.environment import environment_of
from infra.compose.fields import Fields
from infra.compose.model import DatabaseDefinition, DatabaseField, DatabaseUrl, Project
from infra.compose.problems import Problems
from infra.compose.service import to_service
from infra.compose.variables import variables_of

_PROJECT_NAME = values.matching("[a-z0-9][a-z0-9_-]*", "lower-case letters, digits, - and _")


def to_project(data: Any, file: Path, variables: Mapping[str, str], problems: Problems) -> Project:
    """Return the project, or raise `ComposeError` with every problem of the file."""
    root = Fields(data, None, problems)
    problems.raise_any()
    root.refuse(keys.check({key: root.raw(key) for key in root if key != "services"}, ""))
    if "name" not in root:
        root.problem("name", "is missing", "Name the project: a folder's name differs from clone to clone.")

    section = root.within("services")
    services = {name: Fields(section.raw(name), name, problems) for name in section}
    deployed = {name: fields for name, fields in services.items() if not fields.raw("profiles")}
    managed = {name: fields for name, fields in deployed.items() if "rds" in [*fields.within("x-aws")]}
    on_fargate = {name: fields for name, fields in deployed.items() if name not in managed}
    if not on_fargate:
        left_out = ", ".join(name for name in services if name not in deployed)
        reason = f"has no service that runs on Fargate{': profiles leave out ' + left_out if left_out else ''}"
        root.problem("services", reason, "Drop the profiles of those that are to be deployed." if left_out else "")
    # What a database says besides is of no use while it is no container of AWS.
    kept = {name: fields for name, fields in on_fargate.items() if storage.keeps_data(fields)}
    on_fargate = {name: fields for name, fields in on_fargate.items() if name not in kept}
    for name, fields in services.items():
        fields.refuse(keys.check(section.raw(name), "services.*", refusing=name in on_fargate))

    environments = {name: environment_of(fields, file.parent, variables) for name, fields in deployed.items()}
    excused = storage.refuse_databases(kept, environments, has_managed=bool(managed))
    database: DatabaseDefinition | None = None
    mapping: dict[str, DatabaseField | DatabaseUrl] = {}
    for name, fields in managed.items():
        if database is not None:
            reason = f"{database.service} is the managed database already, and there can be one"
            alternative = "Move this service, and what depends_on it, to docker-compose.override.yml, or share the one."
            fields.problem("x-aws.rds", reason, alternative)
        database, mapping = to_database(fields, environments[name])
    project = Project(
        file=file,
        name=root.get("name", _PROJECT_NAME, ""),
        services={
            name: to_service(
                fields,
                file.parent,
                variables=variables_of(fields, environments[name], database=database, database_variables=mapping),
                depends_on=dependencies.depends_on(name, services, on_fargate.keys(), managed.keys() | kept.keys()),
            )
            for name, fields in on_fargate.items()
        },
        database=database,
    )
    dependencies.check(project, on_fargate)
    public.check(project, on_fargate, addresses.check(project, on_fargate))
    autoscaling.check(project, on_fargate)
    schedule.check(project, on_fargate)
    egress.check(project, on_fargate)
    storage.check(project, on_fargate)
    volumes.check(project, on_fargate, root.within("volumes"))
    secrets.check(project, on_fargate, environments, mapping, excused)
    problems.raise_any()
    return project
