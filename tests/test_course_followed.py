"""Chapters of the course that change the project: followed in a copy of it, block after block, as a reader would.

Their diffs are applied, their commands and programs run, and what they show has to be what one sees.
"""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from testkit.tools import ROOT, require
from tests import documents
from tests.infra.conftest import copy_project

CHAPTERS = [path for path in sorted((ROOT / "docs/course").glob("*.md")) if documents.changes_files(path)]
COPIED = [*("app", "infra", "tests", "testkit", "requirements", ".streamlit", ".dockerignore", "Makefile")]
COPIED += ["pyproject.toml", "docker-compose.yml", "cdk.json"]
# Everything is set up, whatever the copy's files are younger than.
MAKE = 'make() { command make -o .venv/.ready -o .venv/checkov/.ready -o node_modules/.ready "$@"; }\n'


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_who_follows_a_chapter_block_by_block_sees_what_it_shows(chapter: Path, tmp_path: Path) -> None:
    require("cdk")
    project = tmp_path / "um lugar"
    project.mkdir()
    copy_project(project, COPIED)
    (project / ".venv").symlink_to(sys.prefix)
    (project / "node_modules").symlink_to(ROOT / "node_modules")
    for fence, after in itertools.pairwise([*documents.fenced(chapter), ("", "")]):
        match fence:
            case ("diff", change):
                result = _run(["git", "apply", "-"], project, change)
                assert result.returncode == 0, result.stderr
            case ("python", program):
                result = _run([sys.executable, "-c", program], project)
                assert (result.stdout, result.returncode, after[0]) == (after[1], 0, "text"), result.stderr
            case ("sh", commands):
                result = _run(["bash", "-euc", MAKE + commands], project)
                assert result.returncode == 0, result.stdout + result.stderr
                shown = after[1].splitlines() if after[0] == "text" else []
                assert [line for line in shown if line not in result.stdout] == [], result.stdout


def _run(command: list[str], project: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=project, input=given, capture_output=True, text=True, check=False)
