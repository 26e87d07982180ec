"""The roles of AWS's services in an account; AWS's own API model checks requests and answers."""

import pytest
from botocore.stub import Stubber

from infra.operations.service_linked_roles import ROLES, main
from tests.infra.operations.conftest import stub_clients

TAKEN = "Service role name AWSServiceRoleForECS has been taken in this account, please try a different suffix."


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    """Stub of the IAM client."""
    return stub_clients(monkeypatch, "iam")["iam"]


def add_role(iam: Stubber, service: str) -> None:
    role = {
        "Path": f"/aws-service-role/{service}/",
        "RoleName": "AWSServiceRoleForTest",
        "RoleId": "AROAEXAMPLEEXAMPLE",
        "Arn": f"arn:aws:iam::111122223333:role/aws-service-role/{service}/AWSServiceRoleForTest",
        "CreateDate": "2026-11-24T00:00:00Z",
    }
    iam.add_response("create_service_linked_role", {"Role": role}, {"AWSServiceName": service})


def test_each_role_is_made_or_is_there_already(iam: Stubber, capsys: pytest.CaptureFixture[str]) -> None:
    first, *others = ROLES
    iam.add_client_error("create_service_linked_role", "InvalidInput", TAKEN)
    for service in others:
        add_role(iam, service)

    main()

    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"The role of {first} is there already."
    assert said[1:] == [f"The role of {service} was made: AWSServiceRoleForTest." for service in others]
    iam.assert_no_pending_responses()


def test_they_are_those_of_the_services_that_the_stack_uses() -> None:
    assert {service.split(".")[0] for service in ROLES} == {"ecs", "elasticloadbalancing", "rds"}
    assert "ecs.application-autoscaling.amazonaws.com" in ROLES


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidInput"])
def test_what_iam_refuses_is_a_sentence(iam: Stubber, code: str) -> None:
    iam.add_client_error("create_service_linked_role", code, "you may not")

    with pytest.raises(SystemExit) as stopped:
        main()

    assert "you may not" in str(stopped.value)
    assert "It takes iam:CreateServiceLinkedRole" in str(stopped.value)
