"""Who may import whom (pyproject.toml: tool.importlinter): each contract refuses what it is there to refuse."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from testkit.tools import ROOT

CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
NAMES = [contract["name"] for contract in CONFIGURATION["contracts"]]


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """Every module of the repository under its name with nothing in it, and the contracts."""
    for package in CONFIGURATION["root_packages"]:
        for file in (ROOT / package).rglob("*.py"):
            empty = tmp_path / file.relative_to(ROOT)
            empty.parent.mkdir(parents=True, exist_ok=True)
            empty.touch()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


# By a part of a contract's name: what nothing in a folder may import.
FORBIDDEN = {
    "app and infra know nothing of each other": [
        ("app/api", "infra.plan"),
        ("app/ui", "infra.compose"),
        ("infra/plan", "app.api"),
        ("infra/constructs", "app.ui"),
    ],
    "tests and benchmarks meet in testkit alone": [
        ("tests", "benchmarks"),
        ("benchmarks", "tests"),
        ("faults", "tests"),
        ("app", "tests"),
        ("infra/gates", "tests"),
        ("testkit", "tests"),
        ("app", "testkit"),
    ],
    "api and ui know nothing of each other": [("app/api", "app.ui"), ("app/ui", "app.api"), ("app/api", "app.local")],
    "ui is pages": [
        ("app/ui/views", "app.ui.main"),
        ("app/ui/views", "app.ui.server"),
        ("app/ui/products", "app.ui.views"),
        ("app/ui/products", "app.ui.files"),
        ("app/ui/files", "app.ui.products"),
        ("app/ui/sign_in", "app.ui.errors"),
        ("app/ui/client", "app.ui.sign_in"),
        ("app/ui/client", "app.ui.errors"),
        ("app/ui/texts", "app.ui.formats"),
    ],
    "infra reads as compose, plan, constructs, stack, app": [
        ("infra/compose", "infra.plan"),
        ("infra/compose", "infra.constructs"),
        ("infra/plan", "infra.constructs"),
        ("infra/constructs", "infra.stack"),
        ("infra/constructs", "infra.app"),
        ("infra/constructs", "infra.gates"),
        ("infra/constructs", "infra.rehearsal"),
        ("infra/constructs", "infra.operations"),
    ],
    "knows no CDK and asks no AWS": [
        ("infra/plan", "aws_cdk"),
        ("infra/compose", "constructs"),
        ("infra/plan", "boto3"),
    ],
    "the stack as AWS shows it": [("infra/rehearsal", "infra.stack"), ("infra/operations", "aws_cdk")],
}


def broken(rooms: Path) -> dict[str, str]:
    """Return what is said about each contract that is broken, by its name."""
    program = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"]
    answer = subprocess.run(
        program, cwd=rooms, env={**os.environ, "COLUMNS": "500"}, capture_output=True, text=True, check=False
    )
    summary, _, details = answer.stdout.partition("Broken contracts\n")
    assert " kept, " in summary, answer.stdout + answer.stderr
    sections = {name: details.partition(f"\n{name}\n")[2] for name in NAMES}
    return {
        name: min((section.partition(f"\n{other}\n")[0] for other in NAMES), key=len)
        for name, section in sections.items()
        if section
    }


def test_nothing_is_refused_where_nothing_is_imported(rooms: Path) -> None:
    assert broken(rooms) == {}


def test_each_contract_refuses_all_that_it_forbids(rooms: Path) -> None:
    expected: set[tuple[str, str]] = set()
    for contract, pairs in FORBIDDEN.items():
        (name,) = [name for name in NAMES if contract in name]
        for folder, imported in pairs:
            intruder = rooms / folder / f"intruder_{len(expected)}.py"
            intruder.write_text(f"import {imported}\n")
            module = ".".join(intruder.relative_to(rooms).with_suffix("").parts)
            expected.add((name, f"{module} -> {imported} (l.1)"))

    found = broken(rooms)

    assert {(name, line) for name, line in expected if line not in found.get(name, "")} == set()


@pytest.mark.parametrize(
    "folder", ["app/api", "app/ui/products", "infra/plan", "infra/rehearsal", "tests/api", "benchmarks"]
)
def test_a_circle_is_refused(rooms: Path, folder: str) -> None:
    package = folder.replace("/", ".")
    (rooms / folder / "chicken.py").write_text(f"import {package}.egg\n")
    (rooms / folder / "egg.py").write_text(f"import {package}.chicken\n")

    assert [*broken(rooms)] == ["no circles"]


@pytest.mark.parametrize(("folder", "contract"), [("infra", "infra reads as"), ("app/ui", "ui is pages")])
def test_a_new_room_has_to_say_where_it_belongs(rooms: Path, folder: str, contract: str) -> None:
    (rooms / folder / "attic.py").touch()

    (name,) = broken(rooms)

    assert name.startswith(contract)


def test_every_contract_is_tried() -> None:
    tried = [*FORBIDDEN, "no circles"]

    assert [name for name in NAMES if not any(part in name for part in tried)] == []
