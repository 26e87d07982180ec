"""README.md and README.pt-BR.md say the same, and the commands and files they name exist."""

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


def test_headings_have_the_same_levels() -> None:
    assert headings(ENGLISH) == headings(PORTUGUESE)


def test_code_blocks_are_the_same_but_for_comments() -> None:
    assert fences(ENGLISH) == fences(PORTUGUESE)
    assert any(language == "sh" for language, _ in fences(ENGLISH))


def test_code_in_the_text_is_the_same() -> None:
    assert inline_code(ENGLISH) == inline_code(PORTUGUESE)


def test_tables_have_the_same_rows_and_columns() -> None:
    assert tables(ENGLISH) == tables(PORTUGUESE)


def test_links_and_images_are_the_same_but_for_the_language() -> None:
    english, portuguese = targets(ENGLISH), targets(PORTUGUESE)
    assert english.pop(0) == PORTUGUESE.name
    assert portuguese.pop(0) == ENGLISH.name
    assert in_any_language(english) == in_any_language(portuguese)


@BOTH
def test_every_make_command_exists(readme: Path) -> None:
    mentioned = make_targets(readme)
    assert {"run", "test"} <= mentioned
    assert mentioned <= make_commands()


@BOTH
def test_every_relative_link_leads_to_a_file(readme: Path) -> None:
    relative = [target for target in targets(readme) if not re.match(r"[a-z]+:|#", target)]
    assert relative
    assert [target for target in relative if not (readme.parent / target.partition("#")[0]).is_file()] == []


@BOTH
def test_every_file_of_the_list_of_folders_exists(readme: Path) -> None:
    (paths,) = (content for language, content in fences(readme) if not language)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_comments_are_what_is_dropped_from_commands() -> None:
    shell = "make run     # all of it\n# only a comment\necho a#b $#\n"
    assert without_comments(shell) == ["make run", "", "echo a#b $#"]
