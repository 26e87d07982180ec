"""Which containers run together, and how large a task they need."""

from pathlib import Path

import pytest

from infra.compose import ComposeError, read
from infra.plan.fargate import Size
from infra.plan.tasks import Task, tasks
from testkit.tools import ROOT


def planned(folder: Path, services: str) -> dict[str, Task]:
    """Return the tasks of a compose file with these services."""
    file = folder / "docker-compose.yml"
    file.write_text(f"name: shop\nservices:\n{services}")
    return tasks(read(file))


def service(name: str, cpus: float = 0.25, memory: int = 128, extra: str = "") -> str:
    """Return a service of a compose file."""
    limits = f"{{resources: {{limits: {{cpus: '{cpus}', memory: {memory}M}}}}}}"
    return f"  {name}:\n    image: busybox:1\n    deploy: {limits}\n" + (f"    {extra}\n" if extra else "")


def test_the_real_file_is_two_tasks_with_the_migration_in_the_apis() -> None:
    found = tasks(read(ROOT / "docker-compose.yml"))

    assert {name: [container.name for container in task.containers] for name, task in found.items()} == {
        "api": ["migrate", "api"],
        "ui": ["ui"],
    }
    assert found["ui"].reaches == ("api",)
    assert found["api"].is_reached
    assert found["api"].uses_database
    assert not found["ui"].uses_database


def test_memory_adds_up_and_cpus_are_used_in_turn(tmp_path: Path) -> None:
    services = service("first", cpus=2, memory=3000) + service(
        "web", cpus=0.5, memory=1100, extra="depends_on: {first: {condition: service_completed_successfully}}"
    )

    assert planned(tmp_path, services)["web"].size == Size(2048, 5120)


def test_the_proxy_of_service_connect_gets_memory_where_names_are_used(tmp_path: Path) -> None:
    public = "x-aws: {public: {paths: [/*], health_path: /}}"
    alone = service("web", memory=512, extra=f"ports: ['8000']\n    {public}")
    with_client = alone + service("worker", memory=512, extra="depends_on: [web]")

    assert planned(tmp_path, alone)["web"].size == Size(256, 512)
    assert {name: task.size for name, task in planned(tmp_path, with_client).items()} == {
        "web": Size(256, 1024),
        "worker": Size(256, 1024),
    }


def test_a_service_without_ports_cannot_be_waited_for_as_nobody_reaches_it(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match=r"depends_on\.worker: worker has no port, so on AWS nobody reaches it"):
        planned(tmp_path, service("worker") + service("other", extra="depends_on: [worker]"))


def test_a_one_shot_can_wait_for_another_and_serve_two_tasks(tmp_path: Path) -> None:
    completed = "condition: service_completed_successfully"
    found = planned(
        tmp_path,
        service("seed", extra=f"depends_on: {{migrate: {{{completed}}}}}")
        + service("migrate")
        + service("web", extra=f"depends_on: {{migrate: {{{completed}}}, seed: {{{completed}}}}}")
        + service("worker", extra=f"depends_on: {{migrate: {{{completed}}}}}"),
    )

    assert {name: [one.name for one in task.init_containers] for name, task in found.items()} == {
        "web": ["migrate", "seed"],
        "worker": ["migrate"],
    }


def test_all_that_fit_no_size_are_named_at_once_with_their_service(tmp_path: Path) -> None:
    with pytest.raises(ComposeError) as refused:
        planned(tmp_path, service("web", cpus=64) + service("fine") + service("worker", memory=900_000))

    web, worker = str(refused.value).splitlines()
    assert web.startswith(f"{tmp_path}/docker-compose.yml: service web: deploy.resources.limits: ")
    assert "(web) need 64 CPUs with 128 MiB, which fit no Fargate size; the largest are 8 CPUs" in web
    assert "(worker) need 0.25 CPUs with 900000 MiB" in worker


def test_a_task_that_runs_by_the_clock_reaches_nobody_by_name_but_has_what_must_succeed_before_it(
    tmp_path: Path,
) -> None:
    conditions = "{api: {condition: service_started}, migrate: {condition: service_completed_successfully}}"
    extra = f"x-aws: {{schedule: rate(1 hour)}}\n    depends_on: {conditions}"
    found = planned(
        tmp_path,
        service("migrate")
        + service("api", extra='expose: ["8000"]')
        + service(
            "web", extra='ports: ["80"]\n    depends_on: [api]\n    x-aws: {public: {paths: [/*], health_path: /}}'
        )
        + service("report", extra=extra),
    )

    assert [container.name for container in found["report"].containers] == ["migrate", "report"]
    assert (found["report"].reaches, found["report"].uses_service_connect) == ((), False)
    assert (found["web"].reaches, found["api"].is_reached) == (("api",), True)
