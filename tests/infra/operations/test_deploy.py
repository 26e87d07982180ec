"""`make deploy`: a first deployment ends protected, and can be taken back until then; AWS's own API model checks."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from infra.operations.deploy import main
from testkit.tools import ROOT
from tests.infra.conftest import Template
from tests.infra.operations.conftest import InstallCdk, stub_clients

PROD = "us-east-1: deploy --context environment=prod"
FIRST = f"{PROD} --context first_deployment=true"
STACK, TIME = "catalogue-prod", "2026-11-24T00:00:00Z"
Stubs = dict[str, Stubber]


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> Stubs:
    """Stubs of the clients of CloudFormation and RDS."""
    return stub_clients(monkeypatch, "cloudformation", "rds")


@pytest.fixture
def stacks(stubs: Stubs) -> Stubber:
    """Stub of the CloudFormation client."""
    return stubs["cloudformation"]


def deployed(stacks: Stubber, template: Template) -> None:
    """Let this be what is there."""
    stacks.add_response("get_template", {"TemplateBody": json.dumps(template.body)}, {"StackName": STACK})


def taken_back(stacks: Stubber, **states: tuple[str, str, str]) -> None:
    """Let the stack have been taken back, and these become of what it had: type, identity and status."""
    describe(stacks, "ROLLBACK_COMPLETE")
    summaries = [
        {
            "LogicalResourceId": name,
            "ResourceType": kind,
            "PhysicalResourceId": identity,
            "ResourceStatus": status,
            "LastUpdatedTimestamp": TIME,
        }
        for name, (kind, identity, status) in states.items()
    ]
    stacks.add_response("list_stack_resources", {"StackResourceSummaries": summaries}, {"StackName": STACK})


def project(folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    """Be in a copy of the project whose prod has other settings."""
    for name in ("docker-compose.yml", "app/Dockerfile", ".dockerignore"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    cdk_json = json.loads((ROOT / "cdk.json").read_text())
    cdk_json["context"]["environments"]["prod"] |= settings
    (folder / "cdk.json").write_text(json.dumps(cdk_json))
    monkeypatch.chdir(folder)


def describe(stacks: Stubber, status: str | None, name: str = STACK) -> None:
    """Let there be a stack in this status, or none."""
    if status is None:
        stacks.add_client_error("describe_stacks", "ValidationError", f"Stack with id {name} does not exist")
        return
    stack = {"StackName": name, "CreationTime": TIME, "StackStatus": status}
    stacks.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": name})


@pytest.mark.parametrize("status", [None, "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"])
def test_what_never_was_there_is_protected_once_it_is(stacks: Stubber, cdk: InstallCdk, status: str | None) -> None:
    describe(stacks, status)
    asked = cdk(0, 0)

    assert main("prod") == 0
    assert asked() == [FIRST, PROD]


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_what_is_there_never_loses_its_protection(
    stacks: Stubber, cdk: InstallCdk, status: str, prod: Template
) -> None:
    describe(stacks, status)
    deployed(stacks, prod)
    asked = cdk(0)

    assert main("prod") == 0
    assert asked() == [PROD]


def test_a_first_deployment_that_fails_protects_nothing(
    stacks: Stubber, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(stacks, None)
    asked = cdk(1)
    describe(stacks, None)

    assert main("prod") == 1
    assert asked() == [FIRST]
    assert capsys.readouterr().err.endswith("Nothing of it is protected: mend what failed, then make deploy again.\n")


def test_a_first_deployment_that_was_taken_back_names_what_it_leaves(
    stubs: Stubs, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(stubs["cloudformation"], None)
    cdk(1)
    taken_back(
        stubs["cloudformation"],
        Key=("AWS::KMS::Key", "1234-key", "DELETE_SKIPPED"),
        Logs=("AWS::S3::Bucket", "the-bucket", "DELETE_SKIPPED"),
        Database=("AWS::RDS::DBInstance", STACK, "DELETE_COMPLETE"),
        Cluster=("AWS::ECS::Cluster", "the-cluster", "DELETE_COMPLETE"),
    )
    stubs["rds"].add_response(
        "describe_db_snapshots",
        {"DBSnapshots": [{"DBSnapshotIdentifier": "the-snapshot"}]},
        {"DBInstanceIdentifier": STACK, "SnapshotType": "manual"},
    )

    assert main("prod") == 1

    said = capsys.readouterr().err
    assert "aws kms schedule-key-deletion --region us-east-1 --key-id 1234-key" in said
    assert "aws s3 rb --force s3://the-bucket" in said
    assert "aws rds delete-db-snapshot --region us-east-1 --db-snapshot-identifier the-snapshot" in said
    assert said.count(" stays: ") == said.count("US$ a month: ") == 3
    assert "the-cluster" not in said


def test_a_first_deployment_that_was_taken_back_and_left_nothing_says_so(
    stacks: Stubber, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(stacks, None)
    cdk(1)
    taken_back(stacks, Cluster=("AWS::ECS::Cluster", "the-cluster", "DELETE_COMPLETE"))

    assert main("prod") == 1
    assert "Nothing of it stays." in capsys.readouterr().err


def test_what_is_left_and_cannot_be_found_out_is_a_sentence(
    stacks: Stubber, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(stacks, None)
    cdk(1)
    stacks.add_client_error("describe_stacks", "AccessDenied", "not authorized")

    assert main("prod") == 1
    assert "What it left cannot be found out: " in capsys.readouterr().err


DOMAIN = {
    "mode": "domain",
    "domain_name": "products.example.com",
    "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
    "hosted_zone_name": "example.com",
}
PLAIN = {"mode": "load_balancer", "allowed_cidrs": ["203.0.113.0/24"]}


@pytest.mark.parametrize("is_protected_afterwards", [True, False])
@pytest.mark.parametrize(("before", "change"), [("prod", DOMAIN), ("prod", PLAIN), ("prod_with_domain", PLAIN)])
def test_what_is_protected_is_not_replaced_by_an_update(
    stacks: Stubber,
    cdk: InstallCdk,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: str,
    change: dict[str, Any],
    is_protected_afterwards: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project(tmp_path, monkeypatch, public_url=change, deletion_protection=is_protected_afterwards)
    describe(stacks, "UPDATE_COMPLETE")
    deployed(stacks, request.getfixturevalue(before))
    asked = cdk()

    assert main("prod") == 1

    assert asked() == []
    said = capsys.readouterr().err
    gone = "the user pool" if before == "prod_with_domain" else "the load balancer in the VPC"
    assert f"remove {gone}, which is protected" in said
    made = "make the load balancer on the internet, protected from its first second, which could not be taken back"
    assert (made in said) == (is_protected_afterwards and before == "prod")
    assert "with deletion_protection: false and everything else as it was; with the change" in said


def test_what_is_new_in_an_update_is_not_protected_at_once(
    stacks: Stubber,
    cdk: InstallCdk,
    load_balancer_alone: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The second of the steps, with the protection that only the third one brings."""
    project(tmp_path, monkeypatch, public_url=DOMAIN)
    describe(stacks, "UPDATE_COMPLETE")
    deployed(stacks, load_balancer_alone)
    cdk()

    assert main("prod") == 1
    assert "make the user pool, protected from its first second" in capsys.readouterr().err


