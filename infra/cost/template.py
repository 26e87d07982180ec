"""A CloudFormation template, read for what costs something: places, references, tasks and how many of them run."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from infra.template import path, reference

Properties = Mapping[str, Any]

_SPOT = "FARGATE_SPOT"
_CRON = re.compile(r"cron\((\d+) (\d+) \* \* \? \*\)")
_STOP, _START = "rds:stopDBInstance", "rds:startDBInstance"


@dataclass(frozen=True)
class TemplateResource:
    """One resource of the template."""

    name: str
    type: str
    place: str
    """Where it is in the construct tree, such as api/Service."""
    properties: Properties

    @property
    def owner(self) -> str:
        """What the tree has it below: a service of the compose file, `Database`, `Network` and so on."""
        return self.place.partition("/")[0]


@dataclass(frozen=True)
class Tasks:
    """The tasks of one service, or of a scheduled one, which has none that keep running."""

    name: str
    vcpu: float
    gb: float
    architecture: str
    minimum: int
    maximum: int
    spot_base: int
    """How many at least are not on Spot."""
    spot_share: float
    """Of the others, the share that is."""
    has_public_address: bool
    hours_awake: float
    """Hours of a day that they run."""

    def on_spot(self, count: int) -> float:
        """Return how many of `count` tasks are on Spot."""
        return max(count - self.spot_base, 0) * self.spot_share


class PricedTemplate:
    """What the rules of `estimate.py` ask of a template."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._resources = {
            name: TemplateResource(name, found["Type"], _place(name, found), found.get("Properties", {}))
            for name, found in body["Resources"].items()
        }

    def __iter__(self) -> Iterator[TemplateResource]:
        """Yield all resources, in the template's order."""
        return iter(self._resources.values())

    def of_type(self, kind: str) -> list[TemplateResource]:
        """Return the resources of a type, such as AWS::ECS::Service."""
        return [resource for resource in self if resource.type == kind]

    @cached_property
    def services(self) -> dict[str, Tasks]:
        """The tasks of each service, by its name in the compose file."""
        return {service.owner: self._tasks_of(service) for service in self.of_type("AWS::ECS::Service")}

    @cached_property
    def scheduled(self) -> dict[str, Tasks]:
        """One run of each task that no service keeps running."""
        kept = {reference(service.properties["TaskDefinition"]) for service in self.of_type("AWS::ECS::Service")}
        found = [task for task in self.of_type("AWS::ECS::TaskDefinition") if task.name not in kept]
        return {task.owner: self._tasks(task, {}, (0, 0), 24) for task in found}

    @cached_property
    def database_hours_awake(self) -> float:
        """Hours of a day that the database runs: all of them, but for what its schedules stop."""
        crons = {
            action: schedule.properties
            for schedule in self.of_type("AWS::Scheduler::Schedule")
            for action in (_STOP, _START)
            if action in str(schedule.properties["Target"]["Arn"])
        }
        stop, start = crons.get(_STOP), crons.get(_START)
        return _awake(stop["ScheduleExpression"], start["ScheduleExpression"]) if stop and start else 24

    def containers(self, service: str) -> int:
        """Return how many containers keep running in a task of the service, the proxy of Service Connect included."""
        (found,) = [one for one in self.of_type("AWS::ECS::Service") if one.owner == service]
        definition = self._resources[reference(found.properties["TaskDefinition"])].properties
        kept = [
            one
            for one in definition["ContainerDefinitions"]
            if one.get("Essential", True) or one.get("RestartPolicy", {}).get("Enabled")
        ]
        return len(kept) + (1 if found.properties.get("ServiceConnectConfiguration", {}).get("Enabled") else 0)

    def _tasks_of(self, service: TemplateResource) -> Tasks:
        task = self._resources[reference(service.properties["TaskDefinition"])]
        desired = int(service.properties.get("DesiredCount", 1))
        bounds, hours = (desired, desired), 24.0
        for target in self.of_type("AWS::ApplicationAutoScaling::ScalableTarget"):
            if service.name in mentioned(target.properties["ResourceId"]):
                bounds = int(target.properties["MinCapacity"]), int(target.properties["MaxCapacity"])
                hours = _hours_awake(target.properties.get("ScheduledActions", []))
        return self._tasks(task, service.properties, bounds, hours)

    def _tasks(self, task: TemplateResource, service: Properties, bounds: tuple[int, int], hours: float) -> Tasks:
        strategy = service.get("CapacityProviderStrategy", [])
        weights = {one["CapacityProvider"]: one.get("Weight", 0) for one in strategy}
        network = service.get("NetworkConfiguration", {}).get("AwsvpcConfiguration", {})
        return Tasks(
            name=task.owner,
            vcpu=int(task.properties["Cpu"]) / 1024,
            gb=int(task.properties["Memory"]) / 1024,
            architecture=str(task.properties.get("RuntimePlatform", {}).get("CpuArchitecture", "X86_64")).lower(),
            minimum=bounds[0],
            maximum=bounds[1],
            spot_base=sum(one.get("Base", 0) for one in strategy if one["CapacityProvider"] != _SPOT),
            spot_share=weights.get(_SPOT, 0) / sum(weights.values()) if weights else 0,
            has_public_address=network.get("AssignPublicIp") == "ENABLED",
            hours_awake=hours,
        )


def _place(name: str, resource: Mapping[str, Any]) -> str:
    return path(name, resource).removesuffix("/Resource").removesuffix("/Service/Service")


def mentioned(value: Any) -> set[str]:
    """Return the names of all resources that a value refers to."""
    if isinstance(value, dict):
        if "Ref" in value or "Fn::GetAtt" in value:
            return {reference(value)}
        value = list(value.values())
    return set().union(*map(mentioned, value)) if isinstance(value, list) else set()


def _hours_awake(actions: list[Properties]) -> float:
    stop = [one["Schedule"] for one in actions if one["ScalableTargetAction"]["MaxCapacity"] == 0]
    start = [one["Schedule"] for one in actions if one["ScalableTargetAction"]["MaxCapacity"] > 0]
    return _awake(stop[0], start[0]) if stop and start else 24


def _awake(stop: str, start: str) -> float:
    """Return the hours of a day from `start` to `stop`, both of which come once a day."""
    (stops, starts) = (_minute_of_day(expression) for expression in (stop, start))
    return ((stops - starts) % 1440 or 1440) / 60


def _minute_of_day(expression: str) -> int:
    found = _CRON.fullmatch(expression)
    if found is None:
        raise ValueError(f"{expression} is not once a day")
    return int(found[2]) * 60 + int(found[1])
