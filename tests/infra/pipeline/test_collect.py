"""`make collect`: what is old is told before anything is removed; AWS's own API model checks the requests."""

import datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from infra.pipeline.collect import main
from tests.infra.operations.conftest import InstallCdk, stub_clients

NOW = datetime.datetime.now(datetime.UTC)
OURS = {"project": "catalogue"}


def snapshot(name: str, days: int, tags: dict[str, str], database: str = "catalogue-dev") -> dict[str, Any]:
    return {
        "DBSnapshotIdentifier": name,
        "DBInstanceIdentifier": database,
        "SnapshotCreateTime": NOW - datetime.timedelta(days=days),
        "AllocatedStorage": 20,
        "TagList": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


@pytest.fixture
def databases(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    stub = stub_clients(monkeypatch, "rds")["rds"]
    found = [
        snapshot("newest", 40, OURS),
        snapshot("old", 60, OURS),
        snapshot("older", 90, OURS),
        snapshot("only-one", 90, OURS, "catalogue-prod"),
        snapshot("theirs", 90, {"project": "other"}),
        snapshot("nobodys", 90, {}),
        snapshot("of-what-is-there", 90, OURS, "catalogue-test"),
        snapshot("of-what-is-there-too", 80, OURS, "catalogue-test"),
        snapshot("of-what-was-set-aside", 80, OURS, "catalogue-test-before-20260901-120000"),
        snapshot("of-what-was-set-aside-too", 70, OURS, "catalogue-test-before-20260901-120000"),
    ]
    stub.add_response("describe_db_instances", {"DBInstances": [{"DBInstanceIdentifier": "catalogue-test"}]}, {})
    stub.add_response("describe_db_snapshots", {"DBSnapshots": found}, {"SnapshotType": "manual"})
    return stub


def test_without_being_told_to_delete_it_only_says_what_is_old(
    databases: Stubber, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = cdk(0)

    assert main() == 0

    said = capsys.readouterr().out
    assert [line.split()[1].rstrip(",") for line in said.splitlines() if line.startswith("snapshot ")] == [
        "old",
        "older",
    ]
    assert asked() == ["us-east-1: gc --unstable=gc --action print --created-buffer-days 30"]


def test_told_to_delete_it_keeps_the_newest_of_each_database_and_of_one_that_is_there_and_what_is_not_ours(
    databases: Stubber, cdk: InstallCdk
) -> None:
    for name in ("old", "older"):
        databases.add_response("delete_db_snapshot", {}, {"DBSnapshotIdentifier": name})
    asked = cdk(0)

    assert main("--delete") == 0

    databases.assert_no_pending_responses()
    assert asked() == ["us-east-1: gc --unstable=gc --action full --yes --created-buffer-days 30"]


def test_what_is_younger_than_the_days_stays(databases: Stubber, cdk: InstallCdk) -> None:
    databases.add_response("delete_db_snapshot", {}, {"DBSnapshotIdentifier": "older"})
    cdk(0)

    assert main("--delete", "--days", "70") == 0
    databases.assert_no_pending_responses()
