"""Inviting somebody to sign in; AWS's own API model checks requests and answers."""

import pytest
from botocore.stub import Stubber

from infra.operations.invite import main
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
    assert main(STACK, EMAIL) == 0
    assert "https://test.cloudfront.example.com" in capsys.readouterr().out
    stubs["users"].assert_no_pending_responses()


def test_a_stack_without_sign_in_is_told_so(stubs: dict[str, Stubber], capsys: pytest.CaptureFixture[str]) -> None:
    describe(stubs, PublicUrl="http://test.elb.example.com")
    assert main(STACK, EMAIL) == 1
    assert "has no sign-in" in capsys.readouterr().err


def test_somebody_who_is_invited_already_is_told_so(
    stubs: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    describe(stubs, UserPoolId="sa-east-1_Test", PublicUrl="https://test.cloudfront.example.com")
    stubs["users"].add_client_error("admin_create_user", "UsernameExistsException", "User account already exists")
    assert main(STACK, EMAIL) == 1
    assert "User account already exists" in capsys.readouterr().err


def test_it_asks_whom(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(STACK, "") == 1
    assert "make invite EMAIL=" in capsys.readouterr().err