@pytest.mark.parametrize("change", [DOMAIN | {"domain_name": "other.example.com"}, {**DOMAIN, "allowed_cidrs": []}])
def test_other_changes_of_the_public_url_are_made(
    stacks: Stubber,
    cdk: InstallCdk,
    prod_with_domain: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
) -> None:
    project(tmp_path, monkeypatch, public_url=change)
    describe(stacks, "UPDATE_COMPLETE")
    deployed(stacks, prod_with_domain)
    asked = cdk(0)

    assert main("prod") == 0
    assert asked() == [PROD]


def test_the_second_step_is_made(
    stacks: Stubber,
    cdk: InstallCdk,
    load_balancer_alone: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project(tmp_path, monkeypatch, public_url=DOMAIN, deletion_protection=False)
    describe(stacks, "UPDATE_COMPLETE")
    deployed(stacks, load_balancer_alone)
    asked = cdk(0)

    assert main("prod") == 0
    assert asked() == [PROD]


def test_it_says_when_what_is_there_could_not_be_protected(
    stacks: Stubber, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(stacks, None)
    asked = cdk(0, 2)

    assert main("prod") == 2
    assert asked() == [FIRST, PROD]
    assert "catalogue-prod works, but is not protected yet: make deploy again." in capsys.readouterr().err


def test_an_environment_without_protection_is_deployed_at_once(stacks: Stubber, cdk: InstallCdk) -> None:
    describe(stacks, None, "catalogue-dev")
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
