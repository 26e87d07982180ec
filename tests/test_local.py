"""`make run`: everything up, everything down again, and one sentence when it cannot be."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import pytest
from sqlalchemy import URL

from testkit.database import server_folder
from testkit.server import free_port
from testkit.tools import ROOT


@pytest.fixture
def project() -> Iterator[Path]:
    """A copy of the application, so that its .data is not the developer's."""
    with server_folder() as folder:
        shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / ".streamlit", folder / ".streamlit")
        yield folder


@pytest.fixture
def ports() -> dict[str, str]:
    return {"API_PORT": str(free_port()), "UI_PORT": str(free_port())}


@contextmanager
def make_run(project: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    env = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | environment
    command = [sys.executable, "-m", "app.local"]
    with subprocess.Popen(
        command, cwd=project, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def wait_until_up(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            return said
    assert process.stderr is not None
    pytest.fail(f"it ended instead:\n{said}{process.stderr.read()}")


def stop(process: subprocess.Popen[str], how: signal.Signals = signal.SIGINT) -> int:
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(how)
    process.communicate(timeout=60)
    assert not [child for child in children if child.is_running()]
    return process.returncode


def postgres_processes(project: Path) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if str(project / ".data/postgres") in (p.info["cmdline"] or [])]


def test_it_starts_both_keeps_the_data_and_stops_everything(
    project: Path, ports: dict[str, str], product: dict[str, Any]
) -> None:
    api_url, ui_url = f"http://127.0.0.1:{ports['API_PORT']}", f"http://127.0.0.1:{ports['UI_PORT']}"
    with make_run(project, ports) as process:
        said = wait_until_up(process)
        assert api_url in said
        assert ui_url in said
        assert httpx.get(ui_url).status_code == 200
        made = httpx.post(f"{api_url}/products/", json=product).json()
        assert postgres_processes(project)
        assert stop(process) == 0
    assert not postgres_processes(project)
    with make_run(project, ports) as process:
        wait_until_up(process)
        assert httpx.get(f"{api_url}/products/{made['id']}").json() == made
        assert stop(process, signal.SIGTERM) == 0
    assert not postgres_processes(project)


def test_database_url_is_used_instead_of_the_embedded_server(
    project: Path, ports: dict[str, str], postgres_url: URL
) -> None:
    url = postgres_url.set(drivername="postgresql").render_as_string(hide_password=False)
    with make_run(project, {**ports, "DATABASE_URL": url}) as process:
        wait_until_up(process)
        assert not (project / ".data/postgres").exists()
        assert stop(process) == 0


def refused(project: Path, environment: dict[str, str]) -> str:
    with make_run(project, environment) as process:
        _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert error.startswith("make run: ")
    assert "Traceback" not in error
    assert not postgres_processes(project)
    return error


def test_a_taken_port_is_one_sentence_with_a_way_out(project: Path, ports: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(ports["UI_PORT"]))):
        error = refused(project, ports)
    assert f"port {ports['UI_PORT']} on 127.0.0.1 is taken" in error
    assert "make run UI_PORT=" in error
    assert len(error.splitlines()) == 1


def test_a_port_that_is_none_is_one_sentence(project: Path) -> None:
    assert "API_PORT=http is not a port" in refused(project, {"API_PORT": "http"})


def test_an_unwritable_folder_is_one_sentence(project: Path, ports: dict[str, str]) -> None:
    (project / ".data").write_text("a file where the folder should be")
    assert f"cannot write {project}/.data" in refused(project, ports)


def test_an_end_of_the_api_ends_the_rest_and_shows_its_log(project: Path, ports: dict[str, str]) -> None:
    with make_run(project, ports) as process:
        wait_until_up(process)
        children = psutil.Process(process.pid).children()
        next(child for child in children if "app.api.main" in child.cmdline()).kill()
        _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "the api ended" in error
    assert "Uvicorn running" in error
    assert not [child for child in children if child.is_running()]
    assert not postgres_processes(project)
