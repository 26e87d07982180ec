"""Other versions of this project, to deploy over the one that runs: copies of it with one thing changed."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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
_MIGRATIONS = "app/api/migrations/versions"
_MIGRATION = '''"""A column that only a version of the rehearsal would use."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{newest}"


def upgrade() -> None:
    """Add it."""
    op.add_column("products", sa.Column("rehearsal_{revision}", sa.Integer))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("products", "rehearsal_{revision}")
'''

_TAKES_A_SECOND = """    op.execute("LOCK TABLE products")
    op.execute("SELECT pg_sleep(1)")
"""
_PROTECTION = "deletion_protection"

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ProjectVersion:
    """A version by its name, whether it is to work, and what makes a copy of the project into it, one after the other.

    `updates_api` is of one whose API works, whatever becomes of the rest of it.
    """

    name: str
    works: bool
    changes: tuple[Callable[[Path], None], ...]
    updates_api: bool = False

    @property
    def migrates(self) -> bool:
        """Whether it brings a migration."""
        return _with_a_migration in self.changes


def copy_of(version: ProjectVersion, directory: Path, project: Path = ROOT) -> Path:
    """Make a copy of a project as `version` in `directory`, and return it; RehearsalError naming what it lacks."""
    root = _copy(project, directory / version.name.replace(" ", "-"))
    try:
        for change in version.changes:
            change(root)
    except LookupError as error:
        raise RehearsalError(f"{version.name} cannot be made: {error.args[0]}") from error
    return root


def unprotected(project: Path, environment: str, directory: Path) -> Path:
    """Make a copy of a project in which cdk.json lets the environment be deleted, and return it."""
    return _with_settings(project, environment, directory / "unprotected", lambda one: one | {_PROTECTION: False})


def from_snapshot(project: Path, environment: str, directory: Path, snapshot: str) -> Path:
    """Make a copy of a project whose environment begins with a snapshot, and can be deleted; return it."""

    def change(settings: Json) -> Json:
        database = settings["database"] | {"snapshot_identifier": snapshot}
        return settings | {_PROTECTION: False, "database": database}

    return _with_settings(project, environment, directory / "from-snapshot", change)


def _with_settings(project: Path, environment: str, root: Path, change: Callable[[Json], Json]) -> Path:
    _copy(project, root)
    settings = json.loads((root / "cdk.json").read_text())
    environments = settings["context"]["environments"]
    environments[environment] = change(environments[environment])
    (root / "cdk.json").write_text(json.dumps(settings))
    return root


def _copy(project: Path, root: Path) -> Path:
    shutil.copytree(project, root, ignore=_NOT_COPIED, symlinks=True)
    for name in _TOOLS:
        (root / name).symlink_to(ROOT / name)
    return root


def _of_another_number(root: Path) -> None:
    file = root / _VERSION_FILE
    before = file.read_text()
    text, changed = _VERSION.subn(r'\1.next"' if "+" in before else r'\1+next"', before)
    if not changed:
        raise LookupError(f"{_VERSION_FILE} has no line that begins with __version__ =")
    file.write_text(text)


def _with_a_migration(root: Path) -> None:
    newest = max((file.name[:4] for file in (root / _MIGRATIONS).glob("[0-9]*.py")), default="")
    if not newest:
        raise LookupError(f"{_MIGRATIONS} has no numbered migration")
    revision = f"{int(newest) + 1:04}"
    migration = _MIGRATION.format(revision=revision, newest=newest)
    (root / _MIGRATIONS / f"{revision}_rehearsal.py").write_text(migration)


def _with_a_slow_migration(root: Path) -> None:
    _with_a_migration(root)
    (file,) = (root / _MIGRATIONS).glob("*_rehearsal.py")
    file.write_text(file.read_text().replace("    op.add_column(", f"{_TAKES_A_SECOND}    op.add_column(", 1))


def _whose_api_exits(root: Path) -> None:
    _with_service(root, "api", partial(_exit, "api"))


def _whose_ui_exits(root: Path) -> None:
    _with_service(root, "ui", partial(_exit, "ui"))


def _exit(name: str, service: Json) -> None:
    service["command"] = ["python", "-c", f'import sys; sys.exit("{name}: made to fail")']


def _whose_api_is_unhealthy(root: Path) -> None:
    def change(api: Json) -> None:
        # Its own check alone: the load balancer's path is that of the target group, so of the version before, too.
        *program, url = api["healthcheck"]["test"]
        # ... and given up sooner, as the rehearsal waits for it, but not before it has said anything.
        api["healthcheck"] |= {"test": [*program, f"{url}/elsewhere"], "start_period": "10s"}

    _with_service(root, "api", change)


def _with_service(root: Path, name: str, change: Callable[[Json], None]) -> None:
    """Change a service of the project's compose file."""
    file = find(root)
    compose = yaml.safe_load(file.read_text())
    if name not in compose["services"]:
        raise LookupError(f"{file.name} has no service {name}")
    try:
        change(compose["services"][name])
    except KeyError as error:
        raise LookupError(f"the service {name} in {file.name} has no {error.args[0]}") from None
    file.write_text(yaml.safe_dump(compose, sort_keys=False, allow_unicode=True))


NEXT = ProjectVersion(
    name="a new version with a migration",
    works=True,
    changes=(_of_another_number, _with_a_migration),
    updates_api=True,
)
SLOW = ProjectVersion(
    name="a new version whose migration takes its time",
    works=True,
    changes=(_of_another_number, _with_a_slow_migration),
    updates_api=True,
)
UNHEALTHY = ProjectVersion(
    name="a version with a migration whose API fails its health check",
    works=False,
    changes=(_whose_api_is_unhealthy, _with_a_migration),
)
EXITS = ProjectVersion(name="a version whose API ends as it starts", works=False, changes=(_whose_api_exits,))
UI_EXITS = ProjectVersion(
    name="a version whose API works and whose UI ends as it starts",
    works=False,
    changes=(_of_another_number, _whose_ui_exits),
    updates_api=True,
)
