"""Giving a secret a new value where it is running; AWS's own API model checks requests and answers."""

import io
import json
from typing import Any

import pytest
from botocore.stub import Stubber

from infra.operations import rotate
from tests.infra.conftest import Template, Workspace
from tests.infra.operations.conftest import stub_clients

STACK, OLD, NEW = "catalogue-dev", "test-old-password", "TestNewPassword7"
NAMES = ("cloudformation", "secretsmanager", "rds", "ecs")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Dev, where `migrate` is given a URL of the database too."""
    workspace = Workspace(tmp_path_factory.mktemp("rotate"))
    workspace.replace("  PGHOST: host\n", "  PGHOST: host\n          DATABASE_URL: url?sslmode=verify-full\n")
    local = "      DATABASE_URL: postgres://catalogue:local@db/catalogue\n"
    return workspace.replace("  PGUSER: catalogue\n", f"  PGUSER: catalogue\n{local}").template("dev")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, template: Template) -> dict[str, Stubber]:
    """Stubs of the clients, which know the resources of the template."""
    stubs = stub_clients(monkeypatch, *NAMES)
    monkeypatch.setattr(rotate, "_POLL_SECONDS", 0)
    resources = [
        {
            "LogicalResourceId": name,
            "PhysicalResourceId": _physical(template, name),
            "ResourceType": resource["Type"],
            "LastUpdatedTimestamp": "2026-11-24T00:00:00Z",
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for name, resource in template.body["Resources"].items()
    ]
    stubs["cloudformation"].add_response(
        "list_stack_resources", {"StackResourceSummaries": resources}, {"StackName": STACK}
    )
    return stubs


def _physical(template: Template, logical: str) -> str:
    place = template.place(logical)
    kind = template.body["Resources"][logical]["Type"]
    return f"arn:aws:ecs:sa-east-1:111122223333:service/the-cluster/{place}" if kind == "AWS::ECS::Service" else place


def _expect_value(aws: dict[str, Stubber], secret: str, value: str) -> None:
    aws["secretsmanager"].add_response("get_secret_value", {"SecretString": value}, {"SecretId": secret})


def _expect_put(aws: dict[str, Stubber], secret: str, value: str) -> None:
    aws["secretsmanager"].add_response("put_secret_value", {}, {"SecretId": secret, "SecretString": value})


def _expect_random(aws: dict[str, Stubber]) -> None:
    asked = {"PasswordLength": 48, "ExcludePunctuation": True}
    aws["secretsmanager"].add_response("get_random_password", {"RandomPassword": NEW}, asked)


def _expect_new_tasks(aws: dict[str, Stubber]) -> None:
    for service in ("api", "ui"):
        expected = {"cluster": "the-cluster", "service": service, "forceNewDeployment": True}
        aws["ecs"].add_response("update_service", {}, expected)


def _expect_database(aws: dict[str, Stubber], *answers: dict[str, Any]) -> None:
    expected = {"DBInstanceIdentifier": STACK, "MasterUserPassword": NEW, "ApplyImmediately": True}
    aws["rds"].add_response("modify_db_instance", {}, expected)
    for answer in answers:
        aws["rds"].add_response("describe_db_instances", {"DBInstances": [answer]}, {"DBInstanceIdentifier": STACK})


def test_the_owners_password_is_new_in_the_database_in_its_secret_and_in_every_url(
    aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    owner, url = "Database/Instance/Secret", "Database/Url-postgres?sslmode=verify-full"
    known = {"username": "catalogue", "host": "db.example.com", "password": OLD}
    address = "postgres://catalogue:{}@db.example.com:5432/catalogue?sslmode=verify-full"
    _expect_random(aws)
    _expect_value(aws, owner, json.dumps(known))
    _expect_value(aws, url, address.format(OLD))
    _expect_database(
        aws,
        {"DBInstanceStatus": "available", "PendingModifiedValues": {"MasterUserPassword": "****"}},
        {"DBInstanceStatus": "resetting-master-credentials"},
        {"DBInstanceStatus": "available"},
    )
    _expect_put(aws, owner, json.dumps({**known, "password": NEW}))
    _expect_put(aws, url, address.format(NEW))
    _expect_new_tasks(aws)

    assert rotate.main("dev", "database") == 0
    said = capsys.readouterr()
    assert "api, ui" in said.out
    assert NEW not in said.out + said.err
    for stub in aws.values():
        stub.assert_no_pending_responses()


def test_a_generated_secret_gets_a_new_random_value(aws: dict[str, Stubber]) -> None:
    _expect_random(aws)
    _expect_put(aws, "Secrets/service-token", NEW)
    _expect_new_tasks(aws)

    assert rotate.main("dev", "service-token") == 0
    aws["ecs"].assert_no_pending_responses()


def test_one_of_your_own_gets_what_you_type(aws: dict[str, Stubber], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("test-value\n"))
    _expect_put(aws, "openai_api_key", "test-value")
    _expect_new_tasks(aws)

    assert rotate.main("dev", "openai_api_key") == 0
    aws["ecs"].assert_no_pending_responses()


def test_a_secret_that_is_not_there_replaces_no_task(
    aws: dict[str, Stubber], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("test-value\n"))
    aws["secretsmanager"].add_client_error("put_secret_value", "ResourceNotFoundException")

    assert rotate.main("dev", "servicetokens") == 1
    assert "there is no secret servicetokens" in capsys.readouterr().err


def test_a_database_that_does_not_take_it_keeps_its_secret(
    aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    _expect_random(aws)
    _expect_value(aws, "Database/Instance/Secret", json.dumps({"password": OLD}))
    _expect_value(aws, "Database/Url-postgres?sslmode=verify-full", "postgres://catalogue:x@db/catalogue")
    aws["rds"].add_client_error("modify_db_instance", "InvalidDBInstanceState", "it is being backed up")

    assert rotate.main("dev", "database") == 1
    assert "it is being backed up" in capsys.readouterr().err


def test_a_secret_that_is_not_written_after_the_database_changed_says_what_to_do(
    aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    _expect_random(aws)
    _expect_value(aws, "Database/Instance/Secret", json.dumps({"password": OLD}))
    _expect_value(aws, "Database/Url-postgres?sslmode=verify-full", "postgres://catalogue:x@db/catalogue")
    _expect_database(aws, {"DBInstanceStatus": "available"})
    aws["secretsmanager"].add_client_error("put_secret_value", "AccessDeniedException", "not allowed")

    assert rotate.main("dev", "database") == 1
    assert "run it again" in capsys.readouterr().err


def test_it_asks_which(capsys: pytest.CaptureFixture[str]) -> None:
    assert rotate.main("dev", "") == 1
    assert "make rotate SECRET=" in capsys.readouterr().err
