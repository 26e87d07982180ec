"""Replace the tasks of services, one after the other, as a deployment of the same version does."""

import argparse
from collections.abc import Sequence

from infra.operations.command_line import Output
from infra.operations.deployment import Deployment, RunningService


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `restart` takes."""
    parser.add_argument("services", nargs="*", metavar="service", help="these services (default: all)")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Begin it; new tasks take over once they are healthy."""
    names = replace_tasks(deployment, deployment.chosen(options.services))
    if not out.facts({"restarted": names}):
        out.line(f"New tasks take over in a minute or two: {', '.join(names)}. status --watch shows it.")
    return 0


def replace_tasks(deployment: Deployment, services: Sequence[RunningService]) -> list[str]:
    """Begin to replace the tasks of services, and return the services' names."""
    ecs = deployment.client("ecs")
    for service in services:
        ecs.update_service(cluster=deployment.cluster, service=service.arn, forceNewDeployment=True)
    return [service.name for service in services]
