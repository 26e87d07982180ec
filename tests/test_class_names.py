"""A class is called what no other class of its part of the tree is called, so that its name alone says which it is."""

import ast
from collections import Counter

import pytest

from testkit.tools import ROOT


@pytest.mark.parametrize("part", ["app/api", "app/ui", "infra", "faults", "testkit", "benchmarks"])
def test_no_two_classes_share_a_name(part: str) -> None:
    trees = (ast.parse(file.read_text()) for file in (ROOT / part).rglob("*.py"))
    names = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))

    assert names
    assert [name for name, count in names.items() if count > 1] == []
