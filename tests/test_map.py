"""docs/map.md names every room of the repository, and nothing that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path

from testkit.tools import ROOT

MAP = (ROOT / "docs/map.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w.-]+/[\w./-]*|[\w-]+\.\w+)`", MAP)
NOT_OURS = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
HIDDEN = {".ci", ".github", ".streamlit"}


def rooms(folder: Path = ROOT, depth: int = 2) -> Iterator[str]:
    """Yield each folder of two levels that holds anything."""
    for child in sorted(folder.iterdir()):
        is_ours = child.name in HIDDEN or not child.name.startswith(".")  # other hidden folders are the tools' own
        if child.is_dir() and is_ours and child.name not in NOT_OURS and _files(child):
            yield f"{child.relative_to(ROOT)}/"
            if depth > 1:
                yield from rooms(child, depth - 1)


def _files(folder: Path) -> bool:
    return any(file.is_file() and not NOT_OURS & {*file.relative_to(ROOT).parts} for file in folder.rglob("*"))


def test_every_room_is_on_the_map() -> None:
    assert [room for room in rooms() if room not in NAMED] == []


def test_everything_on_the_map_is_there() -> None:
    assert len(NAMED) > 40
    assert [name for name in NAMED if not (ROOT / name).exists()] == []


def test_both_readmes_lead_to_it() -> None:
    for readme in ("README.md", "README.pt-BR.md"):
        assert "(docs/map.md)" in (ROOT / readme).read_text(encoding="utf-8")
