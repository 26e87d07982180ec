"""`docker compose up --build --wait` as it stands, used the way a laptop's user would."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from infra.pipeline import sbom
from testkit.server import free_port
from testkit.tools import ROOT, require
from tests.end_to_end.journey import create_find_change_delete

PROJECT = "catalogue-test"


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    require("engine")
    return {**os.environ, "DOCKER_BUILDKIT": "1", "API_PORT": str(free_port()), "UI_PORT": str(free_port())}


def compose(environment: dict[str, str], *arguments: str, check: bool = True) -> str:
    command = ["docker", "compose", "--project-name", PROJECT, *arguments]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert not check or result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def containers(environment: dict[str, str]) -> Iterator[dict[str, dict[str, Any]]]:
    """The running containers by service, as `docker inspect` describes them."""
    try:
        compose(environment, "up", "--build", "--wait", "--wait-timeout", "180")
        ids = compose(environment, "ps", "--all", "--quiet").split()
        inspected = json.loads(subprocess.check_output(["docker", "inspect", *ids]))
        yield {c["Config"]["Labels"]["com.docker.compose.service"]: c for c in inspected}
    finally:
        compose(environment, "down", "--volumes", "--remove-orphans", "--timeout", "30", check=False)


def test_the_api_and_the_ui_serve(
    containers: dict[str, Any], environment: dict[str, str], product: dict[str, Any]
) -> None:
    api = f"http://127.0.0.1:{environment['API_PORT']}"
    made = httpx.post(f"{api}/products/", json=product).json()
    assert httpx.get(f"{api}/products/{made['id']}").json() == made
    assert httpx.put(f"{api}/products/{made['id']}", json={"price": 1}).json()["price"] == 1
    assert httpx.delete(f"{api}/products/{made['id']}").status_code == 200
    assert httpx.get(f"{api}/health/ready").status_code == 200
    assert "Streamlit" in httpx.get(f"http://127.0.0.1:{environment['UI_PORT']}").text


def test_a_person_can_do_everything_in_a_browser(
    containers: dict[str, Any], environment: dict[str, str], product: dict[str, Any]
) -> None:
    require("browser")
    api, ui = (f"http://127.0.0.1:{environment[port]}" for port in ("API_PORT", "UI_PORT"))
    create_find_change_delete(ui, api, product)


def test_the_migration_ran_once_and_ended_well(containers: dict[str, Any]) -> None:
    assert containers["migrate"]["State"]["Status"] == "exited"
    assert containers["migrate"]["State"]["ExitCode"] == 0


@pytest.mark.parametrize("service", ["api", "ui"])
def test_our_containers_run_without_privileges(containers: dict[str, Any], service: str) -> None:
    container = containers[service]
    assert container["HostConfig"]["ReadonlyRootfs"]
    assert container["HostConfig"]["CapDrop"] == ["ALL"]
    assert container["HostConfig"]["Memory"] > 0
    assert container["HostConfig"]["NanoCpus"] > 0
    uid = subprocess.check_output(["docker", "exec", container["Id"], "id", "-u"], text=True)
    assert uid.strip() == "10001"


def test_ports_are_on_loopback_only_and_the_database_has_none(containers: dict[str, Any]) -> None:
    published = {
        (service, binding["HostIp"])
        for service, container in containers.items()
        for bindings in container["NetworkSettings"]["Ports"].values()
        for binding in bindings or []
    }
    assert published == {("api", "127.0.0.1"), ("ui", "127.0.0.1")}


@pytest.mark.parametrize("service", ["api", "ui"])
def test_images_hold_no_build_tools_and_nothing_of_the_rest(containers: dict[str, Any], service: str) -> None:
    tree = subprocess.check_output(
        ["docker", "exec", containers[service]["Id"], "find", "/srv", "/opt/venv"], text=True
    )
    assert "/site-packages/pip/" not in tree
    others = {"infra", "tests", "docker-compose.yml", "local.py", "demo.py"}
    others |= {"ui"} if service == "api" else {"api"}
    assert not others & {path.rsplit("/", 1)[-1] for path in tree.splitlines() if path.startswith("/srv")}


@pytest.mark.parametrize(("service", "package"), [("api", "fastapi"), ("ui", "streamlit")])
def test_a_bill_of_materials_has_what_is_in_the_image(
    containers: dict[str, Any], tmp_path: Path, service: str, package: str
) -> None:
    assert sbom.main(str(tmp_path), f"{service}={containers[service]['Image']}") == 0

    listed = [one["purl"] for one in json.loads((tmp_path / f"{service}.cdx.json").read_text())["components"]]
    assert [purl for purl in listed if purl.startswith(f"pkg:pypi/{package}@")]
    assert [purl for purl in listed if purl.startswith("pkg:deb/debian/libc6@")]
    assert not [purl for purl in listed if purl.startswith("pkg:pypi/pytest@")]


def test_the_api_comes_back_when_its_database_was_restarted(
    containers: dict[str, Any], environment: dict[str, str]
) -> None:
    api = f"http://127.0.0.1:{environment['API_PORT']}"
    compose(environment, "stop", "db")
    response = httpx.get(f"{api}/products/", timeout=20)
    assert response.status_code == 503
    assert response.json()["detail"].startswith("The database does not answer")
    compose(environment, "up", "--wait", "db")
    assert httpx.get(f"{api}/products/").status_code == 200


@pytest.mark.parametrize("place", ["Área de Trabalho/Meu Projeto", "a (1)/d'Ávila"])
def test_the_images_are_built_in_any_folder(environment: dict[str, str], tmp_path: Path, place: str) -> None:
    folder = tmp_path / place
    for part in ("app", "requirements", ".streamlit"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("docker-compose.yml", ".dockerignore"):
        shutil.copy2(ROOT / name, folder)
    command = ["docker", "compose", "--project-name", PROJECT, "build", "--quiet", "api", "ui"]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
