"""Inviting somebody to sign in; AWS's own API model checks requests and answers."""

import shutil
from pathlib import Path

import pytest
from botocore.stub import Stubber

from infra.operations.invite import main
from testkit.tools import ROOT
from tests.infra.operations.conftest import stub_clients

STACK, EMAIL = "catalogue-dev", "ana@example.com"


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Stubber]:
    """Stubs of the CloudFormation and the Cognito client."""
    made = stub_clients(monkeypatch, "cloudformation", "cognito-idp")
    return {"stacks": made["cloudformation"], "users": made["cognito-idp"]}


def describe(stubs: dict[str, Stubber], **outputs: str) -> None:
    stack = {
        "StackName": STACK,
        "CreationTime": "2026-11-24T00:00:00Z",
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
    }
    stubs["stacks"].add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK})


def test_an_invitation_goes_by_email_to_a_verified_address(
    stubs: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    describe(stubs, UserPoolId="sa-east-1_Test", PublicUrl="https://test.cloudfront.example.com")
    stubs["users"].add_response(
        "admin_create_user",
        {"User": {"Username": EMAIL}},
        {
            "UserPoolId": "sa-east-1_Test",
            "Username": EMAIL,
            "UserAttributes": [{"Name": "email", "Value": EMAIL}, {"Name": "email_verified", "Value": "true"}],
            "DesiredDeliveryMediums": ["EMAIL"],
        },
    )
    assert main("dev", EMAIL) == 0
    assert "https://test.cloudfront.example.com" in capsys.readouterr().out
    stubs["users"].assert_no_pending_responses()


def test_a_stack_without_sign_in_is_told_so(stubs: dict[str, Stubber], capsys: pytest.CaptureFixture[str]) -> None:
    describe(stubs, PublicUrl="http://test.elb.example.com")
    assert main("dev", EMAIL) == 1
    assert "has no sign-in" in capsys.readouterr().err


def test_somebody_who_is_invited_already_is_told_so(
    stubs: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    describe(stubs, UserPoolId="sa-east-1_Test", PublicUrl="https://test.cloudfront.example.com")
    stubs["users"].add_client_error("admin_create_user", "UsernameExistsException", "User account already exists")
    assert main("dev", EMAIL) == 1
    assert "User account already exists" in capsys.readouterr().err


def test_it_asks_whom(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("dev", "") == 1
    assert "make invite EMAIL=" in capsys.readouterr().err


def test_the_stack_is_called_after_the_compose_file_whatever_that_is_called(
    stubs: dict[str, Stubber], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "cdk.json", tmp_path)
    compose = (ROOT / "docker-compose.yml").read_text().replace("name: catalogue\n", "name: shop\n")
    (tmp_path / "compose.yaml").write_text(compose.replace("dockerfile: app/Dockerfile", "dockerfile: Dockerfile"))
    (tmp_path / "Dockerfile").touch()
    monkeypatch.chdir(tmp_path)
    stubs["stacks"].add_client_error(
        "describe_stacks", "ValidationError", "no stack", expected_params={"StackName": "shop-prod"}
    )

    assert main("prod", EMAIL) == 1
    assert "no stack" in capsys.readouterr().err


def test_what_is_wrong_with_the_compose_file_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "cdk.json", tmp_path)
    monkeypatch.chdir(tmp_path)

    assert main("dev", EMAIL) == 1
    assert "there is no such file" in capsys.readouterr().err
