"""`make deploy`: a first deployment ends protected, and can be taken back until then; AWS's own API model checks."""

import json
import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.operations import progress, receipts
from infra.operations.__main__ import main
from testkit.tools import ROOT
from tests.infra.conftest import Template
from tests.infra.operations.conftest import Answers, InstallCdk

DIFF, DEPLOY = "us-east-1: diff --app ASSEMBLY", "us-east-1: deploy --app ASSEMBLY --progress events"
PROD = "(synth --quiet --context environment=prod)"
FIRST = "(synth --quiet --context environment=prod --context first_deployment=true)"
STACK, CLUSTER, TIME = "catalogue-prod", "the-cluster", datetime(2026, 11, 24, tzinfo=UTC)
SCALING = "AWS::ApplicationAutoScaling::ScalableTarget"
ECS = "arn:aws:ecs:us-east-1:111122223333"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a copy of the project, with an engine that answers."""
    project(tmp_path / "project", monkeypatch)
    docker = tmp_path / "engine/docker"
    docker.parent.mkdir()
    docker.write_text("#!/bin/sh\necho x86_64\n")
    docker.chmod(docker.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{docker.parent}{os.pathsep}{os.environ['PATH']}")


def deploy(environment: str = "prod", *more: str) -> int:
    """Do as `make deploy` does."""
    return main(["deploy", "--env", environment, *more])


def calls(asked: list[str]) -> list[str]:
    """Return what the CDK CLI was called with, without the names of temporary folders."""
    return [re.sub(r"--app \S+", "--app ASSEMBLY", one) for one in asked]


def rehearsed(template: dict[str, Any] | None = None, environment: str = "prod") -> None:
    """Let this have been rehearsed; nothing else is what the CLI of these tests synthesises unless it is told."""
    receipts.write(environment, template or {"Resources": {}})


def deployed(answers: Answers, template: Template) -> None:
    """Let this be what is there, but for its hours asleep."""
    kept = {name: one for name, one in template.body["Resources"].items() if one["Type"] != SCALING}
    answers.add("GetTemplate", {"TemplateBody": json.dumps({**template.body, "Resources": kept})})


def resources(answers: Answers, **states: tuple[str, str, str]) -> None:
    """Let the stack have these resources: type, identity and status."""
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
    answers.add("ListStackResources", {"StackResourceSummaries": summaries})


def describe(answers: Answers, *statuses: str | None, name: str = STACK, **outputs: str) -> None:
    """Let there be a stack in these statuses one after the other, or none."""
    told = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    for status in statuses:
        stack = {"StackName": name, "CreationTime": TIME, "StackStatus": status, "Outputs": told}
        absent = ("ValidationError", f"Stack with id {name} does not exist")
        answers.add("DescribeStacks", absent if status is None else {"Stacks": [stack]})


def project(folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    """Be in a copy of the project whose prod has other settings."""
    for name in ("docker-compose.yml", "app/Dockerfile", ".dockerignore"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    cdk_json = json.loads((ROOT / "cdk.json").read_text())
    cdk_json["context"]["environments"]["prod"] |= settings
    (folder / "cdk.json").write_text(json.dumps(cdk_json))
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("status", [None, "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"])
def test_what_never_was_there_is_protected_once_it_is(answers: Answers, cdk: InstallCdk, status: str | None) -> None:
    rehearsed()
    describe(answers, status, "CREATE_COMPLETE")
    resources(answers)
    asked = cdk(0, 0)

    assert deploy() == 0
    assert calls(asked()) == [f"{DEPLOY} {FIRST}", f"{DEPLOY} {PROD}"]


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_what_is_there_never_loses_its_protection(
    answers: Answers, cdk: InstallCdk, status: str, prod: Template
) -> None:
    rehearsed(prod.body)
    describe(answers, status)
    deployed(answers, prod)
    resources(answers)
    asked = cdk(0, 0, template=prod.body)

    assert deploy() == 0
    assert calls(asked()) == [f"{DIFF} {PROD}", f"{DEPLOY} {PROD}"]


def test_a_first_deployment_that_fails_protects_nothing(
    answers: Answers, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsed()
    describe(answers, None)
    asked = cdk(1)

    assert deploy() == 1
    assert calls(asked()) == [f"{DEPLOY} {FIRST}"]
    assert capsys.readouterr().err.endswith("Nothing of it is protected: mend what failed, then make deploy again.\n")


def test_a_first_deployment_that_was_taken_back_names_what_it_leaves(
    answers: Answers, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsed()
    describe(answers, None, "ROLLBACK_COMPLETE")
    cdk(1)
    resources(
        answers,
        Key=("AWS::KMS::Key", "1234-key", "DELETE_SKIPPED"),
        Logs=("AWS::S3::Bucket", "the-bucket", "DELETE_SKIPPED"),
        Database=("AWS::RDS::DBInstance", STACK, "DELETE_COMPLETE"),
        Cluster=("AWS::ECS::Cluster", "the-cluster", "DELETE_COMPLETE"),
    )
    answers.add("DescribeDBSnapshots", {"DBSnapshots": [{"DBSnapshotIdentifier": "the-snapshot"}]})

    assert deploy() == 1

    said = capsys.readouterr().err
    assert "aws kms schedule-key-deletion --region us-east-1 --key-id 1234-key" in said
    assert "aws s3 rb --force s3://the-bucket" in said
    assert "aws rds delete-db-snapshot --region us-east-1 --db-snapshot-identifier the-snapshot" in said
    assert said.count(" stays: ") == said.count("US$ a month: ") == 3
    assert "the-cluster" not in said


def test_a_first_deployment_that_was_taken_back_and_left_nothing_says_so(
    answers: Answers, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsed()
    describe(answers, None, "ROLLBACK_COMPLETE")
    cdk(1)
    resources(answers, Cluster=("AWS::ECS::Cluster", "the-cluster", "DELETE_COMPLETE"))

    assert deploy() == 1
    assert "Nothing of it stays." in capsys.readouterr().err


def test_what_is_left_and_cannot_be_found_out_is_a_sentence(
    answers: Answers, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsed()
    describe(answers, None)
    answers.add("DescribeStacks", ("AccessDenied", "not authorized"))
    cdk(1)

    assert deploy() == 1
    assert "What it left cannot be found out: " in capsys.readouterr().err


def test_what_is_protected_is_deployed_as_it_was_rehearsed_or_when_somebody_says_so(
    answers: Answers, cdk: InstallCdk, prod: Template, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(answers, "UPDATE_COMPLETE")
    deployed(answers, prod)
    resources(answers)
    asked = cdk(0, 0, template=prod.body)

    assert deploy() == 1
    assert "deploy: nothing of prod was rehearsed here. make rehearse ENV=prod goes " in capsys.readouterr().err

    rehearsed({"Resources": {"Other": {}}})
    assert deploy() == 1
    assert "UTC was another template, or other images. make rehearse ENV=prod goes " in capsys.readouterr().err
    assert asked() == []

    assert deploy("prod", "--unrehearsed") == 0
    assert calls(asked()) == [f"{DIFF} {PROD}", f"{DEPLOY} {PROD}"]


@pytest.mark.parametrize("said", ["", "{", "[]", '{"digest": 1}', '{"digest": "x", "at": "yesterday"}'])
def test_a_receipt_that_nobody_can_read_is_none(said: str) -> None:
    rehearsed()
    (receipt,) = Path(".data/rehearsed").iterdir()
    receipt.write_text(said)

    assert receipts.missing("prod", {"Resources": {}}) == "nothing of prod was rehearsed here"


def test_nothing_is_deployed_that_cannot_succeed(
    answers: Answers, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.add("GetParameter", ("ParameterNotFound", "there is none"))
    asked = cdk()

    assert deploy("dev") == 1

    said = capsys.readouterr()
    assert "✗ CDK has not been here: make bootstrap, once for each account and region\n" in said.out
    assert said.err.endswith("deploy: nothing was deployed: mend what is marked ✗\n")
    assert asked() == []


def service(version: int, *deployments: dict[str, Any], events: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what ECS says of the service `api`."""
    now = datetime.now(UTC)
    return {
        "services": [
            {
                "serviceArn": f"{ECS}:service/{CLUSTER}/x",
                "taskDefinition": f"{ECS}:task-definition/catalogue-dev-api:{version}",
                "deployments": [
                    {
                        "status": "PRIMARY",
                        "createdAt": now,
                        "desiredCount": 1,
                        "pendingCount": 0,
                        "runningCount": 0,
                        "failedTasks": 0,
                        **one,
                        "taskDefinition": f"{ECS}:task-definition/catalogue-dev-api:{one['version']}",
                    }
                    for one in deployments
                ],
                "events": [
                    {"id": text, "createdAt": now, "message": f"(service x) {text}"} for text in reversed(events)
                ],
            }
        ]
    }


