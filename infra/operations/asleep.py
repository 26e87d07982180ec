"""What `make sleep` and `make wake` have to do with: the services and the database of a deployed stack."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3

from infra.cost.template import mentioned
from infra.operations import stacks

_POLL_SECONDS = 5
_TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
_DIMENSION = "ecs:service:DesiredCount"


class AsleepError(Exception):
    """The stack cannot be put to sleep or woken; the message says what is to be done."""


@dataclass(frozen=True)
class ScaledService:
    """A service, and how many tasks its template wants at least and at most."""

    cluster: str
    name: str
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Sleeper:
    """All of a stack that sleeps."""

    stack_name: str
    services: tuple[ScaledService, ...]
    database: str
    """The instance's identifier; empty where there is none."""
    starts: str
    """The schedule that starts the database; empty where there is no database."""


def sleeper(session: boto3.Session, stack_name: str) -> Sleeper:
    """Return what sleeps of a stack.

    Raises:
        AsleepError: there is no such stack, or its template has no hours asleep.
        BotoCoreError, ClientError: AWS refused, or there are no credentials.
    """
    template = stacks.template(session, stack_name)
    if template is None:
        raise AsleepError(f"there is no stack {stack_name} in {session.region_name}")
    resources = template["Resources"]
    physical = {one.logical: one.physical for one in stacks.resources(session, stack_name)}
    databases = [name for name, one in resources.items() if one["Type"] == "AWS::RDS::DBInstance"]
    starts = [name for name, one in resources.items() if _starts_database(one)]
    targets = [one["Properties"] for one in resources.values() if one["Type"] == _TARGET]
    scheduled = [one for one in targets if one.get("ScheduledActions")]
    if (databases and not starts) or not scheduled:
        raise AsleepError(
            f"{stack_name} has no hours in which it sleeps: set services.asleep in cdk.json, such as "
            '"20:00-08:00 America/Sao_Paulo", and make deploy. Its schedule is also what stops the database again, '
            "which RDS starts by itself after seven days"
        )
    services = []
    for target in scheduled:
        (service,) = [
            name for name in mentioned(target["ResourceId"]) if resources[name]["Type"] == "AWS::ECS::Service"
        ]
        cluster, name = physical[service].split("/")[-2:]  # arn:aws:ecs:region:account:service/cluster/name
        services.append(ScaledService(cluster, name, int(target["MinCapacity"]), int(target["MaxCapacity"])))
    return Sleeper(
        stack_name,
        tuple(services),
        physical[databases[0]] if databases else "",
        physical[starts[0]] if starts else "",
    )


def run_tasks(session: boto3.Session, service: ScaledService, *, asleep: bool) -> None:
    """Run no task of a service, and leave its clock aside; or as many as its template says, and mind the clock."""
    session.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=f"service/{service.cluster}/{service.name}",
        ScalableDimension=_DIMENSION,
        MinCapacity=0 if asleep else service.minimum,
        MaxCapacity=0 if asleep else service.maximum,
        SuspendedState={"ScheduledScalingSuspended": asleep},
    )
    count = 0 if asleep else service.minimum
    session.client("ecs").update_service(cluster=service.cluster, service=service.name, desiredCount=count)


def mind_the_clock(session: boto3.Session, schedule: str, *, asleep: bool) -> None:
    """Have the database started by its schedule, or not; the one that stops it goes on for ever."""
    scheduler = session.client("scheduler")
    said: Any = scheduler.get_schedule(Name=schedule)
    kept = ("Name", "GroupName", "Description", "ScheduleExpression", "ScheduleExpressionTimezone", "Target")
    known = {key: said[key] for key in (*kept, "FlexibleTimeWindow") if said.get(key)}
    scheduler.update_schedule(**known, State="DISABLED" if asleep else "ENABLED")


def database_status(session: boto3.Session, identifier: str) -> str:
    """Return what RDS says of an instance, such as available, stopping or stopped."""
    (found,) = session.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
    return found["DBInstanceStatus"]


def wait_for(what: str, is_so: Callable[[], bool], seconds: float) -> None:
    """Wait until something is so; raise `AsleepError` when it is not in time."""
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise AsleepError(f"{what} took more than {seconds:.0f} s; run it again later")
        time.sleep(_POLL_SECONDS)


def _starts_database(resource: dict[str, Any]) -> bool:
    target = resource.get("Properties", {}).get("Target", {})
    return resource["Type"] == "AWS::Scheduler::Schedule" and bool(re.search("rds:startDBInstance", str(target)))
