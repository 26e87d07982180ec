"""Show what services log: one after the other by time; --follow goes on until Ctrl-C.

--previous shows what the newest task that is gone wrote last, --request one request by its X-Request-ID.
"""

import argparse
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.operations.command_line import Output
from infra.operations.deployment import Deployment, OperationError
from infra.operations.log_records import readable
from infra.operations.stopped_tasks import last_lines

_FOLLOW_SECONDS = 2
_PREVIOUS_LINES = 100
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class LogLine:
    """A line of a container's log."""

    at: datetime
    service: str
    task: str
    message: str


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `logs` takes."""
    parser.add_argument("services", nargs="*", metavar="service", help="these services (default: all)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what comes, until Ctrl-C")
    parser.add_argument("--since", type=duration, default=timedelta(minutes=10), metavar="10m", help="how far back")
    parser.add_argument("--request", metavar="ID", help="only lines with this request id")
    parser.add_argument("--previous", action="store_true", help="what the newest task that is gone wrote last")


def duration(text: str) -> timedelta:
    """Return a time span such as 30s, 10m, 2h or 7d; raise ArgumentTypeError for anything else."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no time span: say it as 30s, 10m, 2h or 7d")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Print them."""
    services = [service.name for service in deployment.chosen(options.services)]
    if options.previous:
        lines = [line for service in services for line in _previous(deployment, service)]
        if not lines:
            raise OperationError("ECS knows of no task that is gone: it forgets them after an hour; see failures")
    else:
        since = datetime.now(UTC) - options.since
        lines = list(_lines(deployment, services, since, options.request))
    if not out.facts(lines) or options.follow:
        _follow(deployment, services, lines, options, out)
    return 0


def _follow(
    deployment: Deployment, services: list[str], lines: list[LogLine], options: argparse.Namespace, out: Output
) -> None:
    width = max(map(len, services), default=0)
    seen: set[LogLine] = set()
    while True:
        for line in lines:
            if line not in seen:
                out.line(f"{line.at:%H:%M:%S} {line.service:{width}} {readable(line.message)}")
        if not options.follow:
            return
        time.sleep(_FOLLOW_SECONDS)
        # Lines come to CloudWatch late and out of order, so the last minute is looked at again.
        seen = {line for line in {*seen, *lines} if line.at > datetime.now(UTC) - timedelta(minutes=2)}
        lines = list(_lines(deployment, services, datetime.now(UTC) - timedelta(minutes=1), options.request))


def _lines(deployment: Deployment, services: list[str], since: datetime, request: str | None) -> list[LogLine]:
    pages = deployment.client("logs").get_paginator("filter_log_events")
    found = []
    for service in services:
        asked: dict[str, Any] = {"logGroupName": deployment.log_group(service)}
        asked["startTime"] = round(since.timestamp() * 1000)
        if request:
            asked["filterPattern"] = f'"{request}"'
        for page in pages.paginate(**asked):
            found += [_line(service, event) for event in page["events"]]
    return sorted(found, key=lambda line: line.at)


def _line(service: str, event: Any) -> LogLine:
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return LogLine(at, service, event.get("logStreamName", "").rpartition("/")[2], event["message"].rstrip())


def _previous(deployment: Deployment, service: str) -> Iterator[LogLine]:
    stopped = [one for one in deployment.stopped_and_running("STOPPED") if deployment.service_name(one) == service]
    newest = max(stopped, key=lambda task: task["createdAt"], default=None)
    if newest is None:
        return
    task, logs = newest["taskArn"].rpartition("/")[2], deployment.client("logs")
    for container in newest["containers"]:
        for message in last_lines(logs, deployment.log_group(service), container["name"], task, _PREVIOUS_LINES):
            yield LogLine(newest.get("stoppedAt") or newest["createdAt"], service, task, message)
