"""Whether the database accepts as many connections as the tasks open while a deployment replaces them."""

from collections.abc import Mapping

from infra.plan.environment import Environment
from infra.plan.instance_classes import MEMORY_GIB
from infra.plan.task_count import TaskCount
from infra.plan.tasks import Task

POOL_SIZE = "DATABASE_POOL_SIZE"
"""Variable of a container: how many connections its one process keeps open at most."""

DEFAULT_POOL_SIZE = 10
"""The API's own, where the compose file does not set the variable."""

BESIDES_POOL = 1
"""One more of each process, on which it asks whether it is ready."""

RESERVE = 10
"""Connections for RDS itself and the superusers (5), and for whoever has to look what is the matter."""

# RDS for PostgreSQL accepts LEAST(bytes of memory / 9531392, 5000) (Amazon RDS User Guide, "Quotas and constraints"),
# of the memory that the operating system leaves the database: here, nine tenths of what the instance has.
_BYTES_PER_CONNECTION = 9531392
_LEFT_FOR_DATABASE = 0.9
_MOST = 5000


def connection_problems(tasks: Mapping[str, Task], counts: Mapping[str, TaskCount], settings: Environment) -> list[str]:
    """Return what is wrong, as a sentence with the sum and three ways out; nothing when the connections fit."""
    parts = [part for name, task in tasks.items() if task.uses_database for part in _parts(task, counts[name])]
    total = sum(count for count, _ in parts) + RESERVE
    accepted = max_connections(settings.database.instance_class)
    if not parts or total <= accepted:
        return []
    listed = " + ".join([*(f"{count} ({how})" for count, how in parts), f"{RESERVE} (reserve)"])
    return [
        f"cdk.json: context.environments.{settings.name}.database.instance_class: {settings.database.instance_class} "
        f"accepts about {accepted} connections, but a deployment may need {total} = {listed}. Choose a class with "
        f"more memory; or lower services.max_tasks, or replicas in the compose file; or set {POOL_SIZE} in the "
        "environment of a service to less."
    ]


def max_connections(instance_class: str) -> int:
    """Return how many connections an instance accepts as RDS sets it up."""
    usable = MEMORY_GIB[instance_class] * 1024**3 * _LEFT_FOR_DATABASE
    return min(int(usable / _BYTES_PER_CONNECTION), _MOST)


def _parts(task: Task, count: TaskCount) -> list[tuple[int, str]]:
    name, parts = task.service.name, []
    if task.service.uses_database:
        pool = _pool_size(task.service.environment.get(POOL_SIZE))
        tasks = count.maximum_during_deployment
        parts.append((tasks * (pool + BESIDES_POOL), f"{name}: {tasks} tasks x ({pool} + {BESIDES_POOL})"))
    # An init container has one, in new tasks only.
    new = count.maximum_during_deployment - count.maximum
    parts += [
        (new, f"{container.name} in {name}: {new} new tasks x 1")
        for container in task.init_containers
        if container.uses_database
    ]
    return parts


def _pool_size(value: str | None) -> int:
    # What is no number, the service itself will complain about.
    return int(value) if value and value.isdigit() else DEFAULT_POOL_SIZE
