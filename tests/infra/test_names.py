"""A class is called what no other class of infra is called, so that a name alone says which one is meant."""

import ast
from collections import Counter

from testkit.tools import ROOT


def test_no_two_classes_share_a_name() -> None:
    trees = (ast.parse(file.read_text()) for file in (ROOT / "infra").rglob("*.py"))
    names = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))

    assert len(names) > 50
    assert [name for name, count in names.items() if count > 1] == []
