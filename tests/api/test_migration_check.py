"""`make migration-check` measures every migration, kills migrators, and refuses one that keeps people waiting."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.api.revision import newest_revision
from testkit.database import server_folder
from testkit.tools import ROOT

ROWS, KILLED_ROWS = 20_000, 2_000  # `make migration-check` takes a million


def migration_check(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.migration_check", "--killed-rows", str(KILLED_ROWS), *options]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def test_no_migration_keeps_anybody_waiting_and_killed_ones_are_finished() -> None:
    result = migration_check(ROOT, "--rows", str(ROWS), "--kills", "2")
    assert result.returncode == 0, result.stderr
    assert f"\n{newest_revision()} " in result.stdout
    assert "another one finished: 2 of 2 times" in result.stdout


@pytest.fixture
def project() -> Iterator[Path]:
    with server_folder() as folder:
        shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
        yield folder


def add_impolite_migration(project: Path, after: str, docstring: str) -> str:
    """Add one that writes a table anew, and then keeps the lock for a while."""
    revision = f"{int(after) + 1:04}"
    (project / f"app/api/migrations/versions/{revision}_impolite.py").write_text(
        f'"""An impolite one.\n\n{docstring}\n"""\n\nfrom alembic import op\n\n'
        f'revision = "{revision}"\ndown_revision = "{after}"\n\n\ndef upgrade() -> None:\n'
        f'    op.execute("ALTER TABLE products ADD COLUMN at_{revision} uuid DEFAULT gen_random_uuid()")\n'
        '    op.execute("SELECT pg_sleep(2)")\n'
    )
    return revision


def test_one_that_keeps_people_waiting_is_refused_unless_it_says_so(project: Path) -> None:
    silent = add_impolite_migration(project, newest_revision(), "")
    lines = (f"Blocks {who} for up to 90000 s at a million products." for who in ("readers", "writers"))
    declared = add_impolite_migration(project, silent, "\n".join(lines))
    result = migration_check(project, "--rows", "1000", "--kills", "0")
    assert result.returncode == 1
    assert f"{silent} keeps readers waiting for" in result.stderr
    assert f"{silent} keeps writers waiting for" in result.stderr
    assert f"{silent} writes all of products anew" in result.stderr
    assert f"make migration-check: {declared}" not in result.stderr
    assert "Traceback" not in result.stderr
