"""`make sleep` and `make wake`, in the order that AWS needs; AWS's own API model checks the requests."""

import json
from typing import Any

import pytest
from botocore.stub import Stubber

from infra.operations import asleep, sleep, wake
from tests.infra.operations.conftest import stub_clients

STACK, TIME = "catalogue-dev", "2026-11-24T00:00:00Z"
SERVICE = "arn:aws:ecs:us-east-1:123456789012:service/the-cluster/the-api"
TARGET = {"Arn": "arn:aws:scheduler:::aws-sdk:rds:startDBInstance", "RoleArn": "arn:aws:iam::123456789012:role/clock"}
ACTIONS = [{"Schedule": "cron(0 20 * * ? *)", "ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": 0}}]
RESOURCES: dict[str, dict[str, Any]] = {
    "Api": {"Type": "AWS::ECS::Service"},
    "Scaling": {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "Properties": {
            "MinCapacity": 1,
            "MaxCapacity": 2,
            "ResourceId": {"Fn::Join": ["", ["service/", {"Ref": "Cluster"}, "/", {"Fn::GetAtt": ["Api", "Name"]}]]},
            "ScheduledActions": ACTIONS,
        },
    },
    "Cluster": {"Type": "AWS::ECS::Cluster"},
    "Database": {"Type": "AWS::RDS::DBInstance"},
    "Start": {"Type": "AWS::Scheduler::Schedule", "Properties": {"Target": TARGET}},
}
PHYSICAL = {"Api": SERVICE, "Cluster": "the-cluster", "Database": STACK, "Start": "the-start", "Scaling": "of-api"}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> dict[str, Stubber]:
    """Clients that answer only what they are told to; nobody waits."""
    monkeypatch.setattr(asleep, "_POLL_SECONDS", 0)
    return stub_clients(monkeypatch, "cloudformation", "ecs", "rds", "scheduler", "application-autoscaling")


def there_is(aws: dict[str, Stubber], resources: dict[str, dict[str, Any]]) -> None:
    stacks = aws["cloudformation"]
    template = json.dumps({"Resources": resources})
    stacks.add_response("get_template", {"TemplateBody": template}, {"StackName": STACK})
    summaries = [
        {
            "LogicalResourceId": name,
            "PhysicalResourceId": PHYSICAL[name],
            "ResourceType": one["Type"],
            "LastUpdatedTimestamp": TIME,
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for name, one in resources.items()
    ]
    stacks.add_response("list_stack_resources", {"StackResourceSummaries": summaries}, {"StackName": STACK})


def the_stack_is(aws: dict[str, Stubber], status: str) -> None:
    stack = {"StackName": STACK, "CreationTime": TIME, "StackStatus": status}
    aws["cloudformation"].add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK})


def the_database_is(aws: dict[str, Stubber], *statuses: str) -> None:
    for status in statuses:
        answer = {"DBInstances": [{"DBInstanceIdentifier": STACK, "DBInstanceStatus": status}]}
        aws["rds"].add_response("describe_db_instances", answer, {"DBInstanceIdentifier": STACK})


def tasks_are_wanted(aws: dict[str, Stubber], least: int, most: int, *, clock: bool) -> None:
    expected = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/the-cluster/the-api",
        "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": least,
        "MaxCapacity": most,
        "SuspendedState": {"ScheduledScalingSuspended": not clock},
    }
    aws["application-autoscaling"].add_response("register_scalable_target", {}, expected)
    aws["ecs"].add_response(
        "update_service", {}, {"cluster": "the-cluster", "service": "the-api", "desiredCount": least}
    )


def the_start_is(aws: dict[str, Stubber], state: str) -> None:
    said = {
        "Name": "the-start",
        "GroupName": "default",
        "ScheduleExpression": "cron(40 7 * * ? *)",
        "ScheduleExpressionTimezone": "America/Sao_Paulo",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": TARGET,
    }
    aws["scheduler"].add_response("get_schedule", {**said, "State": "ENABLED"}, {"Name": "the-start"})
    aws["scheduler"].add_response("update_schedule", {"ScheduleArn": "arn"}, {**said, "State": state})


def tasks_run(aws: dict[str, Stubber], desired: int, running: int) -> None:
    answer = {"services": [{"serviceName": "the-api", "desiredCount": desired, "runningCount": running}]}
    aws["ecs"].add_response("describe_services", answer, {"cluster": "the-cluster", "services": ["the-api"]})


def all_was_asked(aws: dict[str, Stubber]) -> None:
    for stub in aws.values():
        stub.assert_no_pending_responses()


