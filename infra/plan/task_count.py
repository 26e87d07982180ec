"""How many tasks of a service there are, and how many while a deployment replaces them."""

from dataclasses import dataclass

from infra.compose.model import ServiceDefinition
from infra.plan.environment import ServicesSettings

# A deployment starts as many new tasks as there are old ones before it stops those: never fewer than before.
MINIMUM_HEALTHY_PERCENT = 100
MAXIMUM_PERCENT = 200


@dataclass(frozen=True)
class TaskCount:
    """Fewest and most tasks of a service; the same number for one that does not scale."""

    minimum: int
    maximum: int

    @property
    def failures_in_deployment(self) -> int:
        """How many tasks may fail before a deployment is taken back: half of them, and two where there are few."""
        return max(2, self.minimum // 2)

    @property
    def maximum_during_deployment(self) -> int:
        """Old and new tasks together."""
        return self.maximum * MAXIMUM_PERCENT // 100


def task_count(service: ServiceDefinition, settings: ServicesSettings) -> TaskCount:
    """Return what the compose file asks for, within what the environment allows a service that scales."""
    if service.autoscaling is None:
        return TaskCount(service.replicas, service.replicas)
    minimum = min(max(service.replicas, settings.min_tasks), settings.max_tasks)
    return TaskCount(minimum, max(minimum, min(service.autoscaling.max_replicas, settings.max_tasks)))
