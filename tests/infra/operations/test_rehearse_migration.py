"""`rehearse-migration`: however it ends, no copy is left; on the emulated RDS, with records for instances.

With data and a migration it is rehearsed (`rehearse-migration`, tests/end_to_end/test_rehearsal.py).
"""

import copy
import json
import os
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.operations.__main__ import main
from infra.operations.beside import FROM, tags_of
from tests.infra.operations.emulated import DEPLOYED, NAME, SECRET_NAME, TEMPLATE, instances, interrupted

COPY = f"{NAME}-rehearsal"
STEPS = 3  # made, its password, deleted


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install a CDK CLI that synthesises the stack with another image, whose tag is given, and pushes nothing."""

    def install(tag: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        template = json.dumps(TEMPLATE).replace(DEPLOYED, tag)
        (folder / "template.json").write_text(template)
        script = folder / "cdk"
        synth = f'for last; do :; done; cp "{folder}/template.json" "$last/{NAME}.template.json"'
        script.write_text(f"#!/bin/sh\n[ $1 = synth ] || exit 0\n{synth}\n")
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return install


@pytest.mark.parametrize("at", range(1, STEPS))
@pytest.mark.parametrize("when", ["before-call", "after-call"])
def test_wherever_it_is_interrupted_no_copy_is_left(
    rds: Any, checkout: Any, monkeypatch: pytest.MonkeyPatch, at: int, when: str
) -> None:
    checkout("1" * 64)
    with monkeypatch.context() as patched:
        interrupted(patched, at, when)
        assert main(["rehearse-migration"]) == 130

    assert list(instances(rds)) == [NAME]


def test_what_a_killed_one_has_left_is_deleted(rds: Any, capsys: pytest.CaptureFixture[str]) -> None:
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=COPY, DBSnapshotIdentifier="yesterday", Tags=[{"Key": FROM, "Value": "yesterday"}]
    )
    assert tags_of(instances(rds)[COPY])[FROM] == "yesterday"

    assert main(["rehearse-migration", "--clean-up"]) == 0

    assert f"{COPY} is deleted" in capsys.readouterr().out
    assert list(instances(rds)) == [NAME]


def test_a_checkout_that_is_deployed_has_nothing_to_rehearse(
    rds: Any, checkout: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout(DEPLOYED)

    assert main(["rehearse-migration"]) == 0
    assert "no migration is pending" in capsys.readouterr().out
    assert list(instances(rds)) == [NAME]


def test_who_is_given_a_url_of_the_database_itself_is_not_let_near_it(
    rds: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    resources = copy.deepcopy(TEMPLATE["Resources"])
    resources["DatabaseUrlpostgresqlF00DF00D"] = resources[SECRET_NAME]
    url = {"Name": "DATABASE_URL", "ValueFrom": {"Ref": "DatabaseUrlpostgresqlF00DF00D"}}
    resources["Task"]["Properties"]["ContainerDefinitions"][0]["Secrets"].append(url)
    stacks: Any = boto3.client("cloudformation")
    stacks.update_stack(StackName=NAME, TemplateBody=json.dumps({"Resources": resources}))
    stacks.get_waiter("stack_update_complete").wait(StackName=NAME, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600})

    assert main(["rehearse-migration"]) == 1
    assert "migrate is given the database's address in a URL" in capsys.readouterr().err
    assert list(instances(rds)) == [NAME]


def test_without_a_snapshot_it_says_what_takes_one(rds: Any, checkout: Any, capsys: pytest.CaptureFixture[str]) -> None:
    checkout("1" * 64)

    assert main(["rehearse-migration", "--snapshot", "nosuch"]) == 1
    assert "there is no snapshot nosuch" in capsys.readouterr().err
    rds.delete_db_snapshot(DBSnapshotIdentifier="yesterday")
    assert main(["rehearse-migration"]) == 1
    assert f"there is no snapshot of {NAME}: backup takes one" in capsys.readouterr().err
    rds.create_db_snapshot(DBSnapshotIdentifier="yesterday", DBInstanceIdentifier=NAME)
