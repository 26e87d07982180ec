"""The collector of traces that `monitoring.traces` puts beside the services that are built here."""

from typing import Any

import pytest
import yaml

from infra.plan import collector
from tests.infra.conftest import Template, Workspace, settings

TRACES = {"monitoring": {"traces": True}}


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The template of prod with traces."""
    return Workspace(tmp_path_factory.mktemp("traced")).template("prod", settings("prod", **TRACES))


def allowed(template: Template, service: str) -> set[str]:
    statements: list[Any] = []
    for place, policy in template.resources("IAM::Policy").items():
        if place == f"{service}/Tasks/TaskRole/DefaultPolicy":
            statements += policy["Properties"]["PolicyDocument"]["Statement"]
    return {
        action
        for statement in statements
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


@pytest.mark.parametrize("service", ["api", "ui"])
def test_it_is_beside_each_service_that_goes_on_without_it(traced: Template, service: str) -> None:
    beside = traced.container(collector.NAME, service)
    assert beside["Image"].startswith("public.ecr.aws/aws-observability/aws-otel-collector:v")
    assert not beside["Essential"]
    assert beside["RestartPolicy"]["Enabled"]
    assert beside["ReadonlyRootFilesystem"]
    assert beside["LinuxParameters"]["Capabilities"]["Drop"] == ["ALL"]
    assert beside["LogConfiguration"]["Options"]["awslogs-stream-prefix"] == collector.NAME
    depends_on = traced.container(service).get("DependsOn", [])
    assert collector.NAME not in [one["ContainerName"] for one in depends_on]

    (name,) = [one.partition("--config=env:")[2] for one in beside["Command"]]
    (variable,) = beside["Environment"]
    assert variable["Name"] == name
    said = yaml.safe_load(variable["Value"])
    listens = said["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    variables = traced.variables(service)
    assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://{listens}"
    assert variables["OTEL_SERVICE_NAME"] == f"catalogue-prod-{service}"
    assert allowed(traced, service) >= {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


@pytest.mark.parametrize("service", ["api", "ui"])
def test_a_task_has_room_for_it(traced: Template, prod: Template, service: str) -> None:
    task = traced.task(service)
    limits = [container["Memory"] for container in task["ContainerDefinitions"]]
    assert collector.MEMORY_MIB in limits
    assert sum(limits) + 64 <= int(task["Memory"])  # and for Service Connect's proxy
    assert task["Cpu"] == prod.task(service)["Cpu"]


def test_a_migration_makes_no_traces(traced: Template) -> None:
    assert not [name for name in traced.variables("migrate", "api") if name.startswith("OTEL_")]


def test_without_the_setting_nothing_of_it_is_there(prod: Template) -> None:
    assert "otel" not in str(prod.body).lower()
    assert "xray:" not in str(prod.body)


def test_the_services_own_variables_come_first_and_what_is_pulled_has_none(workspace: Workspace) -> None:
    workspace.replace(
        "        LOG_FORMAT: json # Cloud", '        OTEL_TRACES_SAMPLER_ARG: "1"\n        LOG_FORMAT: json # Cloud'
    )
    workspace.replace(
        "\nvolumes:\n",
        "\n  cache:\n    image: valkey/valkey:8\n"
        "    deploy: {resources: {limits: {cpus: '0.25', memory: 128M}}}\n\nvolumes:\n",
    )
    template = workspace.template("dev", settings("dev", **TRACES))
    assert template.variables("api")["OTEL_TRACES_SAMPLER_ARG"] == "1"
    names = [container["Name"] for container in template.task("cache")["ContainerDefinitions"]]
    assert names == ["cache"]