def dev_is_there(answers: Answers, dev: Template) -> None:
    """Let dev be deployed, with one service, whose version is 8."""
    describe(answers, "UPDATE_COMPLETE", name="catalogue-dev")
    deployed(answers, dev)
    resources(
        answers,
        Cluster=("AWS::ECS::Cluster", CLUSTER, "CREATE_COMPLETE"),
        Api=("AWS::ECS::Service", f"{ECS}:service/{CLUSTER}/x", "UPDATE_COMPLETE"),
        Definition=(
            "AWS::ECS::TaskDefinition",
            f"{ECS}:task-definition/catalogue-dev-api:8",
            "UPDATE_COMPLETE",
        ),
    )


def patient_cdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a deployment take as long as it takes to look at it a few times."""
    monkeypatch.setattr(progress, "_LOOK_SECONDS", 0.02)
    waits = Path(os.environ["PATH"].partition(os.pathsep)[0]) / "cdk"
    script = waits.read_text().replace("exit $(", 'test "$1" = deploy && sleep 2\nexit $(', 1)
    assert "sleep" in script
    waits.write_text(script)


def test_the_services_are_followed_while_cloudformation_waits(
    answers: Answers,
    cdk: InstallCdk,
    dev: Template,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    dev_is_there(answers, dev)
    old = {"version": 7, "status": "ACTIVE", "runningCount": 1}
    answers.add("DescribeServices", service(7, {"version": 7, "runningCount": 1}, events=("before",)))
    answers.add("DescribeServices", service(8, {"version": 8, "pendingCount": 1}, old, events=("before", "has begun")))
    answers.add("DescribeServices", service(8, {"version": 8, "runningCount": 1}, old, events=("before", "has begun")))
    answers.add("DescribeServices", service(8, {"version": 8, "runningCount": 1}, events=("has begun", "is steady")))
    answers.add("FilterLogEvents", {"events": []})
    answers.add("ListTasks", {"taskArns": []})
    cdk(0, 0, template=dev.body)
    patient_cdk(monkeypatch)

    assert deploy("dev") == 0

    lines = [line[10:] for line in capsys.readouterr().out.splitlines() if re.match(r"\d\d:\d\d:\d\d  ", line)]
    assert lines == [
        "api: has begun",
        "api: 0 of 1 of version 8, 1 starting; 1 of version 7 still",
        "api: 1 of 1 of version 8; 1 of version 7 still",
        "api: is steady",
        "api: 1 of 1 of version 8",
    ]


def test_a_task_that_fails_is_told_at_once_and_explained_at_the_end(
    answers: Answers,
    cdk: InstallCdk,
    dev: Template,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    dev_is_there(answers, dev)
    answers.add("DescribeServices", service(8, {"version": 8, "failedTasks": 1}))
    answers.add("ListTasks", {"taskArns": []}, {"taskArns": [f"{ECS}:task/{CLUSTER}/abc"]})
    answers.add("FilterLogEvents", {"events": []})
    answers.add("GetLogEvents", {"events": [{"message": "KeyError: 'PGHOST'", "timestamp": 1}]})
    failed = {
        "taskArn": f"{ECS}:task/{CLUSTER}/abc",
        "taskDefinitionArn": f"{ECS}:task-definition/catalogue-dev-api:8",
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "createdAt": datetime.now(UTC),
        "stoppedAt": datetime.now(UTC),
        "containers": [{"name": "api", "exitCode": 1, "image": "x/y:1"}],
    }
    answers.add("DescribeTasks", {"tasks": [failed]})
    cdk(0, 1, template=dev.body)
    patient_cdk(monkeypatch)

    assert deploy("dev") == 1

    said = capsys.readouterr().out
    assert said.count("api: a task failed: Essential container in task exited → docker-compose.yml:") == 1
    assert "  api exited with code 1\n    KeyError: 'PGHOST'\n→ docker-compose.yml:" in said


def test_what_ecs_took_back_is_no_success_whatever_cloudformation_says(
    answers: Answers, cdk: InstallCdk, dev: Template, capsys: pytest.CaptureFixture[str]
) -> None:
    dev_is_there(answers, dev)
    answers.add("DescribeServices", service(7, {"version": 7, "runningCount": 1}))
    cdk(0, 0, template=dev.body)

    assert deploy("dev") == 1
    assert "✗ api runs catalogue-dev-api:7, which is another version than the stack's" in capsys.readouterr().err


def test_what_does_not_answer_is_no_success(
    answers: Answers,
    cdk: InstallCdk,
    dev: Template,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("infra.operations.smoke.PATIENCE_SECONDS", 0.0)
    describe(answers, "UPDATE_COMPLETE", name="catalogue-dev", PublicUrl="http://127.0.0.1:1/")
    deployed(answers, dev)
    resources(answers)
    cdk(0, 0, template=dev.body)

    assert deploy("dev") == 1
    assert "✗ http://127.0.0.1:1/health/live: " in capsys.readouterr().out


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
    answers: Answers,
    cdk: InstallCdk,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: str,
    change: dict[str, Any],
    is_protected_afterwards: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project(tmp_path / "changed", monkeypatch, public_url=change, deletion_protection=is_protected_afterwards)
    describe(answers, "UPDATE_COMPLETE")
    deployed(answers, request.getfixturevalue(before))
    asked = cdk()

    assert deploy() == 1

    assert asked() == []
    said = capsys.readouterr().err
    gone = "the user pool" if before == "prod_with_domain" else "the load balancer in the VPC"
    assert f"remove {gone}, which is protected" in said
    made = "make the load balancer on the internet, protected from its first second, which could not be taken back"
    assert (made in said) == (is_protected_afterwards and before == "prod")
    assert "with deletion_protection: false and everything else as it was; with the change" in said


def test_what_is_new_in_an_update_is_not_protected_at_once(
    answers: Answers,
    cdk: InstallCdk,
    load_balancer_alone: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The second of the steps, with the protection that only the third one brings."""
    project(tmp_path / "changed", monkeypatch, public_url=DOMAIN)
    describe(answers, "UPDATE_COMPLETE")
    deployed(answers, load_balancer_alone)
    cdk()

    assert deploy() == 1
    assert "make the user pool, protected from its first second" in capsys.readouterr().err


