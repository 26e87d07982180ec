"""Every link of every document leads somewhere, and every command in it exists."""

import itertools
import re
from pathlib import Path

import pytest

from infra.operations.__main__ import VERBS
from testkit.tools import ROOT
from tests import documents

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
EACH = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def anchors(document: Path) -> set[str]:
    """Return what GitHub calls the headings of a document in links."""
    found: list[str] = []
    blocks = documents.tokens(document)
    for token, inline in itertools.pairwise(blocks):
        if token.type == "heading_open":
            text = "".join(child.content for child in inline.children or ())
            slug = re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")
            found.append(slug if slug not in found else f"{slug}-{found.count(slug)}")
    return set(found)


@EACH
def test_every_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    broken = []
    for target in documents.targets(document):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        is_heading = not anchor or file.suffix != ".md" or (file.is_file() and anchor in anchors(file))
        if not file.exists() or not is_heading:
            broken.append(target)
    assert broken == []


@EACH
def test_every_command_exists(document: Path) -> None:
    if document.stem == "no-generator":  # about a command that there is not
        return
    assert documents.make_targets(document) <= documents.make_commands()
    for module, verb in re.findall(r"python -m ([\w.]+)(?: ([a-z-]+))?", document.read_text(encoding="utf-8")):
        place = ROOT / module.replace(".", "/")
        ours = (ROOT / module.partition(".")[0]).is_dir()
        assert not ours or place.with_suffix(".py").is_file() or (place / "__main__.py").is_file(), module
        assert module != "infra.operations" or not verb or verb in VERBS, verb
