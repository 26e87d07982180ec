"""Go back to an earlier version of services: their previous task definitions, or those of a version that is named.

Without a version it only lists what there is. The database stays as it is: a version serves on the schema of the one
after it (docs/migrations.md), and on no later one.
"""

import argparse
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.table import Table

from infra.operations.command_line import Output, age
from infra.operations.deployment import Deployment, OperationError, RunningService
from infra.operations.stopped_tasks import short_image
from infra.operations.versions import family

_LISTED = 10
PREVIOUS = "previous"


@dataclass(frozen=True)
class Version:
    """A task definition of a service."""

    service: str
    revision: int
    image: str
    at: datetime
    is_current: bool
    arn: str


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `rollback` takes."""
    parser.add_argument("version", nargs="?", help=f"{PREVIOUS}, or SERVICE:REVISION; without it, versions are listed")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """List the versions, or begin to go back."""
    versions = {service.name: _versions(deployment, service) for service in deployment.services}
    if options.version is None:
        listed = [version for found in versions.values() for version in found]
        if not out.facts(listed):
            table = Table("version", "image", "made", "", box=None, pad_edge=False)
            for one in listed:
                state = "runs now" if one.is_current else ""
                table.add_row(f"{one.service}:{one.revision}", one.image, f"{age(one.at)} ago", state)
            out.console.print(table)
        return 0
    chosen = _chosen(versions, options.version)
    ecs = deployment.client("ecs")
    services = {service.name: service for service in deployment.services}
    for one in chosen:
        ecs.update_service(cluster=deployment.cluster, service=services[one.service].arn, taskDefinition=one.arn)
    if not out.facts(chosen):
        for one in chosen:
            out.line(f"{one.service} goes back to {one.service}:{one.revision} ({one.image}).")
        out.line(
            "CloudFormation does not know of it: a make deploy that changes a service brings its newest version again."
        )
    return 0


def _chosen(versions: dict[str, list[Version]], wanted: str) -> list[Version]:
    if wanted == PREVIOUS:
        chosen = [found[place] for found in versions.values() if (place := _behind_current(found)) is not None]
        if not chosen:
            raise OperationError("there is no earlier version: this is the first")
        return chosen
    service, _, revision = wanted.partition(":")
    chosen = [one for one in versions.get(service, []) if str(one.revision) == revision]
    if not chosen:
        known = ", ".join(f"{one.service}:{one.revision}" for found in versions.values() for one in found)
        raise OperationError(f"there is no version {wanted}; there are {known}")
    return chosen


def _behind_current(versions: list[Version]) -> int | None:
    for place, version in enumerate(versions):
        if version.is_current:
            return place + 1 if place + 1 < len(versions) else None
    return None


def _versions(deployment: Deployment, service: RunningService) -> list[Version]:
    """Return the newest versions of a service, newest first; task definitions that were removed are not started."""
    ecs: Any = deployment.client("ecs")
    named = family(deployment.stack_name, service.name)
    arns = ecs.list_task_definitions(familyPrefix=named, sort="DESC", maxResults=_LISTED)["taskDefinitionArns"]
    found = []
    for arn in arns:
        definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        if definition["family"] != named:  # as in versions.deregister
            continue
        image = next(one["image"] for one in definition["containerDefinitions"] if one["name"] == service.name)
        current = service.described["taskDefinition"] == arn
        found.append(
            Version(
                service.name,
                definition["revision"],
                short_image(image),
                definition["registeredAt"],
                current,
                arn,
            )
        )
    return found
