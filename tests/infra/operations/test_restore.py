"""`restore`: wherever it is interrupted, the same command goes on; on the emulated RDS, with records for instances.

With data in them it is rehearsed (`restore-data`, tests/end_to_end/test_rehearsal.py).
"""

import re
from typing import Any

import boto3
import pytest

from infra.operations import destroy
from infra.operations.__main__ import main
from infra.operations.beside import FROM, called, how_to_delete, is_beside, tags_of
from infra.operations.database_sign_in import POLICY
from infra.operations.restore import UNFINISHED
from tests.infra.operations.conftest import InstallCdk
from tests.infra.operations.emulated import NAME, instances, interrupted

STEPS = 6  # made, its password, two names, its settings, no longer unfinished


@pytest.mark.parametrize(
    ("at", "when"),
    [*((at, "before-call") for at in range(1, STEPS + 1)), *((at, "after-call") for at in range(1, STEPS))],
)
def test_wherever_it_is_interrupted_the_same_command_goes_on(
    rds: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], at: int, when: str
) -> None:
    as_it_was = instances(rds)[NAME]
    command = ["restore", "yesterday", "--uncompared", "--yes"]
    with monkeypatch.context() as patched:
        interrupted(patched, at, when)
        assert main(command) == 130

    assert len(instances(rds)) <= 2
    assert main(command) == 0

    found = instances(rds)
    (before,) = [name for name in found if name != NAME]
    assert before.startswith(f"{NAME}-before-")
    assert found[before]["DbiResourceId"] == as_it_was["DbiResourceId"]
    live = found[NAME]
    assert tags_of(live) == {"project": "catalogue", FROM: "yesterday"}
    same = (
        *("Endpoint", "DBInstanceClass", "VpcSecurityGroups", "DBParameterGroups", "BackupRetentionPeriod"),
        *("DeletionProtection", "MaxAllocatedStorage", "IAMDatabaseAuthenticationEnabled", "MultiAZ"),
    )
    assert {key: live[key] for key in same} == {key: as_it_was[key] for key in same}
    said = capsys.readouterr().out
    assert how_to_delete("us-east-1", before, protected=True) in said
    assert "US$ a month" in said


def test_roles_that_sign_in_by_iam_may_do_so_at_the_restored_database(rds: Any) -> None:
    assert main(["restore", "yesterday", "--uncompared", "--yes"]) == 0

    policy: Any = boto3.client("iam").get_role_policy(RoleName="of-the-api", PolicyName=POLICY)
    live = instances(rds)[NAME]
    account = live["DBInstanceArn"].split(":")[4]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "rds-db:connect"
    assert statement["Resource"] == [f"arn:aws:rds-db:us-east-1:{account}:dbuser:{live['DbiResourceId']}/catalogue_api"]


def test_without_a_yes_nothing_is_switched_and_what_was_made_can_be_deleted(
    rds: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["restore", "yesterday", "--uncompared"]) == 1
    assert "--yes" in capsys.readouterr().err
    assert list(instances(rds)) == [NAME, f"{NAME}-restored"]
    assert not tags_of(instances(rds)[NAME]).keys() & {FROM, UNFINISHED}

    rds.create_db_snapshot(DBSnapshotIdentifier="another", DBInstanceIdentifier=NAME)
    assert main(["restore", "another", "--uncompared"]) == 1
    assert f"{NAME}-restored is there, from yesterday" in capsys.readouterr().err
    rds.delete_db_snapshot(DBSnapshotIdentifier="another")

    assert main(["restore", "--abandon"]) == 0
    assert list(instances(rds)) == [NAME]


def test_it_lists_what_there_is_to_go_back_to(rds: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restore"]) == 0
    assert re.search(r"^yesterday +\d+ s ago +somebody$", capsys.readouterr().out, re.MULTILINE)
    assert list(instances(rds)) == [NAME]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch"], "there is no snapshot nosuch: restore without a name lists them"),
        (["--at", "yesterday"], "--at yesterday: not a time with its offset"),
        (["--at", "2026-11-26T20:15:00"], "not a time with its offset"),
        (["yesterday", "--at", "2026-11-26T20:15:00Z"], "a snapshot or --at, not both"),
    ],
)
def test_what_cannot_be_gone_back_to_is_a_sentence(
    rds: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["restore", "--uncompared", *arguments]) == 1
    assert said in capsys.readouterr().err
    assert list(instances(rds)) == [NAME]


def test_a_snapshot_that_does_not_fit_says_all_that_keeps_it_from_it(
    rds: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    rds.create_db_instance(
        DBInstanceIdentifier="other",
        DBInstanceClass="db.t4g.small",
        Engine="postgres",
        EngineVersion="16",
        AllocatedStorage=20,
        MasterUsername="somebody",
        MasterUserPassword="of-somebody",
    )
    rds.create_db_snapshot(DBSnapshotIdentifier="foreign", DBInstanceIdentifier="other")

    assert main(["restore", "foreign", "--uncompared", "--yes"]) == 1

    said = capsys.readouterr().err
    assert "its owner is somebody, and that of the stack catalogue" in said
    assert "it is of PostgreSQL 16, and the database of 18" in said
    rds.delete_db_snapshot(DBSnapshotIdentifier="foreign")
    assert f"{NAME}-restored" not in instances(rds)


def test_a_moment_is_asked_for_as_rds_wants_it(rds: Any, capsys: pytest.CaptureFixture[str]) -> None:
    # The emulator has no backups, and says so; that the request is well formed, AWS's own model has said before.
    assert main(["restore", "--at", "2026-11-26T20:15:00-03:00", "--uncompared", "--yes"]) == 1
    assert "AWS refused RestoreDBInstanceToPointInTime: Unknown RDS action" in capsys.readouterr().err
    assert list(instances(rds)) == [NAME]


def test_a_stack_with_a_database_beside_its_own_is_not_destroyed(
    rds: Any, cdk: InstallCdk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["restore", "yesterday", "--uncompared", "--yes"]) == 0
    asked = cdk()

    assert destroy.main("dev") == 1

    (before,) = [name for name in instances(rds) if name != NAME]
    assert f"aws rds delete-db-instance --region us-east-1 --db-instance-identifier {before}" in capsys.readouterr().err
    assert asked() == []


@pytest.mark.parametrize("name", ["a", "catalogue-prod", "x" * 63, "x" * 50 + "-" + "y" * 12])
def test_what_is_beside_a_database_is_known_by_a_name_that_rds_takes(name: str) -> None:
    for ending in ("-restored", "-rehearsal", "-before-20261126-201500"):
        beside = called(name, ending)
        assert len(beside) <= 63
        assert "--" not in beside
        assert is_beside(beside, name)
    assert not is_beside(name, name)
    assert not is_beside(f"{name[:40]}-other", name)


def test_status_tells_what_a_restore_has_set_aside_and_how_it_is_deleted(
    rds: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["restore", "yesterday", "--uncompared", "--yes"]) == 0
    (before,) = [name for name in instances(rds) if name != NAME]
    capsys.readouterr()

    main(["status"])

    said = capsys.readouterr().out
    assert f"set aside by a restore, and paid for until it is deleted: {before}" in said
    assert how_to_delete("us-east-1", before, protected=True) in said
