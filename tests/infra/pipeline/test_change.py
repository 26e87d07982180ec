"""`make change`: what a branch changes of the templates and their cost, for a pull request."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.pipeline.change import main
from testkit.tools import ROOT, require
from tests.infra.conftest import copy_project

MADE_FROM = ("app", "infra", "requirements", ".streamlit", ".dockerignore", "docker-compose.yml")


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, whose one environment is dev."""
    require("cdk")
    folder = tmp_path / "a project"
    folder.mkdir()
    copy_project(folder, MADE_FROM)
    said = json.loads((ROOT / "cdk.json").read_text())
    said["context"]["environments"] = {"dev": said["context"]["environments"]["dev"]}
    (folder / "cdk.json").write_text(json.dumps(said))
    (folder / ".gitignore").write_text(".venv\ncdk.out\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=Before")
    (folder / ".venv").symlink_to(sys.prefix)
    monkeypatch.chdir(folder)
    tools = [str(Path(sys.executable).parent), str(ROOT / "node_modules/.bin"), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(tools))
    return folder


def test_a_change_of_the_settings_is_told_with_what_it_costs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = json.loads((project / "cdk.json").read_text())
    said["context"]["environments"]["dev"]["network"]["nat_gateways"] = 1
    (project / "cdk.json").write_text(json.dumps(said))

    assert main("main") == 0

    text = capsys.readouterr().out
    assert "| Network/Vpc/publicSubnet1/NATGateway | NAT gateway | +32.85 | +32.85 |" in text
    assert "[+] AWS::EC2::NatGateway" in text
    assert len(text) < 65_536  # what a comment takes
    assert (
        subprocess.run(["git", "worktree", "list"], capture_output=True, text=True, check=True).stdout.count("\n") == 1
    )


def test_a_base_that_git_does_not_know_is_one_sentence(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("no-such-branch") == 1

    error = capsys.readouterr().err.strip()
    assert error.startswith("make change: git worktree: ")
    assert "no-such-branch" in error
