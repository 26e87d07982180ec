"""Replace the tasks of services, one after the other, as a deployment of the same version does."""

import argparse

from infra.operations.command_line import Output
from infra.operations.deployment import Deployment


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `restart` takes."""
    parser.add_argument("services", nargs="*", metavar="service", help="these services (default: all)")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Begin it; new tasks take over once they are healthy."""
    ecs, services = deployment.client("ecs"), deployment.chosen(options.services)
    for service in services:
        ecs.update_service(cluster=deployment.cluster, service=service.arn, forceNewDeployment=True)
    names = [service.name for service in services]
    if not out.facts({"restarted": names}):
        out.line(f"New tasks take over in a minute or two: {', '.join(names)}. status --watch shows it.")
    return 0
