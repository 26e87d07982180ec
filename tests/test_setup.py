"""tools/setup: what a package index or registry that does not answer leaves behind, and what a killed setup does."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testkit.tools import ROOT

NOBODY = "http://127.0.0.1:1/"  # where nothing listens
PIP = {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1", "PIP_FIND_LINKS": ""}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What a setup reads, in a folder whose name means something to a shell."""
    folder = tmp_path / "d'Ávila (1) #2 & $HOME"
    for part in ("tools", "requirements"):
        shutil.copytree(ROOT / part, folder / part)
    for name in ("Makefile", "package.json", "package-lock.json", ".npmrc"):
        shutil.copy2(ROOT / name, folder)
    return folder


@contextmanager
def setting_up(project: Path, what: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    command = ["tools/setup", what]
    with subprocess.Popen(
        command,
        cwd=project,
        env=env | {"PYTHON_FOR_VENV": sys.executable} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def refused(project: Path, what: str, environment: dict[str, str]) -> str:
    with setting_up(project, what, environment) as process:
        _, error = process.communicate(timeout=120)
    assert process.returncode == 1
    return error


def test_what_pip_says_is_seen_and_the_next_time_begins_where_this_one_was(project: Path) -> None:
    error = refused(project, "python", {**PIP, "PIP_INDEX_URL": NOBODY})
    assert "No matching distribution found" in error
    assert "pip's message is above" in error.splitlines()[-1]
    kept = project / ".venv/kept"
    kept.touch()
    refused(project, "python", {**PIP, "PIP_INDEX_URL": NOBODY})
    assert kept.exists()
    assert not (project / ".venv/.ready").exists()


def test_what_npm_says_is_seen(project: Path, tmp_path: Path) -> None:
    (project / ".venv").symlink_to(ROOT / ".venv")
    nowhere = {
        "npm_config_registry": NOBODY,
        "npm_config_fetch_retries": "0",
        "npm_config_cache": str(tmp_path / "npm"),
    }
    error = refused(project, "node", nowhere)
    assert "ECONNREFUSED" in error
    assert "npm's message is above" in error.splitlines()[-1]
    assert not (project / "node_modules/.ready").exists()


def test_a_setup_waits_for_another_one_and_begins_anew_when_that_was_killed(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with setting_up(project, "python", {**PIP, "PIP_INDEX_URL": index}) as first:
            asking, _ = silent.accept()
            half = project / ".venv/half"
            half.touch()
            with asking, setting_up(project, "python", {**PIP, "PIP_INDEX_URL": NOBODY}) as second:
                assert second.stdout is not None
                assert "Waiting for another setup" in second.stdout.readline()
                os.killpg(first.pid, signal.SIGKILL)
                _, error = second.communicate(timeout=120)
    assert "pip's message is above" in error
    assert not half.exists()


def test_the_tests_you_name_run_in_any_folder(project: Path) -> None:
    for part in (".venv", "node_modules"):
        (project / part).symlink_to(ROOT / part)
    for lock in (*(project / "requirements").iterdir(), project / "package-lock.json"):
        os.utime(lock, (0, 0))  # what is installed is newer
    (project / "test_one.py").write_text("def test_one():\n    pass\n\n\ndef test_other():\n    raise AssertionError\n")
    command = ["make", "test", "ARGS=test_one.py -k 'one and not other'"]
    result = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed, 1 deselected" in result.stdout


def test_a_clone_by_git_that_writes_windows_line_ends_can_be_set_up(tmp_path: Path) -> None:
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    for name in (".gitattributes", "Makefile", "tools/setup", ".ci/run"):
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, origin / name)
    git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "core.autocrlf=true"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "Everything"]):
        subprocess.run([*git, *command], cwd=origin, check=True)
    subprocess.run([*git, "clone", "--quiet", origin, clone], check=True)
    for name in ("Makefile", "tools/setup", ".ci/run"):
        assert b"\r" not in (clone / name).read_bytes()
