"""The versions that a rehearsal deploys over the one that runs can be made of the project as it is."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from alembic.config import Config
from alembic.script import ScriptDirectory

from infra.plan import Plan, assemble
from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.versions import (
    EXITS,
    NEXT,
    UI_EXITS,
    UNHEALTHY,
    ProjectVersion,
    copy_of,
    from_snapshot,
    unprotected,
)
from testkit.tools import ROOT
from tests.infra.conftest import CONTEXT

COMPOSE = "docker-compose.yml"
MIGRATIONS = "app/api/migrations"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What the versions change of the project, and no more of it."""
    root = tmp_path / "project"
    for name in (COMPOSE, "cdk.json", "app/Dockerfile", "app/api/__init__.py", ".dockerignore"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes((ROOT / name).read_bytes())
    shutil.copytree(ROOT / MIGRATIONS, root / MIGRATIONS, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def plan_of(project: Path) -> Plan:
    """Return the plan of dev."""
    return assemble(project / COMPOSE, "dev", CONTEXT["environments"])


def test_the_next_version_has_another_number_and_the_same_plan(project: Path, tmp_path: Path) -> None:
    copy = copy_of(NEXT, tmp_path, project)
    before, after = ((root / "app/api/__init__.py").read_text() for root in (project, copy))

    assert after.replace("+next", "") == before != after
    assert (copy / COMPOSE).read_text() == (project / COMPOSE).read_text()


def revisions(project: Path) -> list[str]:
    """Return the revisions of a project's schema, the newest first; alembic refuses two newest ones."""
    config = Config()
    config.set_main_option("script_location", str(project / MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_current_head()
    return [script.revision for script in scripts.walk_revisions()]


def test_each_version_that_brings_a_migration_has_one_more(project: Path, tmp_path: Path) -> None:
    before = revisions(project)

    following = copy_of(NEXT, tmp_path, project)
    after = copy_of(UNHEALTHY, tmp_path, following)

    assert revisions(following)[1:] == before
    assert revisions(after)[2:] == before
    assert [NEXT.migrates, UNHEALTHY.migrates, EXITS.migrates, UI_EXITS.migrates] == [True, True, False, False]


def test_the_ui_of_one_ends_as_it_starts_and_its_api_is_another(project: Path, tmp_path: Path) -> None:
    following = copy_of(NEXT, tmp_path, project)
    copy = copy_of(UI_EXITS, tmp_path, following)

    services = plan_of(copy).project.services
    assert services["ui"].command == ("python", "-c", 'import sys; sys.exit("ui: made to fail")')
    assert services["api"].command == plan_of(following).project.services["api"].command
    assert '+next.next"' in (copy / "app/api/__init__.py").read_text()


def test_one_ends_as_it_starts(project: Path, tmp_path: Path) -> None:
    copy = copy_of(EXITS, tmp_path, project)
    before, after = (yaml.safe_load((root / COMPOSE).read_text()) for root in (project, copy))

    assert plan_of(copy).project.services["api"].command == (
        "python",
        "-c",
        'import sys; sys.exit("api: made to fail")',
    )
    assert {**after["services"]["api"], "command": None} == {**before["services"]["api"], "command": None}
    assert {**after["services"], "api": None} == {**before["services"], "api": None}


def test_one_is_asked_for_a_health_that_it_has_not(project: Path, tmp_path: Path) -> None:
    api = plan_of(copy_of(UNHEALTHY, tmp_path, project)).project.services["api"]

    assert api.health_check
    assert api.public
    assert api.public.health_path == "/health/live"  # the target group has it, so the version before has it too
    assert api.health_check.command[-1].endswith(":8000/health/live/elsewhere")
    assert api.health_check.start_period_seconds == 10


@pytest.mark.parametrize(
    ("version", "file", "text", "said"),
    [
        (NEXT, "app/api/__init__.py", "__version__", "app/api/__init__.py has no line that begins with __version__ ="),
        (EXITS, COMPOSE, "  api:", "docker-compose.yml has no service api"),
        (UNHEALTHY, COMPOSE, "healthcheck:", "the service api in docker-compose.yml has no healthcheck"),
    ],
)
def test_what_a_version_needs_and_the_project_lacks_is_named(
    project: Path, tmp_path: Path, version: ProjectVersion, file: str, text: str, said: str
) -> None:
    (project / file).write_text((project / file).read_text().replace(text, text.replace("_", "x").replace("a", "x")))

    with pytest.raises(RehearsalError) as refused:
        copy_of(version, tmp_path, project)

    assert str(refused.value) == f"{version.name} cannot be made: {said}"


def test_one_begins_with_a_snapshot_and_can_be_removed(project: Path, tmp_path: Path) -> None:
    copy = from_snapshot(project, "prod", tmp_path, "the-last-one")

    environments = json.loads((copy / "cdk.json").read_text())["context"]["environments"]
    plan = assemble(copy / COMPOSE, "prod", environments)
    assert plan.settings.database.snapshot_identifier == "the-last-one"
    assert not plan.settings.deletion_protection
    assert environments["dev"] == CONTEXT["environments"]["dev"]


def test_protection_is_lifted_in_one_environment_alone(project: Path, tmp_path: Path) -> None:
    copy = unprotected(project, "prod", tmp_path)

    assert '"deletion_protection": false' in (copy / "cdk.json").read_text()
    assert '"deletion_protection": true' not in (copy / "cdk.json").read_text()
