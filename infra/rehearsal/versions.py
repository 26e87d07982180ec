"""Other versions of this project, to deploy over the one that runs: copies of it with a few words changed."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from infra.rehearsal.engine import ROOT
from infra.rehearsal.problem import RehearsalError

_TOOLS = (".venv", "node_modules")  # as large as they are the same
_NOT_COPIED = shutil.ignore_patterns(*_TOOLS, ".git", ".data", "cdk.out", "__pycache__", ".*_cache")

_API, _HEALTH, _COMPOSE = "app/api/main.py", "app/api/health.py", "docker-compose.yml"
_VERSION = "app/api/__init__.py"


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version by its name, whether it is to work, and how it differs: (file, words in it, what stands there)."""

    name: str
    works: bool
    changes: tuple[tuple[str, str, str], ...]


NEXT = Version(name="a new version", works=True, changes=((_VERSION, '"1.0.0"', '"1.0.1"'),))
EXITS = Version(
    name="a version whose API ends as it starts",
    works=False,
    changes=((_API, "def main() -> int:\n", 'def main() -> int:\n    sys.exit("api: made to fail")\n'),),
)
UNHEALTHY = Version(
    name="a version whose API fails its health check",
    works=False,
    # ... and a health check that is quicker about it, as the rehearsal waits for it.
    changes=(
        (_HEALTH, '"/live"', '"/elsewhere"'),
        (_COMPOSE, "start_period: 30s", "start_period: 1s"),
        (_COMPOSE, "retries: 3", "retries: 1"),
    ),
)


def copy_of(version: Version, directory: Path) -> Path:
    """Make a copy of this project as `version` in `directory`, and return it; an error when nothing is to change."""
    root = _copy(ROOT, directory / version.name.replace(" ", "-"))
    for file, before, after in version.changes:
        text = (root / file).read_text()
        if before not in text:
            raise RehearsalError(f"{version.name} cannot be made: {file} has no {before!r} to change")
        (root / file).write_text(text.replace(before, after))
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
