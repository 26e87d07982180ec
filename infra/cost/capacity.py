"""What a stack carries, what it takes to carry more, what breaks next, and what each step costs.

Reckoned, not measured on AWS: the rates are those of `make bench` on the machine that ran it, taken down for a vCPU of
AWS, and times from a queueing model that `make bench PART=capacity` holds against a measured curve.
"""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.cost.estimate import estimate
from infra.cost.measured import Carried, carried
from infra.cost.prices import HOURS, NoPriceError, Prices
from infra.cost.queueing import p95_seconds
from infra.cost.template import PricedTemplate, Tasks
from infra.cost.usage import Usage
from infra.plan.connections import BESIDES_POOL, DEFAULT_POOL_SIZE, RESERVE, max_connections
from infra.template import owner

MIX: Mapping[str, float] = {"read": 0.8, "first page": 0.15, "create": 0.05}
"""Of the requests: one product, a page of the list, a new product."""

ANSWER_KB = 2.2
"""An answer of the mix: 0.3 kB for one product, 13 kB for a page."""

TARGETS = (100, 1_000, 10_000, 100_000)
"""Requests a second, for docs/scaling.md."""

BUSY = 0.6
"""How busy tasks and database may be: what `x-aws.autoscaling.cpu_percent` keeps tasks at."""

VCPU = 0.7
"""A vCPU of AWS, which is a thread of a core, against a CPU of the machine that measured: assumed."""

AVERAGE = 0.25
"""The average of a month, of its busiest second: assumed."""

UNLOADED_SECONDS = 0.005
"""What a request takes that waits for no other, through load balancer, task and database: assumed."""


# vCPUs, and the share of them that a burstable class has all day (Amazon RDS User Guide, "DB instance classes").
_CLASSES: Mapping[str, tuple[int, float]] = {
    "db.t4g.micro": (2, 0.1),
    "db.t4g.small": (2, 0.2),
    "db.t4g.medium": (2, 0.2),
    "db.t4g.large": (2, 0.3),
    "db.m7g.large": (2, 1),
    "db.m7g.xlarge": (4, 1),
    "db.m7g.2xlarge": (8, 1),
}
_LARGEST = "db.m7g.2xlarge"


@dataclass(frozen=True, kw_only=True)
class CarriedStack:
    """What one task and a whole stack carry, in requests a second."""

    per_task: float
    minimum: float
    maximum: float
    database: float
    connections: int
    """Of all tasks at most, while a deployment replaces them."""
    accepted: int
    """By the database."""
    p95: float
    """Seconds, where tasks are as busy as they may be."""
    usd_per_million: float
    """At the fewest tasks, as busy as they may be all month."""


@dataclass(frozen=True, kw_only=True)
class ScalingStep:
    """What carries so many requests a second at the busiest time."""

    target: float
    tasks: int
    size: str
    """Of each of them."""
    instance_class: str
    replicas: int
    pool: int
    """Connections of each task at most."""
    connections: int
    accepted: int
    p95: float
    usd: float
    """A month."""
    usd_per_million: float
    breaks_next: str


def stack(body: Mapping[str, Any], prices: Prices, api: str, measured: Carried | None = None) -> CarriedStack:
    """Return what the template carries; `api` is the service that answers.

    Raises:
        NoPriceError, ValueError: there is no price, or no measured rate, of something.
    """
    measured = measured or carried(MIX)
    template = PricedTemplate(body)
    tasks, instance_class = template.services[api], _instance_class(template)
    per_task = _per_task(tasks, measured)
    requests = tasks.minimum * per_task * HOURS * 3600
    usd = estimate(body, prices, Usage(requests_million=requests / 1e6, answer_kb=ANSWER_KB)).minimum
    return CarriedStack(
        per_task=per_task,
        minimum=tasks.minimum * per_task,
        maximum=tasks.maximum * per_task,
        database=_database(instance_class, measured),
        connections=_connections(tasks.maximum, DEFAULT_POOL_SIZE),
        accepted=max_connections(instance_class),
        p95=p95_seconds(per_task, per_task / BUSY, UNLOADED_SECONDS),
        usd_per_million=usd / (requests / 1e6),
    )


