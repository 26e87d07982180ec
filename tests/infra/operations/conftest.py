"""What the tests of the operations share: a CDK CLI that writes down what it is asked, and no region from outside."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from infra.operations.database_sign_in import POLICY
from infra.rehearsal.emulator import emulated_aws
from tests.infra.operations.emulated import NAME, TEMPLATE

InstallCdk = Callable[..., Callable[[], list[str]]]

_SCRIPT = """#!/bin/sh
if [ "$1" = synth ]; then
  for last; do :; done
  cp "{folder}/template.json" "$last/app.template.json" && echo "$*" > "$last/made-by" && exit 0
fi
echo "$AWS_REGION: $*$(sed 's/ --output.*/)/; s/^/ (/' "$3/made-by" 2>/dev/null)" >> "{folder}/log"
exit $(sed -n "$(wc -l < "{folder}/log")p" "{folder}/codes")
"""


class Answers:
    """What AWS answers, by operation: each answer once, the last one for ever. Whatever has none is not permitted."""

    def __init__(self) -> None:
        self._by_operation: dict[str, list[Any]] = {}
        self._asked: list[tuple[str, dict[str, Any]]] = []

    def add(self, operation: str, *answers: dict[str, Any] | tuple[str, str]) -> None:
        """Add answers to an operation such as DescribeStacks; a pair is an error, by its code and message."""
        self._by_operation.setdefault(operation, []).extend(answers)

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """Return what AWS was asked for by an operation, in order."""
        return [parameters for name, parameters in self._asked if name == operation]

    def take(self, params: dict[str, Any], model: Any, **_others: Any) -> None:
        """Note what AWS is asked (botocore's event `before-parameter-build`)."""
        self._asked.append((model.name, dict(params)))

    def answer(self, model: Any, **_others: Any) -> tuple[Any, dict[str, Any]]:
        """Answer in the place of AWS (botocore's event `before-call`, when it has checked what is asked)."""
        answers = self._by_operation.get(model.name, [("AccessDenied", "not authorized")])
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(found, tuple):
            code, message = found
            error = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            return AWSResponse("", 400, HTTPHeaders(), None), error
        return AWSResponse("", 200, HTTPHeaders(), None), {**found, "ResponseMetadata": {"HTTPStatusCode": 200}}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Have every client of boto3 answer what the test says, and nothing else."""
    given, session = Answers(), botocore.session.Session()

    @cache
    def make(_session: boto3.Session, name: str, **_others: str) -> Any:
        made = session.create_client(name, "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        made.meta.events.register_first("before-parameter-build", given.take)
        handler: Any = given.answer  # whose answer botocore's types do not foresee
        made.meta.events.register_first("before-call", handler)
        return made

    monkeypatch.setattr(boto3.Session, "client", make)
    return given


def stub_clients(monkeypatch: pytest.MonkeyPatch, *services: str) -> dict[str, Stubber]:
    """Give every session of boto3 clients that answer only what they are told to, and check it by AWS's own model."""
    client: Any = boto3.client  # its types want each service's name by itself
    made = {
        name: client(name, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        for name in services
    }
    monkeypatch.setattr(boto3.Session, "client", lambda _session, name: made[name])
    stubs = {name: Stubber(one) for name, one in made.items()}
    for stub in stubs.values():
        stub.activate()
    return stubs


@pytest.fixture(autouse=True)
def no_region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing says which region, and there are no credentials."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "AMAZON_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def cdk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> InstallCdk:
    """Put a CDK CLI first in PATH that synthesises a template, and ends with the codes given, one a further call.

    It is asked what it was called with, and by which synthesis what it was called on was made."""

    def install(*codes: int, template: dict[str, Any] | None = None) -> Callable[[], list[str]]:
        folder = tmp_path / "bin"
        folder.mkdir()
        log = folder / "log"
        (folder / "template.json").write_text(json.dumps(template or {"Resources": {}}))
        (folder / "codes").write_text("".join(f"{code}\n" for code in codes))
        script = folder / "cdk"
        script.write_text(_SCRIPT.format(folder=folder))
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return lambda: log.read_text().splitlines() if log.exists() else []

    return install


@pytest.fixture(scope="package")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of an emulated account."""
    with emulated_aws(tmp_path_factory.mktemp("aws"), containers=False) as emulator:
        yield emulator.environment()


@pytest.fixture
def rds(account: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an account in which the stack is deployed, and a snapshot of its database is there."""
    for name, value in account.items():
        monkeypatch.setenv(name, value)
    stacks: Any = boto3.client("cloudformation")  # whose waiters' types know whole seconds only
    rds, soon = boto3.client("rds"), {"Delay": 0.1, "MaxAttempts": 600}
    stacks.create_stack(StackName=NAME, TemplateBody=json.dumps(TEMPLATE))
    stacks.get_waiter("stack_create_complete").wait(StackName=NAME, WaiterConfig=soon)
    rds.create_db_snapshot(DBSnapshotIdentifier="yesterday", DBInstanceIdentifier=NAME)
    yield rds
    for one in rds.describe_db_instances()["DBInstances"]:
        which = one["DBInstanceIdentifier"]
        rds.modify_db_instance(DBInstanceIdentifier=which, DeletionProtection=False, ApplyImmediately=True)
        rds.delete_db_instance(DBInstanceIdentifier=which, SkipFinalSnapshot=True)
    rds.delete_db_snapshot(DBSnapshotIdentifier="yesterday")
    with suppress(ClientError):
        boto3.client("iam").delete_role_policy(RoleName="of-the-api", PolicyName=POLICY)
    stacks.delete_stack(StackName=NAME)
    stacks.get_waiter("stack_delete_complete").wait(StackName=NAME, WaiterConfig=soon)
