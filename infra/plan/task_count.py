"""How many tasks of a service there are, and how many while a deployment replaces them."""

from dataclasses import dataclass

from infra.compose.model import ServiceDefinition
from infra.plan.environment import ServicesSettings


@dataclass(frozen=True)
class TaskCount:
    """Fewest and most tasks of a service; the same number for one that does not scale."""

    minimum: int
    maximum: int
    stops_first: bool = False

    @property
    def minimum_healthy_percent(self) -> int:
        """How many tasks a deployment leaves: all of them, unless there must never be more."""
        return 0 if self.stops_first else 100

    @property
    def maximum_percent(self) -> int:
        """How many tasks a deployment goes up to: as many new ones as there are old ones, before it stops those."""
        return 100 if self.stops_first else 200

    @property
    def failures_in_deployment(self) -> int:
        """How many tasks may fail before a deployment is taken back: half of them, and two where there are few."""
        return max(2, self.minimum // 2)

    @property
    def maximum_during_deployment(self) -> int:
        """Old and new tasks together."""
        return self.maximum * self.maximum_percent // 100


def task_count(service: ServiceDefinition, settings: ServicesSettings) -> TaskCount:
    """Return what the compose file asks for, within what the environment allows a service that scales."""
    if service.schedule:
        return TaskCount(1, 1, stops_first=not service.schedule.may_overlap)
    if service.autoscaling is None:
        return TaskCount(service.replicas, service.replicas, service.stops_first)
    minimum = min(max(service.replicas, settings.min_tasks), settings.max_tasks)
    return TaskCount(minimum, max(minimum, min(service.autoscaling.max_replicas, settings.max_tasks)))
