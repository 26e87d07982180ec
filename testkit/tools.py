"""The repository, and the tools some tests need: a missing one is a skip with a reason here and a failure in CI."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""


def require(tool: str) -> None:
    """Skip the running test when `tool` (engine, browser, cdk, checkov or history) is missing; with CI set, fail it."""
    missing = _missing(tool)
    if missing and os.environ.get("CI"):
        pytest.fail(f"CI needs it: {missing}")
    if missing:
        pytest.skip(missing)


@cache
def _missing(tool: str) -> str | None:
    match tool:
        case "engine":
            command = ["docker", "compose", "version"]
            answers = shutil.which("docker") and _succeeds(["docker", "info"]) and _succeeds(command)
            return None if answers else "no Docker engine with compose v2 answers"
        case "browser":
            return None if CHROMIUM else "no Chromium or Chrome is installed"
        case "cdk":
            return None if (ROOT / "node_modules/.bin/cdk").exists() else "no CDK CLI: run `make setup`"
        case "checkov":
            places = os.pathsep.join([str(Path(sys.prefix) / "checkov/bin"), os.environ["PATH"]])
            return None if shutil.which("checkov", path=places) else "no checkov: run `make setup`"
        case "history":
            complete = ["git", "-C", str(ROOT), "merge-base", "--is-ancestor", "HEAD", "HEAD"]
            shallow = (ROOT / ".git/shallow").exists()
            answers = shutil.which("git") and _succeeds(complete) and not shallow
            return None if answers else "the history is not here: clone all of it with git"
    raise ValueError(f"unknown tool {tool!r}")


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
