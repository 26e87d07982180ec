"""`make deploy`: a first deployment ends protected, and can be taken back until then; AWS's own API model checks."""

import pytest
from botocore.stub import Stubber

from infra.operations.deploy import main
from tests.infra.operations.conftest import InstallCdk, stub_clients

PROD = "us-east-1: deploy --context environment=prod"
FIRST = f"{PROD} --context first_deployment=true"


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    """Stub of the CloudFormation client."""
    return stub_clients(monkeypatch, "cloudformation")["cloudformation"]


def describe(stacks: Stubber, status: str | None) -> None:
    """Let there be a stack in this status, or none."""
    if status is None:
        missing = "Stack with id catalogue-prod does not exist"
        stacks.add_client_error("describe_stacks", "ValidationError", missing)
        return
    stack = {"StackName": "catalogue-prod", "CreationTime": "2026-11-24T00:00:00Z", "StackStatus": status}
    stacks.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "catalogue-prod"})


@pytest.mark.parametrize("status", [None, "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"])
def test_what_never_was_there_is_protected_once_it_is(stacks: Stubber, cdk: InstallCdk, status: str | None) -> None:
    describe(stacks, status)
    asked = cdk(0, 0)

    assert main("prod") == 0
    assert asked() == [FIRST, PROD]


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_what_is_there_never_loses_its_protection(stacks: Stubber, cdk: InstallCdk, status: str) -> None:
    describe(stacks, status)
    asked = cdk(0)

    assert main("prod") == 0
    assert asked() == [PROD]


def test_a_first_deployment_that_fails_protects_nothing(
    stacks: Stubber, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(stacks, None)
    asked = cdk(1)

    assert main("prod") == 1
    assert asked() == [FIRST]
    assert "Nothing of it is protected: mend what failed, then make deploy again." in capsys.readouterr().err


def test_it_says_when_what_is_there_could_not_be_protected(
    stacks: Stubber, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(stacks, None)
    asked = cdk(0, 2)

    assert main("prod") == 2
    assert asked() == [FIRST, PROD]
    assert "catalogue-prod works, but is not protected yet: make deploy again." in capsys.readouterr().err


def test_an_environment_without_protection_is_deployed_at_once(stacks: Stubber, cdk: InstallCdk) -> None:
    asked = cdk(0)

    assert main("dev") == 0
    assert asked() == ["us-east-1: deploy --context environment=dev"]
    stacks.assert_no_pending_responses()


def test_a_region_that_has_no_zones_to_choose_from_is_refused_with_those_that_have(
    monkeypatch: pytest.MonkeyPatch, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-south-1")
    asked = cdk()

    assert main("dev") == 1
    assert asked() == []
    assert "set AWS_REGION to one of ap-northeast-1, " in capsys.readouterr().err


def test_an_unknown_environment_and_missing_permission_are_sentences(
    stacks: Stubber, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = cdk()
    assert main("staging") == 1
    assert "there is no environment 'staging'" in capsys.readouterr().err

    stacks.add_client_error("describe_stacks", "AccessDenied", "not authorized")
    assert main("prod") == 1
    assert "AccessDenied" in capsys.readouterr().err
    assert asked() == []
