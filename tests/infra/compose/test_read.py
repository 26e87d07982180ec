"""What a caller of `read` can rely on beyond single files."""

import contextlib
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.compose import ComposeError, read
from infra.compose.convert import to_project
from infra.compose.interpolation import interpolate
from infra.compose.load import load
from infra.compose.model import DatabaseField
from infra.compose.problems import Problems
from testkit.tools import ROOT
from tests.infra.compose.corpus import CASES

PASSWORD = "a-password-nobody-else-has"


def test_the_project_of_this_repository_is_read_without_any_variable() -> None:
    project = read(ROOT / "docker-compose.yml")

    assert list(project.services) == ["migrate", "api", "ui"]
    assert project.one_shots() == {"migrate"}
    assert project.database is not None
    assert project.services["migrate"].database_variables["PGPASSWORD"] is DatabaseField.PASSWORD


def test_the_api_has_no_password_of_the_database_on_aws() -> None:
    api = read(ROOT / "docker-compose.yml").services["api"]

    assert api.database_user == api.environment["PGUSER"] == "catalogue_api"
    assert set(api.database_variables.values()) == {DatabaseField.HOST, DatabaseField.PORT, DatabaseField.NAME}
    assert "PGPASSWORD" not in {**api.environment, **api.secrets}


def test_a_local_password_is_nowhere_in_the_project() -> None:
    project = read(ROOT / "docker-compose.yml", {"POSTGRES_PASSWORD": PASSWORD, "API_DATABASE_PASSWORD": PASSWORD})

    assert PASSWORD not in repr(project)
    assert "local-only" not in repr(project)


def test_removing_a_local_password_on_aws_is_what_lets_the_file_through(tmp_path: Path) -> None:
    text = (CASES / "on_aws/compose.yaml").read_text()
    file = tmp_path / "compose.yaml"
    file.write_text(text)
    assert "API_PASSWORD" not in read(file).services["migrate"].environment

    file.write_text(text.replace(", API_PASSWORD: null", ""))
    with pytest.raises(ComposeError, match=r"migrate: environment\.API_PASSWORD: holds the local database's password"):
        read(file)


def test_neither_the_shell_nor_a_dotenv_file_reaches_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = "deploy: {resources: {limits: {cpus: 1, memory: 1G}}}"
    (tmp_path / "compose.yaml").write_text(f"name: x\nservices: {{web: {{image: 'x:${{TAG:-default}}', {limits}}}}}\n")
    (tmp_path / ".env").write_text("TAG=from-dotenv\n")
    monkeypatch.setenv("TAG", "from-shell")

    assert read(tmp_path / "compose.yaml").services["web"].image == "x:default"
    assert read(tmp_path / "compose.yaml", {"TAG": "1.0"}).services["web"].image == "x:1.0"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no such file. Compose looks for compose.yaml, compose.yml, docker-compose.yml, docker-"),
        (b"name: \xff", "cannot be read: "),
        (b"a: \x00", "not valid YAML, line 1: a character that YAML does not allow"),
        (b"a: &a [*a]", "not valid YAML, line 1: found unconstructable recursive node"),
        (b"a: 2024-01-01", "not valid YAML, line 1: quote the date 2024-01-01"),
        (b"[a]: b", "not valid YAML, line 1: a key must be a string"),
        (b"8000: web", "not valid YAML, line 1: a key must be a string"),
        (b"a: 1\n---\nb: 2", "not valid YAML, line 2: expected a single document"),
        (b"a: 1\nb: {c: 1, <<: {d: 1}, <<: {e: 1}}", "not valid YAML, line 2: '<<' is there twice"),
        (b"5", "must be a mapping"),
        (b"services: 5", "must be a mapping"),
    ],
)
def test_a_file_that_is_no_compose_file_is_one_clear_sentence(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "compose.yaml"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ComposeError) as error:
        read(file)

    assert str(error.value).startswith(str(file))
    assert reason in str(error.value)


ODD_VALUES: list[Any] = [None, True, -5, 0.5, "", "$", [], {}, [None], [[{}]], {"a": None}, {"a": {}}]


@pytest.mark.parametrize("odd", ODD_VALUES, ids=repr)
@pytest.mark.parametrize("case", ["long_forms", "catalogue", "on_aws"])
def test_any_value_in_any_place_gives_a_project_or_problems(case: str, odd: object) -> None:
    file = CASES / case / "compose.yaml"
    data = load(file.read_text())

    for place in places(data):
        variant = copy.deepcopy(data)
        parent = variant
        for step in place[:-1]:
            parent = parent[step]
        parent[place[-1]] = odd
        with contextlib.suppress(ComposeError):
            to_project(interpolate(variant, {}), file, {}, Problems(file))


def places(data: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in the data."""
    if here:
        yield here
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in steps:
        yield from places(value, (*here, step))
