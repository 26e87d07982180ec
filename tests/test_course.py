"""The course says the same in both languages, names what there is, and what it shows is what one sees."""

import ast
import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from testkit.tools import ROOT
from tests import documents

COURSE, CURSO = ROOT / "docs/course", ROOT / "docs/curso"
NAMES = {  # of the chapters whose file is called otherwise in Portuguese
    "database": "banco",
    "migrations": "migracoes",
    "deployment": "implantacao",
    "field": "campo",
    "service": "servico",
    "application": "aplicacao",
}
CHAPTERS = [(path, CURSO / f"{NAMES.get(path.stem, path.stem)}.md") for path in sorted(COURSE.glob("*.md"))]
BOTH = pytest.mark.parametrize(("english", "portuguese"), CHAPTERS, ids=lambda path: path.stem)


def test_every_chapter_is_there_in_both_languages_and_in_the_index() -> None:
    assert len(CHAPTERS) > 12
    assert {path.name for _, path in CHAPTERS} == {path.name for path in CURSO.glob("*.md")}
    for folder in (COURSE, CURSO):
        listed = set(documents.targets(folder / "README.md"))
        assert {path.name for path in folder.glob("*.md")} - {"README.md"} <= listed


@BOTH
def test_both_languages_say_the_same(english: Path, portuguese: Path) -> None:
    assert documents.headings(english) == documents.headings(portuguese)
    assert documents.fences(english) == documents.fences(portuguese)
    assert documents.inline_code(english) == documents.inline_code(portuguese)
    assert documents.tables(english) == documents.tables(portuguese)
    translated = {f"{there}.md": f"{here}.md" for here, there in NAMES.items()}
    leads = [translated.get(target, target) for target in documents.targets(portuguese)[1:]]
    assert documents.in_any_language(documents.targets(english)[1:]) == documents.in_any_language(leads)


@pytest.mark.parametrize("chapter", [path for pair in CHAPTERS for path in pair], ids=lambda path: path.stem)
def test_links_commands_and_places_exist(chapter: Path) -> None:
    assert [
        link for link in documents.targets(chapter) if not (chapter.parent / link.partition("#")[0]).is_file()
    ] == []
    assert documents.make_targets(chapter) <= documents.make_commands()
    places = [code for code in documents.inline_code(chapter) if ".py" in code]
    assert len(places) > 1 or chapter.name == "README.md"
    for place in places:
        file, _, symbol = place.partition("::")
        names = [getattr(node, "name", None) for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body]
        assert not symbol or symbol in names, place


@pytest.mark.parametrize(
    "chapter", [path for path, _ in CHAPTERS if not documents.changes_files(path)], ids=lambda path: path.stem
)
def test_what_is_tried_prints_what_is_shown(chapter: Path, api_url: str, tmp_path: Path) -> None:
    for part in ("app", "infra", "docker-compose.yml"):
        (tmp_path / part).symlink_to(ROOT / part)  # in a folder of its own, where it may leave something
    fences = documents.fenced(chapter)
    tried = [(program, shown) for (info, program), (_, shown) in itertools.pairwise(fences) if info == "python"]
    assert len(tried) == sum(info == "python" for info, _ in fences)
    assert tried or chapter.name == "README.md"
    for program, shown in tried:
        command = [sys.executable, "-c", program.replace("http://127.0.0.1:8000", api_url)]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (result.stdout, result.returncode) == (shown, 0), result.stderr


def test_the_rehearsal_says_the_steps_and_knows_the_scenarios() -> None:
    english = COURSE / "deployment.md"
    rehearsal = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "infra/rehearsal").glob("*.py"))
    steps = re.findall(r"^✓ (.+)$", english.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(steps) > 3
    spoken = re.sub(r'"\s*\n\s*f?"', "", rehearsal)  # sentences that the source breaks into two
    parts = [part for step in steps for part in re.split(r"^cdk deploy (?=a )|: (?=it )", step) if part]
    assert [part for part in parts if part not in spoken] == []
    scenarios = re.findall(r'SCENARIOS="([^"]+)"', english.read_text(encoding="utf-8"))
    known = (ROOT / "docs/rehearsal.md").read_text(encoding="utf-8")
    assert [one for line in scenarios for one in line.split() if f"| `{one}` |" not in known] == []
