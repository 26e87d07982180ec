"""Have a service run so many tasks, until the next deployment or its scaling says otherwise."""

import argparse

from infra.operations.command_line import Output
from infra.operations.deployment import Deployment, OperationError


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `scale` takes."""
    parser.add_argument("service")
    parser.add_argument("tasks", type=int, help="how many; 0 stops it")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Do it, within what cdk.json and the compose file allow."""
    (service,) = deployment.chosen([options.service])
    count = deployment.plan.counts[service.name]
    if options.tasks < 0 or options.tasks > count.maximum:
        raise OperationError(
            f"{service.name} may run 0 to {count.maximum} tasks: services.max_tasks in cdk.json and replicas or "
            "x-aws.autoscaling.max_replicas in the compose file say so, as the database's connections are counted"
        )
    deployment.client("ecs").update_service(cluster=deployment.cluster, service=service.arn, desiredCount=options.tasks)
    if not out.facts({"service": service.name, "tasks": options.tasks}):
        out.line(f"{service.name} is to run {options.tasks} tasks.")
        if deployment.plan.tasks[service.name].service.autoscaling and options.tasks < count.minimum:
            out.line(f"Its scaling brings it back to at least {count.minimum} when it next looks.")
    return 0
