"""Applications of other people: from the compose file of a laptop, by its messages alone, to a template."""

import shutil
from pathlib import Path

import pytest

from infra.compose import ComposeError, find, read
from infra.gates.acknowledgements import ACKNOWLEDGEMENTS
from infra.gates.findings import judge
from testkit.tools import require
from tests.infra.compose.follower import follow, plain, written
from tests.infra.conftest import CONTEXT, Template, Workspace, settings

APPLICATIONS = Path(__file__).parent / "applications"
OPEN = {"mode": "cloudfront", "open_to_the_internet": True}


def adapted(name: str, folder: Path) -> Path:
    """Copy an application, do what the messages say, in at most three rounds, and return its compose file."""
    shutil.copytree(APPLICATIONS / name, folder)
    file = find(folder)
    for _ in range(3):
        try:
            read(file)
        except ComposeError as error:
            data = plain(file.read_text())
            for problem in error.problems:
                follow(data, problem)
            written(data, file)
    return file


def deployed(name: str, workspace: Workspace, folder: Path) -> Template:
    """Return the template of the environment dev of an application that was adapted by the messages alone."""
    workspace.compose_file = adapted(name, folder)
    return workspace.template("dev", settings("dev", public_url=OPEN))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "application"


def test_a_website_an_api_and_a_database_with_one_url(workspace: Workspace, folder: Path) -> None:
    template = deployed("shop", workspace, folder)

    assert template.resources("ECS::Service").keys() == {"frontend", "backend"}
    assert template.only("RDS::DBInstance")["DBName"] == "shop"
    assert "DATABASE_URL" in template.secrets("backend")
    assert template.secrets("backend")["JWT_SECRET"] == "Secrets/jwt-secret"
    assert {("LoadBalancer", "frontend", 3000), ("frontend", "backend", 8000)} <= template.reachable()
    assert ("LoadBalancer", "backend", 8000) not in template.reachable()
    assert "shop-local" not in str(template.body)
    assert "jwt-local" not in str(template.body)


def test_a_worker_a_scheduler_and_a_queue(workspace: Workspace, folder: Path) -> None:
    template = deployed("jobs", workspace, folder)

    assert template.resources("ECS::Service").keys() == {"web", "worker", "beat", "queue"}
    assert template.resources("Scheduler::Schedule").keys() == {"report/Schedule"}
    assert template.only("Scheduler::Schedule")["ScheduleExpression"] == "cron(30 2 ? * MON-FRI *)"
    assert template.resources("RDS::DBInstance") == {}
    assert {(name, "queue", 6379) for name in ("web", "worker", "beat")} <= template.reachable()
    assert ("worker", "0.0.0.0/0", 587) in template.reachable()
    assert template.service("beat")["DeploymentConfiguration"]["MaximumPercent"] == 100
    assert template.only("ElasticLoadBalancingV2::TargetGroup")["Matcher"] == {"HttpCode": "200,400"}


def test_images_alone_with_a_volume(workspace: Workspace, folder: Path) -> None:
    template = deployed("notes", workspace, folder)

    assert template.resources("ECS::Service").keys() == {"notes", "thumbnails"}
    assert template.resources("EFS::AccessPoint").keys() == {"Volumes/Files/files"}
    assert {(name, "Volumes", 2049) for name in ("notes", "thumbnails")} <= template.reachable()
    for name in ("notes", "thumbnails"):
        assert {"files"} == {
            volume["Name"] for volume in template.task(name)["Volumes"] if "EFSVolumeConfiguration" in volume
        }
        assert template.service(name)["DeploymentConfiguration"]["MaximumPercent"] == 100


@pytest.mark.parametrize("name", ["shop", "jobs", "notes"])
def test_the_gates_find_nothing_that_is_not_accepted_with_its_reason(name: str, tmp_path: Path) -> None:
    require("checkov")
    from infra.gates.__main__ import find as findings_of
    from infra.gates.__main__ import report

    compose = adapted(name, tmp_path / "application")
    environments = {"prod": settings("prod", public_url=OPEN)}
    findings, resources = findings_of(compose, environments, CONTEXT, tmp_path / "templates")
    verdict = judge(findings, ACKNOWLEDGEMENTS, resources)

    assert verdict.passes, report(verdict, [*environments])
