"""The course says the same in both languages, names what there is, and what it shows is what one sees."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from testkit.tools import ROOT
from tests import test_readme as readme

CHAPTERS = [(ROOT / "docs/course/deployment.md", ROOT / "docs/curso/implantacao.md")]
BOTH = pytest.mark.parametrize(("english", "portuguese"), CHAPTERS, ids=lambda path: path.stem)


@BOTH
def test_both_languages_say_the_same(english: Path, portuguese: Path) -> None:
    assert readme.headings(english) == readme.headings(portuguese)
    assert readme.fences(english) == readme.fences(portuguese)
    assert readme.inline_code(english) == readme.inline_code(portuguese)
    assert readme.tables(english) == readme.tables(portuguese)
    assert readme.in_any_language(readme.targets(english)[1:]) == readme.in_any_language(readme.targets(portuguese)[1:])


@pytest.mark.parametrize("chapter", [path for pair in CHAPTERS for path in pair], ids=lambda path: path.stem)
def test_links_commands_and_places_exist(chapter: Path) -> None:
    assert [link for link in readme.targets(chapter) if not (chapter.parent / link.partition("#")[0]).is_file()] == []
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert readme.make_targets(chapter) <= set(re.findall(r"^([a-z][\w-]*):(?!=)", makefile, re.MULTILINE))
    places = [code for code in readme.inline_code(chapter) if ".py" in code]
    assert len(places) > 5
    for place in places:
        file, _, symbol = place.partition("::")
        names = [getattr(node, "name", None) for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body]
        assert not symbol or symbol in names, place


@BOTH
def test_what_is_tried_prints_what_is_shown(english: Path, portuguese: Path) -> None:
    fences = [token for token in readme.tokens(english) if token.type == "fence"]
    [program] = [token.content for token in fences if token.info == "python"]
    shown = fences[[token.info for token in fences].index("python") + 1].content
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == shown


@BOTH
def test_the_rehearsal_says_the_steps_and_knows_the_scenarios(english: Path, portuguese: Path) -> None:
    rehearsal = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "infra/rehearsal").glob("*.py"))
    steps = re.findall(r"^✓ (.+)$", english.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(steps) > 3
    spoken = re.sub(r'"\s*\n\s*f?"', "", rehearsal)  # sentences that the source breaks into two
    parts = [part for step in steps for part in re.split(r"^cdk deploy (?=a )|: (?=it )", step) if part]
    assert [part for part in parts if part not in spoken] == []
    scenarios = re.findall(r'SCENARIOS="([^"]+)"', english.read_text(encoding="utf-8"))
    known = (ROOT / "docs/rehearsal.md").read_text(encoding="utf-8")
    assert [one for line in scenarios for one in line.split() if f"| `{one}` |" not in known] == []
