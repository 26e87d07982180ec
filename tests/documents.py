"""What a document in Markdown has, for the tests that hold it against what there is."""

import re
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from testkit.tools import ROOT


def tokens(document: Path) -> list[Token]:
    """The blocks of a document and, after each, what is in its text."""
    blocks = MarkdownIt("commonmark").enable("table").parse(document.read_text(encoding="utf-8"))
    return [token for block in blocks for token in (block, *(block.children or ()))]


def headings(document: Path) -> list[str]:
    return [token.tag for token in tokens(document) if token.type == "heading_open"]


def without_comments(shell: str) -> list[str]:
    return [re.sub(r"(^|\s+)#.*", "", line) for line in shell.splitlines()]


def fences(document: Path) -> list[tuple[str, list[str]]]:
    """Language and content of each block: commands without comments, and of the list of folders the left column."""
    return [
        (
            token.info,
            without_comments(token.content) if token.info else [line.split()[0] for line in token.content.splitlines()],
        )
        for token in tokens(document)
        if token.type == "fence"
    ]


def fenced(document: Path) -> list[tuple[str, str]]:
    """Language and content of each block, as it stands."""
    return [(token.info, token.content) for token in tokens(document) if token.type == "fence"]


def changes_files(document: Path) -> bool:
    """Say whether it has changes to apply to the project."""
    return any(info == "diff" for info, _ in fenced(document))


def inline_code(document: Path) -> set[str]:
    return {token.content for token in tokens(document) if token.type == "code_inline"}


def targets(document: Path) -> list[str]:
    found = (token.attrGet("href") or token.attrGet("src") for token in tokens(document))
    return [str(target) for target in found if target]


def in_any_language(targets: list[str]) -> set[str]:
    """Return where links lead, of what is there in both languages to the English one."""
    words = {"#deploy-na-aws": "#deploy-to-aws", "#quanto-custa": "#what-it-costs"}
    return {
        target.replace(".pt-BR.", ".").replace(anchor, words.get(anchor, anchor))
        for target in targets
        for anchor in ["#" + target.partition("#")[2]]
    }


def tables(document: Path) -> list[list[int]]:
    """For each table, how many cells each of its rows has."""
    result: list[list[int]] = []
    for token in tokens(document):
        match token.type:
            case "table_open":
                result.append([])
            case "tr_open":
                result[-1].append(0)
            case "th_open" | "td_open":
                result[-1][-1] += 1
    return result


def make_targets(document: Path) -> set[str]:
    code = "\n".join(token.content for token in tokens(document) if token.type in ("fence", "code_inline"))
    return set(re.findall(r"\bmake ([a-z][\w-]*)(?![\w=-])", code))


def make_commands() -> set[str]:
    """Return the targets of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][\w-]*):(?!=)", makefile, re.MULTILINE))
