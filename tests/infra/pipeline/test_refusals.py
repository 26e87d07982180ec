"""What AWS refuses is told by every command of the pipeline as by the operations: what it means, and what to do."""

from collections.abc import Callable

import pytest

from infra.pipeline import bootstrap, collect, previews, promote
from tests.infra.operations.conftest import Answers, InstallCdk

COMMANDS = {
    "make pipeline-bootstrap": lambda: bootstrap.main("team/shop"),
    "make collect": collect.main,
    "make previews": previews.main,
    "make preview": lambda: previews.main("up", "1"),
    "make preview-down": lambda: previews.main("down", "1"),
    "make promote": lambda: promote.main("prod", "dev"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_without_credentials_it_says_how_to_get_some(
    name: str, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    command: Callable[[], int] = COMMANDS[name]
    cdk(0)

    assert command() == 1
    assert f"{name}: there are no AWS credentials: aws configure sso" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_a_profile_that_there_is_not_is_a_sentence(
    name: str, cdk: InstallCdk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command: Callable[[], int] = COMMANDS[name]
    cdk(0)
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    assert command() == 1
    assert f"{name}: The config profile (nobody) could not be found: aws configure list-profiles" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_credentials_that_have_expired_are_a_sentence(
    name: str, answers: Answers, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    command: Callable[[], int] = COMMANDS[name]
    cdk(0)
    for operation in ("ListOpenIDConnectProviders", "DescribeDBInstances", "DescribeStacks", "GetTemplate"):
        answers.add(operation, ("ExpiredToken", "The security token included in the request is expired"))

    assert command() == 1
    assert f"{name}: the AWS credentials have expired: sign in again" in capsys.readouterr().err