def test_tasks_go_first_and_the_database_is_stopped_until_woken(
    aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    there_is(aws, RESOURCES)
    tasks_are_wanted(aws, 0, 0, clock=False)
    the_start_is(aws, "DISABLED")
    the_database_is(aws, "backing-up", "available", "available")
    aws["rds"].add_response("stop_db_instance", {}, {"DBInstanceIdentifier": STACK})
    body = json.dumps({"Resources": {"Key": {"Type": "AWS::KMS::Key"}}})
    aws["cloudformation"].add_response("get_template", {"TemplateBody": body}, {"StackName": STACK})

    assert sleep.main("dev") == 0

    all_was_asked(aws)
    said = capsys.readouterr().out
    assert "catalogue-dev sleeps until make wake ENV=dev" in said
    assert "Asleep, it costs 1.00 US$ a month all the same" in said
    assert "After seven days RDS starts the database by itself" in said


def test_what_sleeps_is_left_asleep(aws: dict[str, Stubber]) -> None:
    there_is(aws, RESOURCES)
    tasks_are_wanted(aws, 0, 0, clock=False)
    the_start_is(aws, "DISABLED")
    the_database_is(aws, "stopping", "stopped", "stopped")
    body = json.dumps({"Resources": {}})
    aws["cloudformation"].add_response("get_template", {"TemplateBody": body}, {"StackName": STACK})

    assert sleep.main("dev") == 0

    all_was_asked(aws)


def test_the_database_wakes_first_and_then_as_many_tasks_as_the_template_says(
    aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    there_is(aws, RESOURCES)
    the_start_is(aws, "ENABLED")
    the_database_is(aws, "stopping", "stopped", "stopped")
    aws["rds"].add_response("start_db_instance", {}, {"DBInstanceIdentifier": STACK})
    the_database_is(aws, "starting", "available")
    tasks_are_wanted(aws, 1, 2, clock=True)
    tasks_run(aws, 1, 0)
    tasks_run(aws, 1, 1)

    assert wake.main("dev") == 0

    all_was_asked(aws)
    assert "Awake: the-api." in capsys.readouterr().out


def test_a_deployment_wakes_only_what_sleeps(aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str]) -> None:
    the_stack_is(aws, "UPDATE_COMPLETE")
    there_is(aws, RESOURCES)
    the_database_is(aws, "available")
    tasks_run(aws, 1, 1)

    assert wake.main("dev", "--if-asleep") == 0

    all_was_asked(aws)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", [sleep.main, wake.main])
def test_without_a_stack_it_says_so(command: Any, aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str]) -> None:
    gone = f"Stack with id {STACK} does not exist"
    aws["cloudformation"].add_client_error("get_template", "ValidationError", gone)

    assert command("dev") == 1

    assert f"there is no stack {STACK} in us-east-1" in capsys.readouterr().err


def test_a_deployment_wakes_what_sleeps(aws: dict[str, Stubber]) -> None:
    the_stack_is(aws, "CREATE_COMPLETE")
    there_is(aws, RESOURCES)
    the_database_is(aws, "stopped")
    there_is(aws, RESOURCES)
    the_start_is(aws, "ENABLED")
    the_database_is(aws, "stopped", "stopped")
    aws["rds"].add_response("start_db_instance", {}, {"DBInstanceIdentifier": STACK})
    the_database_is(aws, "available")
    tasks_are_wanted(aws, 1, 2, clock=True)
    tasks_run(aws, 1, 1)

    assert wake.main("dev", "--if-asleep") == 0

    all_was_asked(aws)


def test_before_the_first_deployment_there_is_nothing_to_wake(aws: dict[str, Stubber]) -> None:
    gone = f"Stack with id {STACK} does not exist"
    aws["cloudformation"].add_client_error("describe_stacks", "ValidationError", gone)

    assert wake.main("dev", "--if-asleep") == 0


def test_after_a_first_deployment_that_failed_there_is_nothing_to_wake(aws: dict[str, Stubber]) -> None:
    the_stack_is(aws, "ROLLBACK_COMPLETE")

    assert wake.main("dev", "--if-asleep") == 0

    all_was_asked(aws)


def test_without_hours_asleep_it_says_how_to_have_them(
    aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    never = {**RESOURCES, "Scaling": {**RESOURCES["Scaling"]}}
    never["Scaling"]["Properties"] = {**RESOURCES["Scaling"]["Properties"], "ScheduledActions": []}
    there_is(aws, never)

    assert sleep.main("dev") == 1

    assert "set services.asleep in cdk.json" in capsys.readouterr().err


def test_a_database_that_does_not_settle_ends_the_wait(
    aws: dict[str, Stubber], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sleep, "_PATIENCE_SECONDS", -1)
    there_is(aws, RESOURCES)
    tasks_are_wanted(aws, 0, 0, clock=False)
    the_start_is(aws, "DISABLED")
    the_database_is(aws, "modifying")

    assert sleep.main("dev") == 1

    assert "the database took more than" in capsys.readouterr().err
