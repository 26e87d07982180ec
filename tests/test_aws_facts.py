"""docs/aws-facts.md: each rule has a test that is there, or says that only AWS can tell."""

import re

from testkit.tools import ROOT

FACTS = (ROOT / "docs/aws-facts.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in FACTS.splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| Rule of AWS"))
]


def test_each_rule_has_a_source_and_a_test_or_says_that_only_aws_can_tell() -> None:
    assert len(ROWS) > 20
    for rule, source, held_by, how_sure in ROWS:
        assert rule
        assert how_sure.startswith(("documented", "reported", "only AWS can tell"))
        assert (source and held_by) or how_sure.startswith("only AWS can tell"), rule


def test_the_tests_it_names_are_there() -> None:
    named = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", "\n".join(row[2] for row in ROWS))

    assert len(named) >= 20
    for file, name in named:
        found = [path for path in (ROOT / "tests").rglob(file.removeprefix("tests/")) if path.is_file()]
        assert any(f"def {name}" in path.read_text(encoding="utf-8") for path in found), f"{file}::{name}"
