"""Putting a secret into AWS Secrets Manager; AWS's own API model checks requests and answers."""

import io

import pytest
from botocore.stub import Stubber

from infra.operations.secret import main
from tests.infra.operations.conftest import stub_clients

NAME, VALUE = "openai_api_key", "test-value"
ARN = f"arn:aws:secretsmanager:sa-east-1:111122223333:secret:{NAME}-AbCdEf"


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    """Stub of the Secrets Manager client, with the value on standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{VALUE}\n"))
    return stub_clients(monkeypatch, "secretsmanager")["secretsmanager"]


def test_a_secret_that_is_not_there_is_made(secrets: Stubber, capsys: pytest.CaptureFixture[str]) -> None:
    secrets.add_client_error(
        "put_secret_value",
        "ResourceNotFoundException",
        expected_params={"SecretId": NAME, "SecretString": VALUE},
    )
    secrets.add_response("create_secret", {"ARN": ARN, "Name": NAME}, {"Name": NAME, "SecretString": VALUE})

    assert main(NAME) == 0
    assert f"{NAME} was made" in capsys.readouterr().out
    secrets.assert_no_pending_responses()


def test_a_secret_that_is_there_gets_a_new_value(secrets: Stubber, capsys: pytest.CaptureFixture[str]) -> None:
    secrets.add_response("put_secret_value", {"ARN": ARN}, {"SecretId": NAME, "SecretString": VALUE})

    assert main(NAME) == 0
    assert VALUE not in capsys.readouterr().out


def test_a_refusal_of_aws_is_one_sentence(secrets: Stubber, capsys: pytest.CaptureFixture[str]) -> None:
    secrets.add_client_error("put_secret_value", "AccessDeniedException", "not allowed to put")

    assert main(NAME) == 1
    assert "not allowed to put" in capsys.readouterr().err


def test_nothing_is_put_without_a_name_or_a_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("") == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert main(NAME) == 1
    assert "there was no value" in capsys.readouterr().err
