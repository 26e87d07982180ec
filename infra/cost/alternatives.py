"""What each safety feature adds to the cost, and what would be cheaper: the template changed, and the sums compared."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.cost.estimate import estimate
from infra.cost.prices import NoPriceError, Prices
from infra.cost.usage import Usage

Body = dict[str, Any]


@dataclass(frozen=True)
class Alternative:
    """A cheaper way, which a setting of cdk.json chooses."""

    setting: str
    buys: str
    """What the environment has now, in a few words."""
    gives_up: str
    change: Callable[[Body], None]


@dataclass(frozen=True)
class Saving:
    """An alternative, and the US$ a month that it saves at the fewest tasks."""

    alternative: Alternative
    usd: float


def savings(body: Mapping[str, Any], prices: Prices, usage: Usage | None = None) -> list[Saving]:
    """Return what would save something, the most first; what the region has no price for is left out.

    Raises:
        NoPriceError: the region has no price for something in the template itself.
    """
    now = estimate(body, prices, usage).minimum
    found = []
    for alternative in ALTERNATIVES:
        changed = copy.deepcopy(dict(body))
        alternative.change(changed)
        try:
            saved = now - estimate(changed, prices, usage).minimum
        except NoPriceError:
            continue
        if saved >= 0.005:
            found.append(Saving(alternative, saved))
    return sorted(found, key=lambda saving: -saving.usd)


def _set(kind: str, **values: Any) -> Callable[[Body], None]:
    """Return what sets properties of all resources of a type."""

    def change(body: Body) -> None:
        for resource in body["Resources"].values():
            if resource["Type"] == kind:
                resource["Properties"].update(values)

    return change


def _without(*kinds: str, keeping: int = 0) -> Callable[[Body], None]:
    """Return what removes all resources of some types but `keeping` of each."""

    def change(body: Body) -> None:
        resources = body["Resources"]
        for kind in kinds:
            for name in [name for name, resource in resources.items() if resource["Type"] == kind][keeping:]:
                del resources[name]

    return change


def _without_gateways(body: Body) -> None:
    if not any(resource["Type"] == "AWS::EC2::NatGateway" for resource in body["Resources"].values()):
        return
    _without("AWS::EC2::NatGateway", "AWS::EC2::EIP")(body)
    for resource in body["Resources"].values():
        if resource["Type"] == "AWS::ECS::Service":
            resource["Properties"]["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] = "ENABLED"


def _one_task(body: Body) -> None:
    for resource in body["Resources"].values():
        if resource["Type"] == "AWS::ApplicationAutoScaling::ScalableTarget":
            resource["Properties"]["MinCapacity"] = min(1, resource["Properties"]["MinCapacity"])


def _asleep(body: Body) -> None:
    """Twelve hours a day; what sleeps already does not sleep more, and what is protected is not for office hours."""
    databases = [one for one in body["Resources"].values() if one["Type"] == "AWS::RDS::DBInstance"]
    is_protected = any(one["Properties"].get("DeletionProtection") for one in databases)
    if is_protected or "rds:stopDBInstance" in str(body):
        return
    actions = [
        {"Schedule": "cron(0 20 * * ? *)", "ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": 0}},
        {"Schedule": "cron(0 8 * * ? *)", "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 1}},
    ]
    _set("AWS::ApplicationAutoScaling::ScalableTarget", ScheduledActions=actions)(body)
    for name, cron in (("stop", "cron(0 20 * * ? *)"), ("start", "cron(0 8 * * ? *)")):
        target = {"Arn": f"arn:aws:scheduler:::aws-sdk:rds:{name}DBInstance"}
        properties = {"ScheduleExpression": cron, "Target": target}
        body["Resources"][f"Asleep{name}"] = {"Type": "AWS::Scheduler::Schedule", "Properties": properties}


ALTERNATIVES = (
    Alternative(
        'services.asleep: "20:00-08:00 America/Sao_Paulo"',
        "tasks and database by night too",
        "nothing answers from 20:00 to 08:00, unless make wake says so",
        _asleep,
    ),
    Alternative(
        "network.nat_gateways: 0",
        "tasks in subnets without public addresses, a way out in each zone",
        "tasks have public addresses; still nothing outside reaches them, as their rules let nothing in",
        _without_gateways,
    ),
    Alternative(
        "network.nat_gateways: 1",
        "a way out in each of two zones",
        "when the one zone fails, tasks in the other cannot be started, and cannot check new sign-in keys",
        _without("AWS::EC2::NatGateway", "AWS::EC2::EIP", keeping=1),
    ),
    Alternative(
        "services.min_tasks: 1",
        "two tasks of each service, in two zones",
        "a task or zone that fails is an outage of a minute or two",
        _one_task,
    ),
    Alternative(
        "services.spot_percent: 100",
        "tasks that AWS does not stop",
        "AWS may stop a task at two minutes' notice, and may have none to start for a while",
        _set("AWS::ECS::Service", CapacityProviderStrategy=[{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}]),
    ),
    Alternative(
        "architecture: arm64",
        "images that every workstation builds",
        "images for ARM: built slowly on other workstations, and rehearsed only on an ARM one",
        _set("AWS::ECS::TaskDefinition", RuntimePlatform={"CpuArchitecture": "ARM64"}),
    ),
    Alternative(
        "database.multi_az: false",
        "a standby that takes over in a minute or two",
        "a database or zone that fails is an outage of ten minutes and more, and a maintenance of some minutes",
        _set("AWS::RDS::DBInstance", MultiAZ=False),
    ),
    Alternative(
        "database.instance_class: db.t4g.micro, without x-aws.database_sign_in: iam",
        "memory for sign-in to the database by token, and half as much again",
        "the API signs in with a password; half the connections",
        _set("AWS::RDS::DBInstance", DBInstanceClass="db.t4g.micro"),
    ),
    Alternative(
        "database.own_key: false",
        "a key of your own, which you can take away",
        "the account's key for RDS, which AWS manages",
        _without("AWS::KMS::Key"),
    ),
    Alternative(
        "database.insights: false",
        "who loads the database, and its log, for as long as logs are kept",
        "the log in RDS for three days, and no look into the operating system",
        _set("AWS::RDS::DBInstance", EnableCloudwatchLogsExports=[], MonitoringInterval=0),
    ),
    Alternative(
        "web_acl: false",
        "a firewall against known attacks, and a limit on requests of each address",
        "only the application's own checks",
        _without("AWS::WAFv2::WebACL"),
    ),
    Alternative(
        "monitoring.container_insights: disabled",
        "CPU, memory and network of each task and container",
        "CPU and memory of each service, which are free",
        _set("AWS::ECS::Cluster", ClusterSettings=[]),
    ),
    Alternative(
        "monitoring.traffic_logs: false",
        "who connected to what, and every request, for as long as logs are kept",
        "no trace of who came in after an attack",
        _without("AWS::EC2::FlowLog", "AWS::S3::Bucket"),
    ),
)
"""Cheaper ways, and what each gives up; one that an environment already goes saves nothing, and is not shown."""
