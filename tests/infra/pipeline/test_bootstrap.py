"""`make pipeline-bootstrap`: AWS's own API model checks the requests."""

import pytest
from botocore.stub import Stubber

from infra.pipeline.bootstrap import main
from tests.infra.operations.conftest import InstallCdk, stub_clients

STACK, TIME = "catalogue-pipeline", "2026-11-24T00:00:00Z"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Stubber]:
    return stub_clients(monkeypatch, "iam", "cloudformation")


def account_has(stubs: dict[str, Stubber], *providers: str) -> None:
    listed = {"OpenIDConnectProviderList": [{"Arn": arn} for arn in providers]}
    stubs["iam"].add_response("list_open_id_connect_providers", listed, {})


def test_a_new_account_gets_the_provider_and_says_what_to_do_in_github(
    stubs: dict[str, Stubber], cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    account_has(stubs, "arn:aws:iam::123456789012:oidc-provider/example.com")
    asked = cdk(0)

    assert main("team/shop") == 0

    (call,) = asked()
    assert "--context repository=team/shop" in call
    assert "provider=" not in call
    assert "AWS_ROLE" in capsys.readouterr().out


def test_the_provider_that_somebody_else_made_is_used(stubs: dict[str, Stubber], cdk: InstallCdk) -> None:
    account_has(stubs, PROVIDER)
    stubs["cloudformation"].add_client_error("describe_stacks", "ValidationError", f"Stack {STACK} does not exist")
    asked = cdk(0)

    assert main("team/shop") == 0
    assert f"--context provider={PROVIDER}" in asked()[0]


def test_a_second_run_keeps_the_provider_that_the_first_made(stubs: dict[str, Stubber], cdk: InstallCdk) -> None:
    account_has(stubs, PROVIDER)
    stack = {"StackName": STACK, "CreationTime": TIME, "StackStatus": "CREATE_COMPLETE"}
    stubs["cloudformation"].add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK})
    made = {
        "LogicalResourceId": "Provider",
        "PhysicalResourceId": PROVIDER,
        "ResourceType": "AWS::IAM::OIDCProvider",
        "LastUpdatedTimestamp": TIME,
        "ResourceStatus": "CREATE_COMPLETE",
    }
    stubs["cloudformation"].add_response(
        "list_stack_resources", {"StackResourceSummaries": [made]}, {"StackName": STACK}
    )
    asked = cdk(0)

    assert main("team/shop") == 0
    assert "provider=" not in asked()[0]


def test_without_credentials_it_says_so(cdk: InstallCdk, capsys: pytest.CaptureFixture[str]) -> None:
    cdk(0)

    assert main("team/shop") == 1
    assert "make pipeline-bootstrap: there are no AWS credentials" in capsys.readouterr().err
