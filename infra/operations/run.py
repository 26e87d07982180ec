"""Run a command once, in a task of its own like a service's: its image, variables, secrets and network.

Shows its log and ends with its exit code; Ctrl-C stops the task. Example: run api -- python -m app.api.migrate
"""

import argparse

from infra.operations import one_off
from infra.operations.command_line import Output
from infra.operations.deployment import Deployment

# What runs before the service's own container, such as migrations, does not run again; nor is anything sent to it.
_NOT_ALONE = ("dependsOn", "healthCheck", "portMappings")


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` takes."""
    parser.add_argument("service", help="whose task definition; a service that runs once before another counts too")
    parser.add_argument("command", nargs="+", help="after --, what to run")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Run it; return the exit code of the command."""
    service = next((one for one in deployment.services if options.service in _containers(deployment, one.name)), None)
    if service is None:
        deployment.chosen([options.service])
        raise AssertionError
    described = one_off.definition(deployment, service)
    (own,) = [one for one in described["containerDefinitions"] if one["name"] == options.service]
    own = {key: value for key, value in own.items() if key not in _NOT_ALONE}
    alone = {**own, "essential": True, "command": options.command}
    return one_off.run_once(deployment, service, described, [alone], lambda _name, line: out.line(line))


def _containers(deployment: Deployment, service: str) -> list[str]:
    return [container.name for container in deployment.plan.tasks[service].containers]
