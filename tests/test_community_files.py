"""The files by which people recognise a project they may build on, and what they lead to."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from app.api import __version__
from testkit.tools import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_links_and_commands_of_the_text_exist(name: str) -> None:
    text = (ROOT / name).read_text()
    for link in re.findall(r"]\((?!https?:)([^)#]+)\)", text):
        assert (ROOT / link).exists(), link
    for command in re.findall(r"make ([a-z][\w-]*)", text):
        assert re.search(rf"^{command}:", MAKEFILE, re.MULTILINE), command


def test_hooks_call_the_tools_of_the_environment_and_fetch_none() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        tool = Path(hook["entry"].split()[0])
        assert (ROOT / tool).exists(), tool


def test_updates_are_looked_for_wherever_something_is_pinned() -> None:
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    watched = {
        (update["package-ecosystem"], folder)
        for update in updates
        for folder in update.get("directories") or [update["directory"]]
    }
    assert {("pip", "/"), ("npm", "/"), ("docker", "/app"), ("docker-compose", "/"), ("github-actions", "/")} <= watched
    assert [*ROOT.glob(".github/actions/*/action.yml")]  # which pin actions too
    assert ("github-actions", "/.github/actions/*") in watched


def test_there_is_one_version_number() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__
    assert "version" not in json.loads((ROOT / "package.json").read_text())


def test_the_licence_is_mit() -> None:
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n")
