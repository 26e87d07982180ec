"""Environments of pull requests: how many, until when, and that a workflow which dies leaves none behind."""

import datetime
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from infra.pipeline.previews import fill, main
from infra.plan.preview import Seed
from testkit.tools import ROOT
from tests.infra.conftest import CONTEXT
from tests.infra.operations.conftest import InstallCdk, stub_clients

NOW = datetime.datetime.now(datetime.UTC)


def stack(name: str, hours: float | None, status: str = "CREATE_COMPLETE") -> dict[str, Any]:
    tags = [] if hours is None else [f"{NOW + datetime.timedelta(hours=hours):%Y-%m-%dT%H:%MZ}"]
    return {
        "StackName": name,
        "CreationTime": NOW,
        "StackStatus": status,
        "Tags": [{"Key": "expires", "Value": tag} for tag in tags],
    }


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    return stub_clients(monkeypatch, "cloudformation")["cloudformation"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with previews, at most two of them."""
    folder = tmp_path / "project"
    (folder / "app").mkdir(parents=True)
    for name in ("docker-compose.yml", "app/Dockerfile", ".dockerignore"):
        shutil.copy(ROOT / name, folder / name)
    preview = CONTEXT["preview"] | {"enabled": True, "limit": 2}
    (folder / "cdk.json").write_text(json.dumps({"context": CONTEXT | {"preview": preview}}))
    monkeypatch.chdir(folder)
    return folder


def there_are(stacks: Stubber, *found: dict[str, Any]) -> None:
    stacks.add_response("describe_stacks", {"Stacks": list(found)}, {})


def test_what_is_over_is_removed_and_nothing_else(
    stacks: Stubber, project: Path, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    there_are(
        stacks,
        stack("catalogue-pr-7", -1),
        stack("catalogue-pr-12", 5),
        stack("catalogue-pr-3", None),  # made by hand, or before it had an end
        stack("catalogue-dev", -1),
        stack("catalogue-pr-x", -1),
        stack("other-pr-1", -1),
    )
    asked = cdk(0, 0)

    assert main("--expired") == 0

    assert asked() == [f"us-east-1: destroy --force --context environment=pr-{number}" for number in (3, 7)]
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["pr-3", "pr-7", "pr-12"]


def test_a_removal_that_fails_is_no_success_and_the_others_go_all_the_same(
    stacks: Stubber, project: Path, cdk: InstallCdk
) -> None:
    there_are(stacks, stack("catalogue-pr-7", -1), stack("catalogue-pr-8", -1))
    asked = cdk(1, 0)

    assert main("--expired") == 1
    assert len(asked()) == 2


def test_listing_removes_nothing(stacks: Stubber, project: Path, cdk: InstallCdk) -> None:
    there_are(stacks, stack("catalogue-pr-7", -1))
    asked = cdk(0)

    assert main() == 0
    assert asked() == []


def test_there_are_never_more_than_the_limit(
    stacks: Stubber, project: Path, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    there_are(stacks, stack("catalogue-pr-7", 1), stack("catalogue-pr-8", 1))
    asked = cdk(0)

    assert main("up", "9") == 1

    assert asked() == []
    assert "there are 2 already (pr-7, pr-8)" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["", "0", "x", "1;ls", "12345678", "-1"])
def test_what_is_no_number_of_a_pull_request_is_refused(
    number: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("up", number) == 1
    assert "no number of a pull request" in capsys.readouterr().err


def test_previews_are_off_until_somebody_switches_them_on(
    stacks: Stubber, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "cdk.json").write_text(json.dumps({"context": CONTEXT}))
    there_are(stacks)

    assert main("up", "12") == 1
    assert "previews are off" in capsys.readouterr().err


def test_closing_a_pull_request_that_has_none_is_no_failure(
    stacks: Stubber, project: Path, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    there_are(stacks, stack("catalogue-pr-7", 1))
    asked = cdk(0)

    assert main("down", "12") == 0
    assert asked() == []


def test_closing_a_pull_request_removes_its_own(stacks: Stubber, project: Path, cdk: InstallCdk) -> None:
    there_are(stacks, stack("catalogue-pr-7", 1), stack("catalogue-pr-12", 1))
    asked = cdk(0)

    assert main("down", "12") == 0
    assert asked() == ["us-east-1: destroy --force --context environment=pr-12"]


SEED = Seed(service="api", command=["python", "-m", "app.api.seed"])


def test_a_seed_that_cannot_run_is_told_with_the_command_that_makes_up_for_it_and_is_no_failure(
    stacks: Stubber, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = (
        "User: arn:aws:sts::1:assumed-role/p/x is not authorized to perform: ecs:RunTask on resource: arn:aws:ecs:x"
    )
    stacks.add_client_error("describe_stacks", "AccessDenied", message)

    fill("pr-12", SEED)

    said = capsys.readouterr().err
    assert "pr-12 is deployed, but context.preview.seed of cdk.json did not fill it" in said
    assert "these credentials lack the permission ecs:RunTask" in said
    assert said.rstrip().endswith("python -m infra.operations run --env pr-12 api -- python -m app.api.seed")


def test_a_seed_of_a_service_that_there_is_not_is_told_with_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = stub_clients(monkeypatch, "cloudformation", "ecs")
    name = "catalogue-pr-12"
    aws["cloudformation"].add_response("describe_stacks", {"Stacks": [stack(name, 5)]}, {"StackName": name})
    listed = [
        {
            "LogicalResourceId": kind,
            "PhysicalResourceId": kind.lower(),
            "ResourceType": f"AWS::ECS::{kind}",
            "LastUpdatedTimestamp": NOW,
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for kind in ("Cluster", "Service")
    ]
    aws["cloudformation"].add_response("list_stack_resources", {"StackResourceSummaries": listed}, {"StackName": name})
    described = {"serviceName": "x", "taskDefinition": f"arn:aws:ecs:us-east-1:1:task-definition/{name}-api:1"}
    aws["ecs"].add_response("describe_services", {"services": [described]})

    fill("pr-12", SEED.model_copy(update={"service": "backend"}))

    said = capsys.readouterr().err
    assert "run: there is no service backend; there are api" in said
    assert "pr-12 is deployed, but context.preview.seed of cdk.json did not fill it" in said
