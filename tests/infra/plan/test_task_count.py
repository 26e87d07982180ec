"""How many tasks of a service there are."""

from pathlib import Path

import pytest

from infra.compose import read
from infra.plan.environment import ServicesSettings
from infra.plan.task_count import TaskCount, task_count


def counted(folder: Path, *, replicas: int, most: int | None, min_tasks: int = 1, max_tasks: int = 10) -> TaskCount:
    """Return the number of tasks of a service that scales up to `most`, or not at all."""
    scaling = f"    x-aws: {{autoscaling: {{max_replicas: {most}, cpu_percent: 50}}}}\n" if most else ""
    file = folder / "docker-compose.yml"
    file.write_text(
        "name: shop\nservices:\n  web:\n    image: busybox:1\n"
        f"    deploy: {{replicas: {replicas}, resources: {{limits: {{cpus: '0.25', memory: 64M}}}}}}\n{scaling}"
    )
    settings = ServicesSettings(min_tasks=min_tasks, max_tasks=max_tasks, spot_percent=0, ecs_exec=False)
    return task_count(read(file).services["web"], settings)


def test_a_service_that_does_not_scale_has_its_replicas_whatever_the_environment_says(tmp_path: Path) -> None:
    assert counted(tmp_path, replicas=1, most=None, min_tasks=2) == TaskCount(1, 1)
    assert counted(tmp_path, replicas=9, most=None, max_tasks=2) == TaskCount(9, 9)


@pytest.mark.parametrize(
    ("replicas", "most", "min_tasks", "max_tasks", "expected"),
    [
        (1, 4, 1, 10, TaskCount(1, 4)),
        (1, 4, 2, 10, TaskCount(2, 4)),
        (3, 4, 2, 10, TaskCount(3, 4)),
        (1, 4, 1, 2, TaskCount(1, 2)),
        (3, 4, 1, 2, TaskCount(2, 2)),
        (1, 2, 3, 10, TaskCount(3, 3)),
    ],
)
def test_a_service_that_scales_stays_within_the_environments_bounds(
    tmp_path: Path, replicas: int, most: int, min_tasks: int, max_tasks: int, expected: TaskCount
) -> None:
    assert counted(tmp_path, replicas=replicas, most=most, min_tasks=min_tasks, max_tasks=max_tasks) == expected


def test_a_deployment_runs_old_and_new_tasks_side_by_side() -> None:
    assert TaskCount(2, 4).maximum_during_deployment == 8


def test_of_a_service_that_stops_first_there_is_never_a_second_task(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    resources = "resources: {limits: {cpus: '0.25', memory: 64M}}"
    file.write_text(
        f"name: shop\nservices: {{beat: {{image: x, deploy: {{update_config: {{order: stop-first}}, {resources}}}}}}}\n"
    )
    settings = ServicesSettings(min_tasks=2, max_tasks=10, spot_percent=0, ecs_exec=False)
    count = task_count(read(file).services["beat"], settings)

    assert (count.minimum, count.maximum, count.maximum_during_deployment) == (1, 1, 1)
    assert (count.minimum_healthy_percent, count.maximum_percent) == (0, 100)


@pytest.mark.parametrize(("overlap", "most"), [("false", 1), ("true", 2)])
def test_a_task_that_runs_by_the_clock_is_one_and_two_only_where_runs_may_overlap(
    tmp_path: Path, overlap: str, most: int
) -> None:
    file = tmp_path / "docker-compose.yml"
    file.write_text(
        "name: shop\nservices:\n  job:\n    image: busybox:1\n"
        "    deploy: {resources: {limits: {cpus: '0.25', memory: 64M}}}\n"
        f"    x-aws: {{schedule: {{expression: rate(1 hour), overlap: {overlap}}}}}\n"
    )
    settings = ServicesSettings(min_tasks=2, max_tasks=10, spot_percent=0, ecs_exec=False)

    assert task_count(read(file).services["job"], settings).maximum_during_deployment == most
