"""`make destroy`: what stays is named, with why, its price and its end; AWS's own API model checks the requests."""

import json

import pytest
from botocore.stub import Stubber

from infra.operations.destroy import main
from infra.operations.kept import SNAPSHOT
from infra.operations.left import WHY
from tests.infra.conftest import Template
from tests.infra.operations.conftest import InstallCdk, stub_clients

STACK, TIME = "catalogue-prod", "2026-11-24T00:00:00Z"
GONE = f"Stack with id {STACK} does not exist"
RESOURCES = {
    "Database": ("AWS::RDS::DBInstance", STACK, "Snapshot"),
    "Key": ("AWS::KMS::Key", "1234-key", "Retain"),
    "Logs": ("AWS::S3::Bucket", "the-bucket", "RetainExceptOnCreate"),
    "Cluster": ("AWS::ECS::Cluster", "the-cluster", None),
}


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Stubber]:
    """Stubs of the clients."""
    made = stub_clients(monkeypatch, "cloudformation", "rds", "iam", "ecs")
    names = {"stacks": "cloudformation", "databases": "rds", "roles": "iam", "tasks": "ecs"}
    return {name: made[service] for name, service in names.items()}


def there_is(stacks: Stubber, *names: str) -> None:
    """Let the stack be there, with some of the resources."""
    stack = {"StackName": STACK, "CreationTime": TIME, "StackStatus": "CREATE_COMPLETE"}
    stacks.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK})
    chosen = {name: RESOURCES[name] for name in names}
    definitions = {
        name: {"Type": kind, **({"DeletionPolicy": policy} if policy else {})}
        for name, (kind, _identity, policy) in chosen.items()
    }
    template = json.dumps({"Resources": definitions})
    stacks.add_response("get_template", {"TemplateBody": template}, {"StackName": STACK})
    summaries = [
        {
            "LogicalResourceId": name,
            "PhysicalResourceId": identity,
            "ResourceType": kind,
            "LastUpdatedTimestamp": TIME,
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for name, (kind, identity, _policy) in chosen.items()
    ]
    stacks.add_response("list_stack_resources", {"StackResourceSummaries": summaries}, {"StackName": STACK})


def it_is(stacks: Stubber, status: str) -> None:
    stack = {"StackName": STACK, "CreationTime": TIME, "StackStatus": status}
    stacks.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK})


def it_is_gone(stubs: dict[str, Stubber]) -> None:
    """Let the stack be gone, and earlier versions of its task definitions be there."""
    stubs["stacks"].add_client_error("describe_stacks", "ValidationError", GONE)
    tasks, account = stubs["tasks"], "arn:aws:ecs:us-east-1:111122223333"
    arns = {f"{STACK}-{name}": f"{account}:task-definition/{STACK}-{name}:1" for name in ("api", "ui")}
    for family, arn in arns.items():
        tasks.add_response("list_task_definitions", {"taskDefinitionArns": [arn]}, {"familyPrefix": family})
    for arn in arns.values():
        tasks.add_response("deregister_task_definition", {}, {"taskDefinition": arn})


def test_what_stays_is_named_with_why_its_price_and_what_removes_it(
    stubs: dict[str, Stubber], cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    there_is(stubs["stacks"], *RESOURCES)
    it_is_gone(stubs)
    stubs["databases"].add_response("describe_db_instances", {"DBInstances": [{"DBInstanceIdentifier": STACK}]})
    stubs["databases"].add_response(
        "describe_db_snapshots",
        {"DBSnapshots": [{"DBSnapshotIdentifier": "catalogue-prod-last"}]},
        {"DBInstanceIdentifier": STACK, "SnapshotType": "manual"},
    )
    asked = cdk(0)

    assert main("prod") == 0

    assert asked() == ["us-east-1: destroy --context environment=prod"]
    said = capsys.readouterr().out
    assert "aws rds delete-db-snapshot --region us-east-1 --db-snapshot-identifier catalogue-prod-last" in said
    assert "aws kms schedule-key-deletion --region us-east-1 --key-id 1234-key" in said
    assert "aws s3 rb --force s3://the-bucket" in said
    assert said.count(" stays: ") == said.count("US$ a month: ") == 3
    assert "the-cluster" not in said


def test_it_says_so_when_nothing_stays(
    stubs: dict[str, Stubber], cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    there_is(stubs["stacks"], "Cluster")
    it_is_gone(stubs)
    cdk(0)

    assert main("prod") == 0
    assert capsys.readouterr().out.splitlines()[0] == "Nothing of it stays."


def test_whoever_changed_their_mind_is_told_that_it_is_still_there(
    stubs: dict[str, Stubber], cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    there_is(stubs["stacks"], "Key")
    there_is(stubs["stacks"])
    cdk(0)

    assert main("prod") == 0
    assert capsys.readouterr().out == "catalogue-prod is still there.\n"


def test_a_removal_that_fails_is_no_success(
    stubs: dict[str, Stubber], cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    there_is(stubs["stacks"], "Key")
    it_is(stubs["stacks"], "UPDATE_COMPLETE")
    cdk(1)

    assert main("prod") == 1
    assert "make destroy again" in capsys.readouterr().err


def test_what_a_restore_gave_a_role_does_not_stand_in_the_way(stubs: dict[str, Stubber], cdk: InstallCdk) -> None:
    there_is(stubs["stacks"], "Key")
    it_is(stubs["stacks"], "DELETE_FAILED")
    role = {
        "LogicalResourceId": "Role",
        "PhysicalResourceId": "the-role",
        "ResourceType": "AWS::IAM::Role",
        "LastUpdatedTimestamp": TIME,
        "ResourceStatus": "DELETE_FAILED",
    }
    stubs["stacks"].add_response("list_stack_resources", {"StackResourceSummaries": [role]})
    stubs["roles"].add_response("delete_role_policy", {}, {"RoleName": "the-role", "PolicyName": "restored-database"})
    it_is_gone(stubs)
    asked = cdk(1, 0)

    assert main("prod") == 0
    assert asked()[1] == "us-east-1: destroy --context environment=prod --force"


def test_what_is_not_there_is_not_destroyed(
    stubs: dict[str, Stubber], cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    it_is_gone(stubs)
    asked = cdk()

    assert main("prod") == 1
    assert "there is no stack catalogue-prod in us-east-1" in capsys.readouterr().err
    assert asked() == []


@pytest.mark.parametrize("environment", ["dev", "prod", "prod_with_domain"])
def test_everything_that_the_stack_keeps_has_its_reason(request: pytest.FixtureRequest, environment: str) -> None:
    template: Template = request.getfixturevalue(environment)
    kinds = set()
    for resource in template.body["Resources"].values():
        policy = resource.get("DeletionPolicy", "Delete")
        if policy != "Delete":
            kinds.add(SNAPSHOT if policy == "Snapshot" else resource["Type"])

    assert SNAPSHOT in kinds
    assert kinds <= WHY.keys()
