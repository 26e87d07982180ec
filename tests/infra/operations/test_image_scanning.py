"""Scanning of the images that CDK pushes; AWS's own API model checks requests and answers."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.operations.image_scanning import main, scan_on_push

REPOSITORY = "cdk-hnb659fds-container-assets-123456789012-eu-west-1"


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A CloudFormation and an ECR client that answer what they are told to."""
    made: dict[str, Any] = {
        name: boto3.client(name, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
        for name in ("cloudformation", "ecr")
    }
    monkeypatch.setattr(boto3.Session, "client", lambda _session, name: made[name])
    return made


def test_the_repository_of_the_bootstrap_stack_scans_what_is_pushed(clients: dict[str, Any]) -> None:
    with Stubber(clients["cloudformation"]) as stacks, Stubber(clients["ecr"]) as registry:
        stacks.add_response(
            "describe_stack_resource",
            {
                "StackResourceDetail": {
                    "LogicalResourceId": "ContainerAssetsRepository",
                    "PhysicalResourceId": REPOSITORY,
                    "ResourceType": "AWS::ECR::Repository",
                    "LastUpdatedTimestamp": "2026-11-24T00:00:00Z",
                    "ResourceStatus": "CREATE_COMPLETE",
                }
            },
            {"StackName": "CDKToolkit", "LogicalResourceId": "ContainerAssetsRepository"},
        )
        registry.add_response(
            "put_image_scanning_configuration",
            {"repositoryName": REPOSITORY},
            {"repositoryName": REPOSITORY, "imageScanningConfiguration": {"scanOnPush": True}},
        )

        assert scan_on_push(boto3.Session()) == REPOSITORY
        registry.assert_no_pending_responses()


def test_an_account_that_is_not_bootstrapped_is_told_so(clients: dict[str, Any]) -> None:
    with Stubber(clients["cloudformation"]) as stacks:
        stacks.add_client_error("describe_stack_resource", "ValidationError", "Stack 'CDKToolkit' does not exist")
        with pytest.raises(SystemExit) as stopped:
            main()

    assert "Stack 'CDKToolkit' does not exist" in str(stopped.value)
    assert "Run cdk bootstrap first" in str(stopped.value)
