"""`make run`: everything up, everything down again, and one sentence when it cannot be."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import pytest
from sqlalchemy import URL

from app.embedded_postgres import embedded_postgres
from testkit.database import execute, server_folder
from testkit.server import free_port
from testkit.tools import ROOT

PLACES = ["Área de Trabalho/a (1)/d'Ávila", '100% meu/a$b;c&d|"#', "uma pasta dentro da outra/" * 12]


@pytest.fixture
def project() -> Iterator[Path]:
    """A copy of the application, so that its .data is not the developer's."""
    with server_folder() as folder:
        copy_to(folder)
        yield folder


def copy_to(folder: Path) -> None:
    shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    for part in (".streamlit", "requirements", "tools"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy2(ROOT / "Makefile", folder)
    (folder / ".venv").symlink_to(ROOT / ".venv")


@pytest.fixture
def ports() -> dict[str, str]:
    return {"API_PORT": str(free_port()), "UI_PORT": str(free_port())}


@contextmanager
def make_run(
    project: Path, environment: dict[str, str], command: Sequence[str] = (sys.executable, "-m", "app.local")
) -> Iterator[subprocess.Popen[str]]:
    env = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | environment
    with subprocess.Popen(
        command,
        cwd=project,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a terminal of its own, whose Ctrl-C is a signal to all in it
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


def demo(project: Path, **environment: str) -> str:
    """Run `make demo` in a terminal that knows nothing of the ports; return the last line it says."""
    env = {name: value for name, value in os.environ.items() if name not in ("API_URL", "API_PORT")} | environment
    command = [sys.executable, "-m", "app.demo"]
    result = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)
    return (result.stdout or result.stderr).splitlines()[-1]


def stop(process: subprocess.Popen[str], how: signal.Signals = signal.SIGINT) -> int:
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(how)
    process.communicate(timeout=60)
    assert not alive(children)
    return process.returncode


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that do something yet, of which a zombie is none."""
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


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
        assert demo(project) == f"The catalogue at {api_url} has 3000 products."
        days = [day["count"] for day in httpx.get(f"{api_url}/products/summary?zone=America/Sao_Paulo").json()["added"]]
        assert len(days) > 250
        assert sum(days[-30:]) > 2 * sum(days[:30])  # more and more of them
        made = httpx.post(f"{api_url}/products/", json=product).json()
        assert postgres_processes(project)
        assert stop(process) == 0
    assert not postgres_processes(project)
    assert "nothing answers at http://127.0.0.1:1;" in demo(project, API_PORT="1")  # not where it was
    with make_run(project, ports) as process:
        wait_until_up(process)
        assert httpx.get(f"{api_url}/products/{made['id']}").json() == made
        assert stop(process, signal.SIGTERM) == 0
    assert not postgres_processes(project)


@pytest.mark.parametrize("place", PLACES)
def test_it_runs_in_any_folder(ports: dict[str, str], place: str) -> None:
    with server_folder() as folder:
        project = folder / place
        copy_to(project)
        with make_run(project, ports, ["make", "run"]) as process:
            wait_until_up(process)
            running = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGINT)
            said, _ = process.communicate(timeout=60)
        assert "Stopped." in said
        assert not alive(running)
        assert not postgres_processes(project)


def test_after_everything_was_killed_it_starts_again_with_its_data(
    project: Path, ports: dict[str, str], product: dict[str, Any]
) -> None:
    products = f"http://127.0.0.1:{ports['API_PORT']}/products/"
    made = []
    for _ in range(2):
        with make_run(project, ports) as process:
            wait_until_up(process)
            made.append(httpx.post(products, json=product).json())
            for child in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
                child.kill()
    with make_run(project, ports) as process:
        wait_until_up(process)
        assert httpx.get(products).json() == made
        assert stop(process) == 0
    assert not postgres_processes(project)


def test_what_a_killed_run_left_running_is_ended(project: Path, ports: dict[str, str], product: dict[str, Any]) -> None:
    products = f"http://127.0.0.1:{ports['API_PORT']}/products/"
    left: list[psutil.Process] = []
    made = []
    for _ in range(2):
        with make_run(project, ports) as process:
            wait_until_up(process)
            made.append(httpx.post(products, json=product).json())
            assert not alive(left)
            left = psutil.Process(process.pid).children(recursive=True)
            process.kill()
        assert alive(left)
        assert httpx.get(products).json() == made
    with make_run(project, ports) as process:
        said = wait_until_up(process)
        assert "earlier run left behind" in said
        assert not alive(left)
        assert httpx.get(products).json() == made
        assert stop(process) == 0
    assert not postgres_processes(project)


def test_a_number_that_is_another_process_by_now_is_no_server(project: Path, ports: dict[str, str]) -> None:
    with embedded_postgres(project / ".data/postgres"):
        number = (project / ".data/postgres/postmaster.pid").read_text()
    left = str(os.getppid()) + number[number.index("\n") :]
    (project / ".data/postgres/postmaster.pid").write_text(left)
    with make_run(project, ports) as process:
        wait_until_up(process)
        assert stop(process) == 0


def test_a_second_run_in_the_same_folder_is_one_sentence(project: Path, ports: dict[str, str]) -> None:
    with make_run(project, ports) as process:
        wait_until_up(process)
        with make_run(project, {"API_PORT": str(free_port()), "UI_PORT": str(free_port())}) as second:
            _, error = second.communicate(timeout=60)
        assert f"running in this folder already, as process {process.pid}" in error
        assert len(error.splitlines()) == 1
        assert httpx.get(f"http://127.0.0.1:{ports['API_PORT']}/health/ready").is_success
        assert stop(process) == 0


def test_two_folders_run_at_the_same_time(project: Path, ports: dict[str, str]) -> None:
    with server_folder() as folder:
        copy_to(folder)
        others = {"API_PORT": str(free_port()), "UI_PORT": str(free_port())}
        with make_run(project, ports) as one, make_run(folder, others) as two:
            wait_until_up(one)
            wait_until_up(two)
            assert stop(two) == 0
            assert httpx.get(f"http://127.0.0.1:{ports['API_PORT']}/health/ready").is_success
            assert stop(one) == 0


def test_what_the_shell_says_of_other_servers_and_proxies_does_not_matter(
    project: Path, ports: dict[str, str], product: dict[str, Any]
) -> None:
    elsewhere = {"PGHOST": "db.example.com", "PGPORT": "1", "PGSERVICE": "none", "PGOPTIONS": "-c nothing=1"}
    proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy"), "http://127.0.0.1:1")
    with make_run(project, ports | elsewhere | proxies | {"LANG": "xx_YY.ISO-8859-1"}) as process:
        wait_until_up(process)
        with httpx.Client(trust_env=False) as client:
            made = client.post(f"http://127.0.0.1:{ports['API_PORT']}/products/", json=product)
        assert made.status_code == 201
        assert stop(process) == 0


@pytest.mark.parametrize("line", ["Starting PostgreSQL", "Migrating the database", "Starting the API"])
def test_ctrl_c_at_any_time_leaves_nothing_running(project: Path, ports: dict[str, str], line: str) -> None:
    with make_run(project, ports) as process:
        assert process.stdout is not None
        while line not in process.stdout.readline():
            assert process.poll() is None
        running = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        said, error = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Stopped." in said
    assert "Traceback" not in error
    assert not alive(running)
    assert not postgres_processes(project)
    with make_run(project, ports) as process:
        wait_until_up(process)
        assert stop(process) == 0


def test_ctrl_c_before_anything_is_started_shows_no_traceback(project: Path, ports: dict[str, str]) -> None:
    with make_run(project, ports) as process:
        maps = Path(f"/proc/{process.pid}/maps")
        while "psutil" not in maps.read_text():  # it is importing yet
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said, error = process.communicate(timeout=60)
    assert "Traceback" not in said + error
    assert not postgres_processes(project)


def test_nobody_else_on_the_network_is_listened_to(project: Path, ports: dict[str, str]) -> None:
    with make_run(project, ports) as process:
        wait_until_up(process)
        everything = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        heard = {c.laddr for p in everything for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN}
        assert stop(process) == 0
    assert heard == {("127.0.0.1", int(port)) for port in ports.values()}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_root_in_somebodys_folder_is_told_whose_the_data_will_be(project: Path, ports: dict[str, str]) -> None:
    os.chown(project, 12345, -1)
    with make_run(project, ports) as process:
        said = wait_until_up(process)
        assert stop(process) == 0
    assert f"chown -R 12345 {project}/.data" in said


def test_a_database_of_a_newer_version_is_one_sentence_and_is_used(project: Path, ports: dict[str, str]) -> None:
    with make_run(project, ports) as process:
        wait_until_up(process)
        assert stop(process) == 0
    with embedded_postgres(project / ".data/postgres") as url:
        execute(url, "UPDATE alembic_version SET version_num = '9999'")
    with make_run(project, ports) as process:
        wait_until_up(process)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert "schema is at revision 9999, newer than this version's" in error
    assert "Traceback" not in error


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


def test_one_port_for_both_is_one_sentence(project: Path, ports: dict[str, str]) -> None:
    error = refused(project, {"API_PORT": ports["API_PORT"], "UI_PORT": ports["API_PORT"]})
    assert f"both {ports['API_PORT']}" in error


def test_data_of_another_release_of_postgresql_is_one_sentence(project: Path, ports: dict[str, str]) -> None:
    with embedded_postgres(project / ".data/postgres"):
        pass
    (project / ".data/postgres/PG_VERSION").write_text("16\n")
    assert "initialized by PostgreSQL version 16" in refused(project, ports)


def test_a_full_disk_is_one_sentence_and_the_next_run_starts_anew(project: Path, ports: dict[str, str]) -> None:
    limited = f"ulimit -f 2000; exec {shlex.quote(sys.executable)} -m app.local"  # half a kilobyte each
    with make_run(project, ports, ["sh", "-c", limited]) as process:
        _, error = process.communicate(timeout=60)
    assert "PostgreSQL's files cannot be made" in error
    assert "Traceback" not in error
    with make_run(project, ports) as process:
        wait_until_up(process)
        assert stop(process) == 0


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
    assert not alive(children)
    assert not postgres_processes(project)
