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
    models.write_text(models.read_text().replace(price, f"    moon_phase: Mapped[int | None]\n{price}"))
    versions = project / "app/api/migrations/versions"
    before = set(versions.glob("*.py"))
    result = new_migration(project, "add a moon_phase column")
    assert result.returncode == 0, result.stderr
    (written,) = set(versions.glob("*.py")) - before
    assert re.match(r"\d{4}_add_a_moon_phase_column\.py", written.name)
    assert "op.add_column('products', sa.Column('moon_phase', sa.Integer(), nullable=True))" in written.read_text()


@pytest.mark.parametrize(
    ("line", "changed", "says"),
    [
        (r"    description: .*\n", "", "products.description is dropped or renamed"),
        (r"    price: (.*)\n", r"    cost: \1\n", "products.price is dropped or renamed"),
        (r"(    price: )", r"    moon_phase: Mapped[int]\n\1", "products.moon_phase must have a value"),
        (r"(    name: .*)String\(200\)", r"\1String(100)", "products.name changes its type"),
        (r"(    description: Mapped\[str) \| None", r"\1", "products.description becomes NOT NULL"),
        (r"    email_fornecedor: (.*)String\(254\)", r"    email_fornecedor: \1String(254), unique=True", "constraint"),
    ],
)
def test_what_the_version_before_could_not_live_with_is_refused(
    project: Path, line: str, changed: str, says: str
) -> None:
    models = project / "app/api/models.py"
    text, count = re.subn(line, changed, models.read_text(), count=1)
    assert count
    models.write_text(text.replace("Product.price", "Product.cost") if "cost" in changed else text)
    if not changed:  # what was an order of the list
        models.write_text(re.sub(r'    "description": func.*?\n    \),\n', "", models.read_text(), flags=re.DOTALL))
    versions = project / "app/api/migrations/versions"
    before = set(versions.glob("*.py"))
    result = new_migration(project, "change it")
    assert result.returncode == 1
    assert says in result.stderr
    assert "nothing was written" in result.stderr
    assert "Traceback" not in result.stderr
    assert set(versions.glob("*.py")) == before


def test_the_second_step_is_written_when_it_is_said_to_be_one(project: Path) -> None:
    models = project / "app/api/models.py"
    models.write_text(re.sub(r"(    name: .*)String\(200\)", r"\1String(300)", models.read_text()))
    result = new_migration(project, "--contract", "longer names")
    assert result.returncode == 0, result.stderr
    (written,) = (project / "app/api/migrations/versions").glob("*longer_names.py")
    assert "op.alter_column('products', 'name'" in written.read_text()


def test_it_wants_to_know_what_changes(project: Path) -> None:
    result = new_migration(project, "")
    assert result.returncode == 1
    assert "say what changes" in result.stderr
