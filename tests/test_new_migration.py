"""`make migration` writes what leads from the newest migration to the models."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.database import server_folder
from testkit.tools import ROOT


@pytest.fixture
def project() -> Iterator[Path]:
    with server_folder() as folder:
        shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
        yield folder


def new_migration(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.new_migration", *words]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def test_a_new_column_becomes_a_migration(project: Path) -> None:
    models = project / "app/api/models.py"
    price = "    price: Mapped[Decimal]"
    models.write_text(models.read_text().replace(price, f"    stock: Mapped[int | None]\n{price}"))
    versions = project / "app/api/migrations/versions"
    before = set(versions.glob("*.py"))
    result = new_migration(project, "add a stock column")
    assert result.returncode == 0, result.stderr
    (written,) = set(versions.glob("*.py")) - before
    assert re.match(r"\d{4}_add_a_stock_column\.py", written.name)
    assert "op.add_column('products', sa.Column('stock', sa.Integer(), nullable=True))" in written.read_text()


def test_it_wants_to_know_what_changes(project: Path) -> None:
    result = new_migration(project, "")
    assert result.returncode == 1
    assert "say what changes" in result.stderr
