"""The version before the newest migration works on the schema that it leads to: what is rolled back goes on serving."""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from app.api.revision import VERSIONS, newest_revision
from testkit.database import server_folder
from testkit.tools import ROOT, require

CONTRACT = ("test_products.py", "test_preconditions.py", "test_idempotency.py")


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


@pytest.fixture
def version_before() -> Iterator[Path]:
    """The program as it was before the newest migration was added, with the migrations of today."""
    require("history")
    (newest,) = VERSIONS.glob(f"{newest_revision()}_*.py")
    added = git("log", "--diff-filter=A", "--format=%H", "--", str(newest)).decode().split()
    before = f"{added[-1]}^" if added else "HEAD"  # a migration that is not committed yet
    with server_folder() as folder:
        with tarfile.open(fileobj=BytesIO(git("archive", before))) as archive:
            archive.extractall(folder, filter="data")
        migrations = Path("app/api/migrations")
        shutil.rmtree(folder / migrations)
        shutil.copytree(ROOT / migrations, folder / migrations, ignore=shutil.ignore_patterns("__pycache__"))
        yield folder


def test_the_version_before_keeps_its_contract_on_the_newest_schema(version_before: Path) -> None:
    tests = [f"tests/api/{name}" for name in CONTRACT]
    of_the_schema = "postgresql and not openapi"  # the list of addresses is none of its business
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", of_the_schema, *tests]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    result = subprocess.run(command, cwd=version_before, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-5000:]
