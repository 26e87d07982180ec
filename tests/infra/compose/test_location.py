"""Which file of a directory is read."""

from pathlib import Path

import pytest

from infra.compose import find
from infra.compose.location import NAMES
from testkit.tools import ROOT


@pytest.mark.parametrize("name", NAMES)
def test_each_of_the_names_that_compose_knows_is_found(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).touch()

    assert find(tmp_path) == tmp_path / name
    assert capsys.readouterr().err == ""


def test_of_two_files_the_one_is_read_that_compose_would_read_and_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("docker-compose.yml", "compose.yml", "compose.override.yaml"):
        (tmp_path / name).touch()

    assert find(tmp_path) == tmp_path / "compose.yml"
    assert capsys.readouterr().err == (
        f"Several compose files: compose.yml, docker-compose.yml. Using {tmp_path / 'compose.yml'}.\n"
    )


def test_without_any_the_first_name_is_what_is_missing(tmp_path: Path) -> None:
    assert find(tmp_path) == tmp_path / "compose.yaml"


def test_the_file_of_this_repository_is_found() -> None:
    assert find(ROOT) == ROOT / "docker-compose.yml"
