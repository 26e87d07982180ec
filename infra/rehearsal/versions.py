"""Other versions of this project, to deploy over the one that runs: copies of it with one thing changed."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.compose import find
from infra.rehearsal.engine import ROOT
from infra.rehearsal.problem import RehearsalError

_TOOLS = (".venv", "node_modules")  # as large as they are the same
_NOT_COPIED = shutil.ignore_patterns(*_TOOLS, ".git", ".data", "cdk.out", "__pycache__", ".*_cache")

_VERSION_FILE = "app/api/__init__.py"
_VERSION = re.compile(r'^(__version__ = "[^"]+)"', re.MULTILINE)

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version by its name, whether it is to work, and what makes a copy of the project into it."""

    name: str
    works: bool
    change: Callable[[Path], None]


def copy_of(version: Version, directory: Path, project: Path = ROOT) -> Path:
    """Make a copy of a project as `version` in `directory`, and return it; RehearsalError naming what it lacks."""
    root = _copy(project, directory / version.name.replace(" ", "-"))
    try:
        version.change(root)
    except LookupError as error:
        raise RehearsalError(f"{version.name} cannot be made: {error.args[0]}") from error
    return root


def unprotected(project: Path, environment: str, directory: Path) -> Path:
    """Make a copy of a project in which cdk.json lets the environment be deleted, and return it."""
    root = _copy(project, directory / "unprotected")
    settings = json.loads((root / "cdk.json").read_text())
    settings["context"]["environments"][environment]["deletion_protection"] = False
    (root / "cdk.json").write_text(json.dumps(settings))
    return root


def _copy(project: Path, root: Path) -> Path:
    shutil.copytree(project, root, ignore=_NOT_COPIED, symlinks=True)
    for name in _TOOLS:
        (root / name).symlink_to(ROOT / name)
    return root


def _of_another_number(root: Path) -> None:
    file = root / _VERSION_FILE
    text, changed = _VERSION.subn(r'\1+next"', file.read_text())
    if not changed:
        raise LookupError(f"{_VERSION_FILE} has no line that begins with __version__ =")
    file.write_text(text)


def _that_exits(root: Path) -> None:
    _with_api(root, lambda api: api.update(command=["python", "-c", 'import sys; sys.exit("api: made to fail")']))


def _that_is_unhealthy(root: Path) -> None:
    def change(api: Json) -> None:
        *program, url = api["healthcheck"]["test"]
        path = api["x-aws"]["public"]["health_path"]
        api["x-aws"]["public"]["health_path"] = f"{path}/elsewhere"
        # ... and given up sooner, as the rehearsal waits for it, but not before it has said anything.
        api["healthcheck"] |= {"test": [*program, f"{url}/elsewhere"], "start_period": "10s"}

    _with_api(root, change)


def _with_api(root: Path, change: Callable[[Json], None]) -> None:
    """Change the service api of the project's compose file."""
    file = find(root)
    compose = yaml.safe_load(file.read_text())
    if "api" not in compose["services"]:
        raise LookupError(f"{file.name} has no service api")
    try:
        change(compose["services"]["api"])
    except KeyError as error:
        raise LookupError(f"the service api in {file.name} has no {error.args[0]}") from None
    file.write_text(yaml.safe_dump(compose, sort_keys=False, allow_unicode=True))


NEXT = Version(name="a new version", works=True, change=_of_another_number)
EXITS = Version(name="a version whose API ends as it starts", works=False, change=_that_exits)
UNHEALTHY = Version(name="a version whose API fails its health check", works=False, change=_that_is_unhealthy)
