"""Applications of other people: nothing of theirs is left out of the sum, and each service has its share."""

from pathlib import Path

import pytest

from infra.cost.estimate import estimate
from infra.cost.prices import prices
from tests.infra.conftest import Workspace
from tests.infra.test_applications import deployed


@pytest.mark.parametrize(
    ("name", "owners"),
    [
        ("shop", {"", "frontend", "backend"}),
        ("jobs", {"", "web", "worker", "beat", "queue", "report"}),
        ("notes", {"", "notes", "thumbnails"}),
    ],
)
def test_everything_is_priced_and_said_whose_it_is(
    name: str, owners: set[str], workspace: Workspace, tmp_path: Path
) -> None:
    found = estimate(deployed(name, workspace, tmp_path / "application").body, prices("us-east-1"))

    assert found.not_priced == {}
    assert {line.owner for line in found.lines} >= owners
    assert all(low > 0 for owner, (low, _) in found.by(lambda line: line.owner).items() if owner)


def test_a_run_by_the_clock_is_reckoned_by_its_hours(workspace: Workspace, tmp_path: Path) -> None:
    found = estimate(deployed("jobs", workspace, tmp_path / "application").body, prices("us-east-1"))
    (line,) = [line for line in found.lines if line.what == "runs by the clock"]

    assert line.owner == "report"
    assert line.is_assumed
    assert 0 < line.minimum < 2


def test_volumes_are_reckoned(workspace: Workspace, tmp_path: Path) -> None:
    found = estimate(deployed("notes", workspace, tmp_path / "application").body, prices("us-east-1"))

    assert [line.minimum for line in found.lines if line.what == "volumes"] == [pytest.approx(5 * 0.30)]