def step(
    target: float, body: Mapping[str, Any], prices: Prices, api: str, measured: Carried | None = None
) -> ScalingStep:
    """Return what carries `target` requests a second at the busiest time, and what breaks first beyond it.

    Raises:
        NoPriceError, ValueError: there is no price, or no measured rate, of something.
    """
    measured = measured or carried(MIX)
    template = PricedTemplate(body)
    tasks = template.services[api]
    count = max(tasks.minimum, math.ceil(target / _per_task(tasks, measured)))
    instance_class = _class_for(target, _instance_class(template), prices, measured)
    replicas = max(0, math.ceil(target / _database(instance_class, measured)) - 1)
    accepted = max_connections(instance_class)
    # Reads are spread over the replicas; connections with them.
    pool = min(DEFAULT_POOL_SIZE, int((accepted - RESERVE) * (1 + replicas) / (2 * count)) - BESIDES_POOL)
    grown = _grown(body, template, api, count, instance_class)
    requests = target * AVERAGE * HOURS * 3600 / 1e6
    usd = estimate(grown, prices, Usage(requests_million=requests, answer_kb=ANSWER_KB)).minimum
    usd += replicas * HOURS * prices[f"rds_{instance_class}_hour"]
    return ScalingStep(
        target=target,
        tasks=count,
        size=f"{tasks.vcpu:g} CPU, {tasks.gb:g} GB",
        instance_class=instance_class,
        replicas=replicas,
        pool=max(pool, 0),
        connections=_connections(count, max(pool, 0)),
        accepted=accepted * (1 + replicas),
        p95=p95_seconds(target / count, _per_task(tasks, measured) / BUSY, UNLOADED_SECONDS),
        usd=usd,
        usd_per_million=usd / requests,
        breaks_next=_breaks_next(instance_class, replicas, pool),
    )


def _per_task(tasks: Tasks, measured: Carried) -> float:
    """Return the requests a second of a task as busy as it may be; it has one process, so one CPU at most."""
    return measured.api * min(tasks.vcpu, 1) * VCPU * BUSY


def _database(instance_class: str, measured: Carried) -> float:
    vcpus, share = _CLASSES[instance_class]
    return measured.database * vcpus * share * VCPU * BUSY


def _class_for(target: float, now: str, prices: Prices, measured: Carried) -> str:
    """Return the smallest class from `now` on that carries the target by itself, or the largest that has a price."""
    names = list(_CLASSES)
    for name in names[names.index(now) :]:
        try:
            prices[f"rds_{name}_multi_az_hour"]
        except NoPriceError:
            continue
        if _database(name, measured) >= target or name == _LARGEST:
            return name
    return now


def _instance_class(template: PricedTemplate) -> str:
    (instance,) = template.of_type("AWS::RDS::DBInstance")
    found = str(instance.properties["DBInstanceClass"])
    if found not in _CLASSES:
        raise ValueError(f"infra/cost/capacity.py does not know how much {found} carries")
    return found


def _connections(tasks: int, pool: int) -> int:
    return 2 * tasks * (pool + BESIDES_POOL) + RESERVE


def _grown(
    body: Mapping[str, Any], template: PricedTemplate, api: str, count: int, instance_class: str
) -> dict[str, Any]:
    """Return the template with so many tasks of the API, awake all day, and another class of database."""
    grown = copy.deepcopy(dict(body))
    for name, resource in grown["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::ApplicationAutoScaling::ScalableTarget":
            properties.pop("ScheduledActions", None)
            if owner(name, resource) == api:
                properties["MinCapacity"] = properties["MaxCapacity"] = count
        elif resource["Type"] == "AWS::RDS::DBInstance":
            properties["DBInstanceClass"] = instance_class
    for schedule in template.of_type("AWS::Scheduler::Schedule"):
        if schedule.owner == "Database":
            del grown["Resources"][schedule.name]
    return grown


def _breaks_next(instance_class: str, replicas: int, pool: int) -> str:
    if replicas > 5:
        return "writes: all go to one database; shard by supplier, each with a database of its own"
    if replicas:
        return "more replicas than RDS follows well (15 at most): Aurora, and pages cached at the entrance for seconds"
    if instance_class == _LARGEST:
        return "the database's CPU: read replicas for GET, which the API has to be taught"
    if pool < DEFAULT_POOL_SIZE:
        return "connections: a pooler (PgBouncer in session mode), or tasks of 1 vCPU, which are half as many"
    if instance_class.startswith("db.t"):
        return "the database's CPU credits: a class that does not burst"
    return "the database's CPU: the next class"
