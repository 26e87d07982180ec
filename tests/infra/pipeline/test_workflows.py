"""The workflows, as far as a workstation can tell: their linters, their pins, their shards, and what their steps run.

Steps run here in GitHub's shell. Those that would take minutes, an engine or an account are run by make without doing
anything (-n), which finds a target or a quote that is missing; their commands have tests of their own.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from _pytest.mark.expression import Expression

from testkit.tools import ROOT
from tests.infra.conftest import copy_project
from tests.needs import MARKERS

FILES = [*sorted(ROOT.glob(".github/workflows/*.yml")), *sorted(ROOT.glob(".github/actions/*/action.yml"))]
PAGE = (ROOT / "docs/pipeline.md").read_text(encoding="utf-8")

# What a step may begin with that nobody but GitHub, or an engine, can answer; docs/pipeline.md says so of each.
ELSEWHERE = ("gh pr comment", "gh release create", "docker compose build")
REALLY = ("release-notes", "licences")  # cheap, and need nothing


def steps(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    read = yaml.safe_load(file.read_text(encoding="utf-8"))
    for name, job in (read["jobs"] if "jobs" in read else {"action": read["runs"]}).items():
        for step in job["steps"]:
            yield name, step


RUN = [
    pytest.param(step, id=f"{file.stem}-{job}-{number}")
    for file in FILES
    for number, (job, step) in enumerate(steps(file))
    if "run" in step
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project that is set up, in which steps may write."""
    folder = tmp_path_factory.mktemp("a project")
    folders = ("infra", "tools", "requirements")
    files = ("Makefile", "pyproject.toml", "CHANGELOG.md", "docker-compose.yml", "package.json", "package-lock.json")
    copy_project(folder, (*folders, *files))
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    (folder / ".data/sbom").mkdir(parents=True)
    for lock in (*folder.glob("requirements/*.txt"), folder / "package-lock.json"):
        os.utime(lock, (0, 0))
    return folder


def test_the_linters_find_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.pipeline.lint"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linters_find_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    for name in ("dependabot.yml", "zizmor.yml"):
        shutil.copy(ROOT / ".github" / name, tmp_path)
    text = (ROOT / ".github/workflows/deploy.yml").read_text()

    def said(changed: str) -> str:
        (tmp_path / "workflows/deploy.yml").write_text(changed)
        command = [sys.executable, "-m", "infra.pipeline.lint", str(tmp_path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        return done.stdout + done.stderr

    assert "needs" in said(text.replace("needs: dev", "needs: staging"))
    injected = text.replace("make deploy ENV=dev", "make deploy ENV=${{ github.event.head_commit.message }}")
    assert "template-injection" in said(injected)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_action_is_pinned_by_its_commit_with_its_version_beside_it(file: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", file.read_text())

    for name, comment in used:
        assert name.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name), name
        assert name.startswith("./") or re.fullmatch(r" # v\d+\.\d+\.\d+", comment), (name, comment)


def _is_among(chosen: tuple[str, ...], name: str, /, **_: object) -> bool:
    return name in chosen


def test_every_test_is_in_one_shard() -> None:
    job = yaml.safe_load((ROOT / ".github/workflows/pull-request.yml").read_text())["jobs"]["test"]
    shards = [Expression.compile(one["tests"]) for one in job["strategy"]["matrix"]["include"]]

    for count in range(len(MARKERS) + 1):
        for chosen in itertools.combinations(MARKERS, count):
            found = [shard for shard in shards if shard.evaluate(partial(_is_among, chosen))]
            assert len(found) == 1, chosen


@pytest.mark.parametrize("step", RUN)
def test_a_step_runs_in_the_shell_of_github(step: dict[str, Any], project: Path, tmp_path: Path) -> None:
    command = step["run"].strip()
    assert "${{" not in command  # values come by the environment, where the shell does not read them as code
    if command.startswith(ELSEWHERE):
        assert any(command.startswith(one) and f"`{one}`" in PAGE for one in ELSEWHERE)
        return
    assert command.startswith(("make ", "touch "))
    really = any(f" {target}" in command for target in REALLY)
    summary = tmp_path / "summary.md"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_REF_NAME": "vUnreleased",
        **dict.fromkeys(step.get("env", {}), "x"),
        **({} if really else {"MAKEFLAGS": "n"}),
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    if really and ">" in command:
        assert (project / command.rpartition(">")[2].strip()).read_text().strip()


def test_prod_is_deployed_after_dev_with_what_dev_ran_and_without_keys() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())["jobs"]

    assert jobs["prod"]["needs"] == "dev"
    for name, job in jobs.items():
        assert job["environment"] == name  # which the role's trust asks for
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
        runs = [step.get("run", step.get("uses", "")).partition("@")[0] for step in job["steps"]]
        order = [runs.index(f"make rehearse ENV={name}"), runs.index("aws-actions/configure-aws-credentials")]
        order += [runs.index(f"make deploy ENV={name}")]
        assert order == sorted(order)
        assert "secrets." not in str(job)
    commands = [step.get("run", "") for step in jobs["prod"]["steps"]]
    (promoted,) = [number for number, one in enumerate(commands) if "promote ENV=prod FROM=dev" in one]
    assert promoted < commands.index("make deploy ENV=prod")


def test_nothing_of_a_pull_request_runs_where_a_token_may_write() -> None:
    read = yaml.safe_load((ROOT / ".github/workflows/pull-request.yml").read_text())

    assert read["permissions"] == {}
    writing = {name: job for name, job in read["jobs"].items() if "write" in job["permissions"].values()}
    assert [*writing] == ["comment"]
    assert not [step for step in writing["comment"]["steps"] if "checkout" in step.get("uses", "")]
    assert "pull_request_target" not in str(read)
