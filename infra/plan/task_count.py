"""How many tasks of a service there are, and how many while a deployment replaces them."""

from dataclasses import dataclass

from infra.compose.model import Service
from infra.plan import environment

# A deployment starts as many new tasks as there are old ones before it stops those: never fewer than before.
MINIMUM_HEALTHY_PERCENT = 100
MAXIMUM_PERCENT = 200


@dataclass(frozen=True)
class TaskCount:
    """Fewest and most tasks of a service; the same number for one that does not scale."""

    fewest: int
    most: int

    @property
    def most_during_deployment(self) -> int:
        """Old and new tasks together."""
        return self.most * MAXIMUM_PERCENT // 100


def task_count(service: Service, settings: environment.Services) -> TaskCount:
    """Return what the compose file asks for, within what the environment allows a service that scales."""
    if service.autoscaling is None:
        return TaskCount(service.replicas, service.replicas)
    fewest = min(max(service.replicas, settings.min_tasks), settings.max_tasks)
    return TaskCount(fewest, max(fewest, min(service.autoscaling.max_replicas, settings.max_tasks)))
