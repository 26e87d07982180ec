"""`make capacity`: for people and for programs, and one sentence for what is wrong."""

import json

import pytest

from infra.operations.capacity import main
from tests.infra.conftest import Template

N_VIRGINIA = ("--region", "us-east-1")


@pytest.fixture(autouse=True)
def no_synthesis(monkeypatch: pytest.MonkeyPatch, dev: Template) -> None:
    """Take the template that other tests have."""
    monkeypatch.setattr("infra.operations.capacity.synthesised", lambda _environment: dev.body)


def test_people_get_what_it_carries_and_the_steps_to_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("dev", *N_VIRGINIA) == 0

    said = capsys.readouterr().out
    for word in (
        "What catalogue-dev carries",
        "100,000",
        "db.m7g.2xlarge",
        "read replicas",
        "Nothing here was measured",
    ):
        assert word in said


def test_a_target_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("dev", *N_VIRGINIA, "--target-rps", "5000", "--json") == 0

    (step,) = json.loads(capsys.readouterr().out)["steps"]
    assert step["target"] == 5000
    assert step["tasks"] > 5
    assert step["size"] == "0.5 CPU, 1 GB"


@pytest.mark.parametrize("target", ["0", "-5", "inf", "nan", "1e9"])
def test_a_target_that_makes_no_sense(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("dev", *N_VIRGINIA, f"--target-rps={target}") == 1

    assert "more than 0 and at most 10,000,000" in capsys.readouterr().err


def test_a_region_without_prices(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("dev", "--region", "sa-east-1") == 1

    assert "make capacity: there are no prices of sa-east-1" in capsys.readouterr().err
