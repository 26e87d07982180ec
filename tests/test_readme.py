"""README.md and README.pt-BR.md say the same, and the commands and files they name exist."""

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from testkit.tools import ROOT

ENGLISH, PORTUGUESE = ROOT / "README.md", ROOT / "README.pt-BR.md"
BOTH = pytest.mark.parametrize("readme", [ENGLISH, PORTUGUESE], ids=lambda path: path.name)


def tokens(readme: Path) -> list[Token]:
    """The blocks of a README and, after each, what is in its text."""
    blocks = MarkdownIt("commonmark").enable("table").parse(readme.read_text(encoding="utf-8"))
    return [token for block in blocks for token in (block, *(block.children or ()))]


def headings(readme: Path) -> list[str]:
    return [token.tag for token in tokens(readme) if token.type == "heading_open"]


def without_comments(shell: str) -> list[str]:
    return [re.sub(r"(^|\s+)#.*", "", line) for line in shell.splitlines()]


def fences(readme: Path) -> list[tuple[str, list[str]]]:
    """Language and content of each block: commands without comments, and of the list of folders the left column."""
    return [
        (
            token.info,
            without_comments(token.content) if token.info else [line.split()[0] for line in token.content.splitlines()],
        )
        for token in tokens(readme)
        if token.type == "fence"
    ]


def inline_code(readme: Path) -> set[str]:
    return {token.content for token in tokens(readme) if token.type == "code_inline"}


def targets(readme: Path) -> list[str]:
    found = (token.attrGet("href") or token.attrGet("src") for token in tokens(readme))
    return [str(target) for target in found if target]


def in_any_language(targets: list[str]) -> set[str]:
    """Return where links lead, of a picture with words wherever it has the words of the other language."""
    return {target.replace(".pt-BR.svg", ".svg") for target in targets}


def tables(readme: Path) -> list[list[int]]:
    """For each table, how many cells each of its rows has."""
    result: list[list[int]] = []
    for token in tokens(readme):
        match token.type:
            case "table_open":
                result.append([])
            case "tr_open":
                result[-1].append(0)
            case "th_open" | "td_open":
                result[-1][-1] += 1
    return result


def make_targets(readme: Path) -> set[str]:
    code = "\n".join(token.content for token in tokens(readme) if token.type in ("fence", "code_inline"))
    return set(re.findall(r"\bmake ([a-z][\w-]*)(?![\w=-])", code))


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
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    mentioned = make_targets(readme)
    assert {"run", "test"} <= mentioned
    assert mentioned <= set(re.findall(r"^([a-z][\w-]*):(?!=)", makefile, re.MULTILINE))


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
