"""Show what ECS and CloudFormation did lately: tasks started and stopped, targets registered, resources changed."""

import argparse
from dataclasses import dataclass
from datetime import datetime

from infra.operations.command_line import Output
from infra.operations.deployment import Deployment

_MOST = 50


@dataclass(frozen=True)
class Event:
    """One thing that happened; `source` is a service, or the stack."""

    at: datetime
    source: str
    message: str


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `events` takes."""
    parser.add_argument("service", nargs="?", help="of this service only")
    parser.add_argument("--most", type=int, default=_MOST, help=f"how many (default: {_MOST})")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Print them, newest last."""
    found = [
        Event(event["createdAt"], service.name, event["message"])
        for service in deployment.chosen([options.service] if options.service else [])
        for event in service.described.get("events", [])
    ]
    if not options.service:
        found += _of_the_stack(deployment, options.most)
    found = sorted(found, key=lambda event: event.at)[-options.most :]
    if not out.facts(found):
        for event in found:
            out.line(f"{event.at:%Y-%m-%d %H:%M:%S} {event.source}: {event.message}")
    return 0


def _of_the_stack(deployment: Deployment, most: int) -> list[Event]:
    answer = deployment.client("cloudformation").describe_stack_events(StackName=deployment.stack_name)
    return [
        Event(
            event["Timestamp"],
            "stack",
            f"{event['LogicalResourceId']} {event['ResourceStatus']} {event.get('ResourceStatusReason', '')}".rstrip(),
        )
        for event in answer["StackEvents"][:most]
    ]
