"""The CDK app as the CDK CLI runs it, in a copy of the project: no AWS credentials, no network, nothing of a laptop."""

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from testkit.tools import ROOT, require
from tests.infra.conftest import copy_project

SYNTHESISED_FROM = ("app", "infra", "requirements", ".streamlit", ".dockerignore", "cdk.json", "docker-compose.yml")
LAPTOP_SECRETS = {"shell": "sentinel-of-the-shell", ".env": "sentinel-of-dotenv", "default": "local-only-password"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the template is made from, with a .env that sets the local database's password."""
    require("cdk")
    folder = tmp_path / "project"
    folder.mkdir()
    copy_project(folder, SYNTHESISED_FROM)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    (folder / ".env").write_text(f"POSTGRES_PASSWORD={LAPTOP_SECRETS['.env']}\nAPI_PORT=12345\n")
    return folder


def synth(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `cdk synth` cut off from the network, with no credentials and with a password in the environment."""
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": os.environ["HOME"],  # for the cache of CDK's library
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "POSTGRES_PASSWORD": LAPTOP_SECRETS["shell"],
        "PGPASSWORD": LAPTOP_SECRETS["shell"],
        "DATABASE_URL": f"postgresql://catalogue:{LAPTOP_SECRETS['shell']}@db/catalogue",
    }
    cdk = [str(ROOT / "node_modules/.bin/cdk"), "synth", "--quiet", *arguments]
    return subprocess.run(
        [*without_network(), *cdk],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def without_network() -> list[str]:
    """Return what to put before a command, where the system allows it, so that it has no network at all."""
    unshare = ["unshare", "--map-root-user", "--net"]
    allowed = (
        shutil.which("unshare") and not subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode
    )
    return unshare if allowed else []


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_synth_needs_neither_credentials_nor_network_and_takes_no_secret_of_the_laptop(
    project: Path, name: str
) -> None:
    result = synth(project, "--context", f"environment={name}")

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    written = [file for file in (project / "cdk.out").rglob("*") if file.is_file()]
    assert project / f"cdk.out/catalogue-{name}.template.json" in written
    for secret in LAPTOP_SECRETS.values():
        assert [file for file in written if secret.encode() in file.read_bytes()] == []


def test_everything_that_is_wrong_is_said_at_once_without_a_traceback(project: Path) -> None:
    settings = json.loads((project / "cdk.json").read_text())
    settings["context"]["environments"]["dev"]["database"]["storage_gb"] = 1
    (project / "cdk.json").write_text(json.dumps(settings))
    compose = (project / "docker-compose.yml").read_text()
    (project / "docker-compose.yml").write_text(compose.replace("init: true", "privileged: true"))

    result = synth(project)

    assert result.returncode == 1
    assert "cdk.json: context.environments.dev.database.storage_gb: must be greater than" in result.stderr
    assert "docker-compose.yml: service api: privileged: " in result.stderr
    assert "docker-compose.yml: service ui: privileged: " in result.stderr
    assert "Traceback" not in result.stderr


def test_more_connections_than_the_database_accepts_are_refused_with_the_sum(project: Path) -> None:
    compose = (project / "docker-compose.yml").read_text()
    (project / "docker-compose.yml").write_text(
        compose.replace("PGUSER: catalogue_api", 'PGUSER: catalogue_api\n      DATABASE_POOL_SIZE: "50"')
    )

    result = synth(project)

    assert result.returncode == 1
    assert (
        "accepts about 202 connections, but a deployment may need 216 = 204 (api: 4 tasks x (50 + 1))" in result.stderr
    )
    assert "Traceback" not in result.stderr


def test_an_application_without_sign_in_is_open_to_everybody_only_by_name(project: Path) -> None:
    compose = (project / "docker-compose.yml").read_text()
    for line in [*compose.splitlines()]:
        if line.strip() == "sign_in:" or line.strip().startswith(("OIDC_", "PUBLIC_URL:")):
            compose = compose.replace(f"{line}\n", "")
    (project / "docker-compose.yml").write_text(compose)

    result = synth(project)

    assert result.returncode == 1
    assert "cdk.json: context.environments.dev.public_url: everybody could use the application" in result.stderr

    settings = json.loads((project / "cdk.json").read_text())
    settings["context"]["environments"]["dev"]["public_url"]["open_to_the_internet"] = True
    (project / "cdk.json").write_text(json.dumps(settings))

    assert synth(project).returncode == 0


def test_an_environment_of_a_pull_request_is_there_when_they_are_enabled_and_has_an_end(project: Path) -> None:
    assert "there is no environment 'pr-12'" in synth(project, "--context", "environment=pr-12").stderr
    settings = json.loads((project / "cdk.json").read_text())
    settings["context"]["preview"] |= {"enabled": True, "hours": 5}
    (project / "cdk.json").write_text(json.dumps(settings))

    before = datetime.datetime.now(datetime.UTC)
    result = synth(project, "--context", "environment=pr-12")

    assert result.returncode == 0, result.stderr
    manifest = json.loads((project / "cdk.out/manifest.json").read_text())
    said = manifest["artifacts"]["catalogue-pr-12"]["properties"]["tags"]["expires"]
    end = datetime.datetime.strptime(said, "%Y-%m-%dT%H:%MZ").replace(tzinfo=datetime.UTC)
    assert before + datetime.timedelta(hours=4, minutes=59) <= end
    template = (project / "cdk.out/catalogue-pr-12.template.json").read_text()
    assert f'"at({said.removesuffix("Z")}:00)"' in template


def test_the_repository_that_cdk_pushes_images_to_keeps_a_tag_from_changing() -> None:
    require("cdk")
    template = (ROOT / "node_modules/aws-cdk/lib/api/bootstrap/bootstrap-template.yaml").read_text()
    repository = template.partition("  ContainerAssetsRepository:\n")[2].partition("RepositoryName")[0]

    assert "ImageTagMutability: IMMUTABLE" in repository


def test_an_unknown_environment_is_answered_with_the_known_ones(project: Path) -> None:
    result = synth(project, "--context", "environment=staging")

    assert result.returncode == 1
    assert "there is no environment 'staging'; write --context environment=…, one of: dev, prod" in result.stderr


def test_the_node_tools_are_pinned_to_one_release_of_no_registry_in_particular() -> None:
    tools = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    lock = (ROOT / "package-lock.json").read_text()

    assert set(tools) == {"aws-cdk", "axe-core"}
    for name, version in tools.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert json.loads(lock)["packages"][f"node_modules/{name}"]["version"] == version
    assert "://" not in lock
