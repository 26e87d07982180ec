"""A plan is made of a compose file and settings that are right by themselves and together, or not at all."""

from typing import Any

import pytest

from infra.plan import PlanError, assemble
from tests.infra.conftest import CONTEXT, Workspace, settings

DEV = "cdk.json: context.environments.dev"


def problems(workspace: Workspace, **changes: Any) -> list[str]:
    """Return what is wrong with the compose file and the settings of dev with some of them changed."""
    with pytest.raises(PlanError) as refused:
        assemble(workspace.compose_file, "dev", {"dev": settings("dev", **changes)})
    assert str(refused.value) == "\n".join(refused.value.problems)
    return refused.value.problems


@pytest.mark.parametrize("name", [*CONTEXT["environments"]])
def test_the_environments_as_they_are_have_a_plan(workspace: Workspace, name: str) -> None:
    plan = assemble(workspace.compose_file, name, CONTEXT["environments"])

    assert plan.stack_name == f"catalogue-{name}"
    assert [*plan.tasks] == [*plan.counts] == ["api", "ui"]
    assert plan.settings.name == name


def test_what_is_wrong_with_the_file_and_with_the_settings_is_said_at_once(workspace: Workspace) -> None:
    workspace.replace("init: true", "privileged: true")

    first, *others = problems(workspace, database={"storage_gb": 1})

    assert first.startswith(f"{DEV}.database.storage_gb: must be greater")
    assert {other.partition(": service ")[2].partition(":")[0] for other in others} == {"migrate", "api", "ui"}


def test_what_is_wrong_with_the_two_together_is_said_at_once(workspace: Workspace) -> None:
    workspace.without_sign_in().replace("max_replicas: 4", "max_replicas: 9")

    connections, exposure = problems(workspace, services={"max_tasks": 9})

    assert connections.startswith(f"{DEV}.database.instance_class: ")
    assert exposure.startswith(f"{DEV}.public_url: everybody could use the application")


def test_without_sign_in_an_application_is_for_some_addresses_or_by_name_for_everybody(workspace: Workspace) -> None:
    workspace.without_sign_in()
    for_everybody = {"mode": "cloudfront", "open_to_the_internet": True}
    for_some = {"mode": "load_balancer", "allowed_cidrs": ["203.0.113.0/24"]}

    for public_url in (for_everybody, for_some):
        assert assemble(workspace.compose_file, "dev", {"dev": settings("dev", public_url=public_url)})


def test_an_application_without_public_services_is_exposed_to_nobody(workspace: Workspace) -> None:
    workspace.compose_file.write_text(
        "name: shop\nservices:\n  worker:\n    image: busybox:1\n"
        "    deploy: {resources: {limits: {cpus: '1', memory: 64M}}}\n"
    )

    assert assemble(workspace.compose_file, "dev", {"dev": settings("dev")}).counts["worker"].maximum == 1
