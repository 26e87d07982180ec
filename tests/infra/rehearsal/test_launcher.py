"""What the rehearsal needs of the emulator's insides is there, and comes through one door."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import cast

import pytest

from infra.plan import collector
from infra.rehearsal.launcher import container_definitions, internals
from testkit.tools import ROOT

LAUNCHER = ROOT / "infra/rehearsal/launcher"
DOOR = "infra.rehearsal.launcher.internals"
FILES = sorted(LAUNCHER.glob("*.py"))


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield each import of a file: the module, and the name taken from it if any."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def names_used(file: Path) -> Iterator[tuple[str, str, int]]:
    """Yield what a file uses of the emulator's modules: the module, the name in it, and the line."""
    tree = ast.parse(file.read_text())
    ours = {name for module, name in imported(tree) if module == DOOR}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in ours:
                yield module, name, node.lineno
            case ast.Call(func=ast.Name(id="replace"), args=[ast.Name(id=module), ast.Constant(value=str(name)), *_]):
                yield module, name, node.lineno


def test_every_name_of_the_emulators_insides_is_there() -> None:
    used = {(file.name, *use) for file in FILES for use in names_used(file)}
    missing = [
        f"{getattr(internals, module).__name__} has no {name} (launcher/{file}, line {line})"
        for file, module, name, line in sorted(used)
        if not hasattr(getattr(internals, module), name)
    ]

    assert len(used) > 50
    assert missing == []


def test_nothing_else_reaches_into_the_emulator() -> None:
    found = [
        file.name for file in FILES for module, _ in imported(ast.parse(file.read_text())) if "ministack" in module
    ]

    assert {*found} == {"internals.py"}


def test_a_function_that_is_gone_is_not_replaced_by_one_that_nobody_calls() -> None:
    module = cast("ModuleType", SimpleNamespace(__name__="ministack.services.ecs", _there=len))

    with pytest.raises(LookupError, match=r"ministack\.services\.ecs has no _gone any more"):
        internals.replace(module, "_gone", lambda _: len)
    with pytest.raises(LookupError, match="does not know AWS::No::Such"):
        internals.handlers("AWS::No::Such")


def test_a_function_that_is_replaced_can_call_the_one_before() -> None:
    module = cast("ModuleType", SimpleNamespace(__name__="ministack", double=lambda number: 2 * number))

    internals.replace(module, "double", lambda before: lambda number: before(number) + 1)

    assert module.double(3) == 7


def test_the_launcher_starts_from_what_its_image_holds(tmp_path: Path) -> None:
    copied = [line.split()[1] for line in (LAUNCHER.parent / "Dockerfile").read_text().splitlines() if "COPY" in line]
    for name in copied:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(ROOT / name, target) if (ROOT / name).is_dir() else shutil.copy(ROOT / name, target)
    install = "from infra.rehearsal.launcher import __main__ as launcher; launcher.resource_types.install()"

    started = subprocess.run(
        [sys.executable, "-c", install],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (started.returncode, started.stderr) == (0, "")


def test_the_collector_of_traces_is_left_out_of_a_task() -> None:
    definitions = [{"Name": "api", "Image": "api:1"}, {"Name": collector.NAME, "Image": collector.IMAGE}]
    assert [one["name"] for one in container_definitions.translated(definitions)] == ["api"]
