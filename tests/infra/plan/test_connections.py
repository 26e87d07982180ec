"""Whether the database accepts what the tasks open during a deployment."""

from typing import Any

import pytest

from infra.plan import PlanError, assemble
from infra.plan.connections import max_connections
from tests.infra.conftest import Workspace, settings


def problems(workspace: Workspace, name: str = "dev", **changes: Any) -> list[str]:
    """Return what is said about an environment with changed settings."""
    try:
        assemble(workspace.compose_file, name, {name: settings(name, **changes)})
    except PlanError as error:
        return error.problems
    return []


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_environments_as_they_are_fit(workspace: Workspace, name: str) -> None:
    assert problems(workspace, name) == []


def test_too_many_are_refused_with_the_sum_and_three_ways_out(workspace: Workspace) -> None:
    workspace.replace("max_replicas: 4", "max_replicas: 10")

    (problem,) = problems(workspace, services={"max_tasks": 10})

    assert problem == (
        "cdk.json: context.environments.dev.database.instance_class: db.t4g.small accepts about 202 connections, but a "
        "deployment may need 240 = 220 (api: 20 tasks x (10 + 1)) + 10 (migrate in api: 10 new tasks x 1) "
        "+ 10 (reserve). "
        "Choose a class with more memory; or lower services.max_tasks, or replicas in the compose file; or set "
        "DATABASE_POOL_SIZE in the environment of a service to less."
    )


@pytest.mark.parametrize(
    "way_out",
    [
        {"services": {"max_tasks": 3}},
        {"services": {"max_tasks": 10}, "database": {"instance_class": "db.t4g.medium"}},
    ],
)
def test_two_ways_out_are_settings(workspace: Workspace, way_out: dict[str, Any]) -> None:
    workspace.replace("max_replicas: 4", "max_replicas: 10")

    assert problems(workspace, **way_out) == []


def test_the_third_way_out_is_a_smaller_pool(workspace: Workspace) -> None:
    workspace.replace("max_replicas: 4", "max_replicas: 10")
    workspace.replace("PGUSER: catalogue_api", 'PGUSER: catalogue_api\n      DATABASE_POOL_SIZE: "5"')

    assert problems(workspace, services={"max_tasks": 10}) == []


def test_without_a_database_nothing_is_counted(workspace: Workspace) -> None:
    workspace.compose_file.write_text(
        "name: shop\nservices:\n  web:\n    image: busybox:1\n"
        "    deploy: {replicas: 99, resources: {limits: {cpus: '1', memory: 64M}}}\n"
    )

    assert problems(workspace) == []


@pytest.mark.parametrize(
    ("instance_class", "expected"),
    [("db.t4g.micro", 101), ("db.t4g.small", 202), ("db.t4g.medium", 405), ("db.r8g.16xlarge", 5000)],
)
def test_more_memory_accepts_more(instance_class: str, expected: int) -> None:
    assert max_connections(instance_class) == expected
