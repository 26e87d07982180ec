"""Applications of other people: from the compose file of a laptop, by its messages alone, to a template."""

import shutil
from pathlib import Path

import pytest

from infra.compose import ComposeError, find, read
from tests.infra.compose.follower import follow, plain, written
from tests.infra.conftest import Template, Workspace, settings

APPLICATIONS = Path(__file__).parent / "applications"
OPEN = {"mode": "cloudfront", "open_to_the_internet": True}


def deployed(name: str, workspace: Workspace, folder: Path) -> Template:
    """Do what the messages say, in at most three rounds, and return the template of the environment dev."""
    shutil.copytree(APPLICATIONS / name, folder)
    workspace.compose_file = find(folder)
    for _ in range(3):
        try:
            read(workspace.compose_file)
        except ComposeError as error:
            data = plain(workspace.compose_file.read_text())
            for problem in error.problems:
                follow(data, problem)
            written(data, workspace.compose_file)
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
    assert template.resources("RDS::DBInstance") == {}
    assert {(name, "queue", 6379) for name in ("web", "worker", "beat")} <= template.reachable()
    assert ("worker", "0.0.0.0/0", 587) in template.reachable()
    assert template.service("beat")["DeploymentConfiguration"]["MaximumPercent"] == 100
    assert template.only("ElasticLoadBalancingV2::TargetGroup")["Matcher"] == {"HttpCode": "200,400"}
