"""Every key of the Compose specification is mapped, ignored or refused, as docs/compose-keys.md says."""

from pathlib import Path

import pytest

from infra.compose import ComposeError, read
from infra.compose.key_table import KEYS, Key, Treatment
from infra.compose.keys import check, markdown
from testkit.tools import ROOT

SPECIFICATION = {
    line
    for line in (Path(__file__).parent / "specification_keys.txt").read_text().splitlines()
    if not line.startswith("#")
}
TABLE = {key.path: key for key in KEYS}


def of(treatment: Treatment) -> list[Key]:
    return [key for key in KEYS if key.treatment is treatment]


def at(path: str, value: object) -> object:
    """Return the smallest file that has `value` at `path`."""
    for part in reversed(path.split(".")):
        value = [value] if part == "[]" else {"web" if part == "*" else part: value}
    return value


def covering(path: str) -> Key | None:
    """Return the row of the table that decides about a key of the specification."""
    parts = path.split(".")
    ancestors = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((TABLE[ancestor] for ancestor in ancestors if ancestor in TABLE), None)


def test_every_key_of_the_specification_has_its_row_or_lies_below_one_that_is_not_mapped() -> None:
    undecided = {
        path
        for path in SPECIFICATION
        if (row := covering(path)) is None or (row.path != path and row.treatment is Treatment.MAPPED)
    }

    assert undecided == set()


def test_the_table_holds_no_key_that_the_specification_does_not_have() -> None:
    ours = {path for path in TABLE if not path.startswith("services.*.x-aws")}

    assert {path for path in ours if not any(f"{known}.".startswith(f"{path}.") for known in SPECIFICATION)} == set()


def test_no_key_is_in_the_table_twice() -> None:
    assert len(TABLE) == len(KEYS)


@pytest.mark.parametrize("key", of(Treatment.REFUSED), ids=lambda key: key.path)
def test_a_refused_key_is_found_with_its_reason_and_what_to_do(key: Key) -> None:
    findings = list(check(at(key.path, "something"), ""))

    assert [(finding.reason, finding.alternative) for finding in findings] == [(key.note, key.instead)]
    assert key.instead


@pytest.mark.parametrize("key", of(Treatment.REFUSED), ids=lambda key: key.path)
@pytest.mark.parametrize("nothing", [None, False, "", [], {}], ids=repr)
def test_a_refused_key_that_asks_for_nothing_passes(key: Key, nothing: object) -> None:
    assert list(check(at(key.path, nothing), "")) == []


@pytest.mark.parametrize("key", of(Treatment.MAPPED) + of(Treatment.IGNORED), ids=lambda key: key.path)
def test_any_other_key_passes(key: Key) -> None:
    assert list(check(at(key.path, "something"), "")) == []


def test_a_key_that_nobody_knows_is_refused_wherever_it_is(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("name: x\nservices: {web: {image: x, deploy: {replica: 2}}}\nvolume: {}\n")

    with pytest.raises(ComposeError) as error:
        read(file)

    known = [(problem.service, problem.key, problem.alternative) for problem in error.value.problems[:2]]
    assert known == [(None, "volume", "Did you mean volumes?"), ("web", "deploy.replica", "Did you mean replicas?")]


def test_the_documentation_is_current() -> None:
    assert (ROOT / "docs/compose-keys.md").read_text() == markdown(), (
        "run `.venv/bin/python -m infra.compose > docs/compose-keys.md`"
    )
