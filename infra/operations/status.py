"""Show how an environment is: stack, services, targets, database, alarms, the URL, the last failures.

--watch looks again every few seconds, until Ctrl-C.
"""

import argparse
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.table import Table

from infra.operations import beside
from infra.operations.command_line import Output, age
from infra.operations.deployment import Deployment, OperationError
from infra.operations.failures import recent
from infra.operations.stopped_tasks import FailedTask

_WATCH_SECONDS = 5
_FREE_STORAGE = ("FreeStorageSpace", "Minimum")
_CONNECTIONS = ("DatabaseConnections", "Maximum")
_GIB = 2**30


@dataclass(frozen=True)
class ServiceStatus:
    """A service: its tasks, its deployment, and what the load balancer thinks of its tasks."""

    name: str
    desired: int
    running: int
    pending: int
    deployment: str
    since: datetime
    version: str
    healthy_targets: int | None
    targets: int | None


@dataclass(frozen=True)
class DatabaseStatus:
    """The database; free storage in GiB and connections as CloudWatch measured them last, if it did."""

    name: str
    state: str
    engine: str
    instance_class: str
    storage_gib: int
    free_gib: float | None
    connections: int | None
    set_aside: dict[str, str]
    """What a `restore` has set aside, which costs what the database does: by name, the commands that delete it."""


@dataclass(frozen=True)
class EnvironmentStatus:
    """What `status` shows."""

    stack: str
    state: str
    url: str
    services: tuple[ServiceStatus, ...]
    database: DatabaseStatus | None
    alarms: tuple[str, ...]
    failures: tuple[FailedTask, ...]


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `status` takes."""
    parser.add_argument("--watch", action="store_true", help=f"look again every {_WATCH_SECONDS} s, until Ctrl-C")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Print it; the exit code is 1 when a service runs fewer tasks than it should or an alarm is on."""
    while True:
        found = look(Deployment(deployment.session, deployment.plan))
        if options.watch and not out.as_json:
            out.console.clear()
        if not out.facts(found):
            _show(found, out)
        if not options.watch:
            short = any(service.running < service.desired for service in found.services)
            return 1 if short or found.alarms else 0
        time.sleep(_WATCH_SECONDS)


def look(deployment: Deployment) -> EnvironmentStatus:
    """Return how the environment is."""
    return EnvironmentStatus(
        stack=deployment.stack_name,
        state=deployment.stack["StackStatus"],
        url=deployment.outputs.get("PublicUrl", ""),
        services=tuple(_service(deployment, one.name, one.described) for one in deployment.services),
        database=_database(deployment),
        alarms=_alarms(deployment),
        failures=tuple(recent(deployment, hours=24)[:3]),
    )


def _service(deployment: Deployment, name: str, described: Any) -> ServiceStatus:
    current = next((one for one in described["deployments"] if one["status"] == "PRIMARY"), described["deployments"][0])
    targets = healthy = None
    for balancer in described.get("loadBalancers", []):
        found = deployment.client("elbv2").describe_target_health(TargetGroupArn=balancer["targetGroupArn"])
        states = [one["TargetHealth"]["State"] for one in found["TargetHealthDescriptions"]]
        targets, healthy = (targets or 0) + len(states), (healthy or 0) + states.count("healthy")
    return ServiceStatus(
        name=name,
        desired=described["desiredCount"],
        running=described["runningCount"],
        pending=described["pendingCount"],
        deployment=current.get("rolloutState", "COMPLETED").lower().replace("_", " "),
        since=current["createdAt"],
        version=current["taskDefinition"].rpartition("/")[2],
        healthy_targets=healthy,
        targets=targets,
    )


def _database(deployment: Deployment) -> DatabaseStatus | None:
    names = deployment.physical("AWS::RDS::DBInstance")
    if not names:
        return None
    instances = beside.instances(deployment.client("rds"), names[0])
    if (found := instances.get(names[0])) is None:  # as in the middle of a `restore`
        raise OperationError(f"there is no database {names[0]}: where a `restore` was interrupted, run it again")
    free, connections = _measured(deployment, names[0], *_FREE_STORAGE), _measured(deployment, names[0], *_CONNECTIONS)
    return DatabaseStatus(
        name=names[0],
        state=found["DBInstanceStatus"],
        engine=f"{found['Engine']} {found['EngineVersion']}",
        instance_class=found["DBInstanceClass"],
        storage_gib=found["AllocatedStorage"],
        free_gib=None if free is None else round(free / _GIB, 1),
        connections=None if connections is None else int(connections),
        set_aside={
            name: beside.how_to_delete(
                str(deployment.session.region_name), name, protected=bool(instances[name].get("DeletionProtection"))
            )
            for name in beside.set_aside(instances)
        },
    )


def _measured(deployment: Deployment, instance: str, metric: str, statistic: str) -> float | None:
    """Return what CloudWatch measured of the database in its newest minutes."""
    now = datetime.now(UTC)
    points = deployment.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/RDS",
        MetricName=metric,
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": instance}],
        StartTime=now - timedelta(minutes=15),
        EndTime=now,
        Period=300,
        Statistics=[statistic],
    )["Datapoints"]
    newest = max(points, key=lambda point: point["Timestamp"], default=None)
    return None if newest is None else float(newest[statistic])


def _alarms(deployment: Deployment) -> tuple[str, ...]:
    """Return the alarms that are on, each with its description."""
    pages = deployment.client("cloudwatch").get_paginator("describe_alarms")
    found = pages.paginate(AlarmNamePrefix=f"{deployment.stack_name}-", StateValue="ALARM")
    return tuple(
        f"{alarm['AlarmName']}: {alarm.get('AlarmDescription', '')}" for page in found for alarm in page["MetricAlarms"]
    )


def _show(found: EnvironmentStatus, out: Output) -> None:
    out.line(f"{found.stack}: {found.state.lower().replace('_', ' ')}" + (f"   {found.url}" if found.url else ""))
    table = Table("service", "tasks", "targets", "deployment", "since", "version", box=None, pad_edge=False)
    for one in found.services:
        tasks = f"{one.running} of {one.desired}" + (f", {one.pending} starting" if one.pending else "")
        targets = "" if one.targets is None else f"{one.healthy_targets} of {one.targets} healthy"
        table.add_row(one.name, tasks, targets, one.deployment, age(one.since), one.version)
    out.console.print(table)
    if found.database:
        out.line(_database_line(found.database))
        for name, how in found.database.set_aside.items():
            out.line(f"set aside by a restore, and paid for until it is deleted: {name}\n{how}")
    for alarm in found.alarms:
        out.line(f"ALARM {alarm}")
    for failure in found.failures:
        out.line(f"failed {age(failure.at)} ago: {failure.service}: {failure.reason}")
    if found.failures:
        out.line("`failures` shows why.")


def _database_line(found: DatabaseStatus) -> str:
    free = "" if found.free_gib is None else f", {found.free_gib} free"
    connections = "" if found.connections is None else f", {found.connections} connections"
    storage = f"{found.storage_gib} GiB{free}{connections}"
    return f"database: {found.state}, {found.engine} on {found.instance_class}, {storage}"