@pytest.mark.parametrize("change", [DOMAIN | {"domain_name": "other.example.com"}, {**DOMAIN, "allowed_cidrs": []}])
def test_other_changes_of_the_public_url_are_made(
    answers: Answers,
    cdk: InstallCdk,
    prod_with_domain: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
) -> None:
    project(tmp_path / "changed", monkeypatch, public_url=change)
    describe(answers, "UPDATE_COMPLETE")
    deployed(answers, prod_with_domain)
    resources(answers)
    asked = cdk(0, 0)

    assert deploy("prod", "--unrehearsed") == 0
    assert calls(asked()) == [f"{DIFF} {PROD}", f"{DEPLOY} {PROD}"]


def test_the_second_step_is_made(
    answers: Answers,
    cdk: InstallCdk,
    load_balancer_alone: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project(tmp_path / "changed", monkeypatch, public_url=DOMAIN, deletion_protection=False)
    describe(answers, "UPDATE_COMPLETE")
    deployed(answers, load_balancer_alone)
    resources(answers)
    asked = cdk(0, 0)

    assert deploy() == 0
    assert calls(asked()) == [f"{DIFF} {PROD}", f"{DEPLOY} {PROD}"]


def test_it_says_when_what_is_there_could_not_be_protected(
    answers: Answers, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsed()
    describe(answers, None)
    asked = cdk(0, 2)

    assert deploy() == 2
    assert calls(asked()) == [f"{DEPLOY} {FIRST}", f"{DEPLOY} {PROD}"]
    assert "catalogue-prod works, but is not protected yet: make deploy again." in capsys.readouterr().err


def test_an_environment_without_protection_is_deployed_at_once(answers: Answers, cdk: InstallCdk) -> None:
    describe(answers, None, "CREATE_COMPLETE", name="catalogue-dev")
    resources(answers)
    asked = cdk(0)

    assert deploy("dev") == 0
    assert calls(asked()) == [f"{DEPLOY} (synth --quiet --context environment=dev)"]


def test_a_region_that_has_no_zones_to_choose_from_is_refused_with_those_that_have(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-south-1")
    answers.add("GetCallerIdentity", {"Arn": "arn:aws:iam::111122223333:user/ana"})
    asked = cdk()

    assert deploy("dev") == 1
    assert asked() == []
    assert "✗ region eu-south-1 is none of ap-northeast-1, " in capsys.readouterr().out


def test_an_unknown_environment_and_missing_permission_are_sentences(
    answers: Answers, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = cdk()
    assert deploy("staging") == 1
    assert "there is no environment 'staging'" in capsys.readouterr().err

    assert deploy() == 1
    assert "deploy: these credentials may not do DescribeStacks" in capsys.readouterr().err
    assert asked() == []
