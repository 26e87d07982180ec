"""What is there in English and Portuguese says the same in both, and the commands and files the READMEs name exist."""

import re
from pathlib import Path

import pytest

from testkit.tools import ROOT
from tests.documents import (
    fences,
    headings,
    in_any_language,
    inline_code,
    make_commands,
    make_targets,
    tables,
    targets,
    without_comments,
)

ENGLISH, PORTUGUESE = ROOT / "README.md", ROOT / "README.pt-BR.md"
BOTH = pytest.mark.parametrize("readme", [ENGLISH, PORTUGUESE], ids=lambda path: path.name)
PAIRS = [(path.with_name(path.name.replace(".pt-BR", "")), path) for path in sorted(ROOT.glob("**/*.pt-BR.md"))]
PAIRS = [pair for pair in PAIRS if not {"node_modules", ".venv"} & {*pair[1].parts}]
EACH_PAIR = pytest.mark.parametrize(("english", "portuguese"), PAIRS, ids=[english.stem for english, _ in PAIRS])


@EACH_PAIR
def test_headings_have_the_same_levels(english: Path, portuguese: Path) -> None:
    assert headings(english) == headings(portuguese)


@EACH_PAIR
def test_code_blocks_are_the_same_but_for_comments(english: Path, portuguese: Path) -> None:
    assert fences(english) == fences(portuguese)


@EACH_PAIR
def test_code_in_the_text_is_the_same(english: Path, portuguese: Path) -> None:
    assert inline_code(english) == inline_code(portuguese)


@EACH_PAIR
def test_tables_have_the_same_rows_and_columns(english: Path, portuguese: Path) -> None:
    assert tables(english) == tables(portuguese)


@EACH_PAIR
def test_links_and_images_are_the_same_but_for_the_language(english: Path, portuguese: Path) -> None:
    said, dito = targets(english), targets(portuguese)
    assert said.pop(0) == portuguese.name
    assert dito.pop(0) == english.name
    assert in_any_language(said) == in_any_language(dito)


def test_the_readmes_and_what_they_lead_to_are_there_in_both_languages() -> None:
    assert {"README", "api", "configuration", "deploy", "ui"} <= {english.stem for english, _ in PAIRS}


def test_the_index_has_every_document() -> None:
    index = ROOT / "docs/README.md"
    listed = {(index.parent / target).resolve() for target in targets(index)}
    written = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("*/README.md"), ROOT / "docs/decisions"]
    assert [path for path in written if path not in listed | {index}] == []


@BOTH
def test_every_make_command_exists(readme: Path) -> None:
    mentioned = make_targets(readme)
    assert {"run", "test"} <= mentioned
    assert mentioned <= make_commands()


@BOTH
def test_every_relative_link_leads_to_a_file(readme: Path) -> None:
    relative = [target for target in targets(readme) if not re.match(r"[a-z]+:|#", target)]
    assert relative
    assert [target for target in relative if not (readme.parent / target.partition("#")[0]).exists()] == []


def test_comments_are_what_is_dropped_from_commands() -> None:
    shell = "make run     # all of it\n# only a comment\necho a#b $#\n"
    assert without_comments(shell) == ["make run", "", "echo a#b $#"]
