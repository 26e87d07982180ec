"""Open a shell, or run a command, in a task that runs."""

import argparse
import shlex

from infra.operations import session_plugin
from infra.operations.command_line import Output
from infra.operations.deployment import Deployment


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `exec` takes."""
    parser.add_argument("service")
    parser.add_argument("command", nargs="*", default=["sh"], help="after --, what to run (default: sh)")


def run(deployment: Deployment, options: argparse.Namespace, _out: Output) -> int:
    """Hand the terminal over to it; what it changes is gone with the task."""
    (service,) = deployment.chosen([options.service])
    session_plugin.require()
    task = session_plugin.running_task(deployment, service)
    target = session_plugin.target(deployment.cluster, task, options.service)
    answer = deployment.client("ecs").execute_command(
        cluster=deployment.cluster,
        task=task["taskArn"],
        container=options.service,
        command=shlex.join(options.command),
        interactive=True,
    )
    return session_plugin.hand_over(answer["session"], target, deployment.session.region_name or "")
