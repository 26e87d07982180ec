"""Which region the commands take: the one that the CDK CLI takes."""

from pathlib import Path

import pytest

from infra.operations.cdk import main
from infra.operations.session import open_session, region
from tests.infra.operations.conftest import InstallCdk

VARIABLES = ("AWS_REGION", "AMAZON_REGION", "AWS_DEFAULT_REGION", "AMAZON_DEFAULT_REGION")


@pytest.fixture
def profiles(tmp_path: Path) -> None:
    """Two profiles with a region."""
    (tmp_path / "config").write_text("[default]\nregion = sa-east-1\n[profile other]\nregion = eu-west-1\n")


@pytest.mark.usefixtures("profiles")
def test_a_variable_comes_before_a_profile_and_the_first_before_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, variable in reversed([*enumerate(VARIABLES, start=1)]):
        monkeypatch.setenv(variable, f"eu-west-{number}")
        assert region() == f"eu-west-{number}"
        assert capsys.readouterr().err == f"Region eu-west-{number} ({variable})\n"


@pytest.mark.usefixtures("profiles")
def test_a_profile_comes_next(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert region() == "sa-east-1"
    monkeypatch.setenv("AWS_PROFILE", "other")
    assert open_session().region_name == "eu-west-1"
    assert capsys.readouterr().err.splitlines() == [
        "Region sa-east-1 (the profile default)",
        "Region eu-west-1 (the profile other)",
    ]


def test_us_east_1_comes_last(capsys: pytest.CaptureFixture[str]) -> None:
    assert open_session().region_name == "us-east-1"
    assert capsys.readouterr().err == "Region us-east-1 (neither AWS_REGION nor a profile says another)\n"


def test_the_cdk_cli_is_told_it(cdk: InstallCdk) -> None:
    asked = cdk(3)

    assert main("bootstrap") == 3
    assert asked() == ["us-east-1: bootstrap"]


def test_a_profile_that_is_not_there_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cdk: InstallCdk
) -> None:
    asked = cdk()
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    assert main("diff") == 1
    assert capsys.readouterr().err == (
        "cdk diff: The config profile (nobody) could not be found: "
        "aws configure list-profiles names those that there are\n"
    )
    assert asked() == []


def test_without_the_cli_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert main("diff") == 127
    assert "run make setup" in capsys.readouterr().err
