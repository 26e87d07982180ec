"""Getting into a task, through it to the database, and what else an operator does by hand; AWS's model checks."""

import json
import os
import runpy
import signal
import sys
import threading
import webbrowser
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from infra.operations import backup, one_off
from infra.operations.__main__ import main
from tests.infra.operations.conftest import Answers, stub_clients
from tests.infra.operations.test_command_line import ACCOUNT, CLUSTER, STACK, expect_service, expect_stack

ROOT = Path(__file__).parents[3]
NOW = datetime.now(UTC)
TASK = f"{ACCOUNT}:task/{CLUSTER}/0123456789abcdef0123456789abcdef"
TARGET = f"ecs:{CLUSTER}_0123456789abcdef0123456789abcdef_0123456789abcdef0123456789abcdef-1"
HOST = "catalogue-dev.abc.us-east-1.rds.amazonaws.com"
SESSION = {"sessionId": "s-1", "streamUrl": "wss://stream.example", "tokenValue": "a-test-token"}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> dict[str, Stubber]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return stub_clients(monkeypatch, "cloudformation", "ecs", "rds", "ssm")


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_off, "_POLL_SECONDS", 0)


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A Session Manager plugin that writes down what it is given, and ends with 5."""
    log, program = tmp_path / "given.json", tmp_path / "session-manager-plugin"
    program.write_text(
        f"#!{sys.executable}\nimport json, sys\njson.dump(sys.argv[1:], open({str(log)!r}, 'w'))\nsys.exit(5)\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return log


def expect_task(aws: dict[str, Stubber], **changes: Any) -> None:
    """Have a task of `api` run that a session can be opened in."""
    task = {
        "taskArn": TASK,
        "taskDefinitionArn": f"{ACCOUNT}:task-definition/{STACK}-api:7",
        "createdAt": datetime.now(UTC),
        "lastStatus": "RUNNING",
        "containers": [{"name": "migrate"}, {"name": "api", "runtimeId": TARGET.rpartition("_")[2]}],
        **changes,
    }
    aws["ecs"].add_response("list_tasks", {"taskArns": [TASK]}, {"cluster": CLUSTER, "desiredStatus": "RUNNING"})
    aws["ecs"].add_response("describe_tasks", {"tasks": [task]}, {"cluster": CLUSTER, "tasks": [TASK]})


def test_a_command_in_a_running_task_is_handed_to_the_plugin(aws: dict[str, Stubber], plugin: Path) -> None:
    expect_stack(aws)
    expect_service(aws, enableExecuteCommand=True)
    expect_task(aws)
    asked = {"cluster": CLUSTER, "task": TASK, "container": "api", "command": "ls '/a b'", "interactive": True}
    aws["ecs"].add_response("execute_command", {"session": SESSION}, asked)

    assert main(["exec", "api", "--", "ls", "/a b"]) == 5
    given = json.loads(plugin.read_text())
    assert json.loads(given[0]) == SESSION
    assert given[1:4] == ["us-east-1", "StartSession", ""]
    assert json.loads(given[4]) == {"Target": TARGET}
    assert given[5] == "https://ssm.us-east-1.amazonaws.com"


def test_a_tunnel_leads_to_the_database_by_a_task_that_may_reach_it(
    aws: dict[str, Stubber], plugin: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expect_stack(aws, ("AWS::RDS::DBInstance", STACK))
    expect_service(aws, enableExecuteCommand=True)
    instance = {"DBInstanceIdentifier": STACK, "Endpoint": {"Address": HOST, "Port": 5432}}
    aws["rds"].add_response("describe_db_instances", {"DBInstances": [instance]}, {"DBInstanceIdentifier": STACK})
    expect_task(aws)
    parameters = {"host": [HOST], "portNumber": ["5432"], "localPortNumber": ["6000"]}
    asked = {
        "Target": TARGET,
        "DocumentName": "AWS-StartPortForwardingSessionToRemoteHost",
        "Parameters": parameters,
    }
    answer = {"SessionId": "s-1", "StreamUrl": "wss://stream.example", "TokenValue": "a-test-token"}
    aws["ssm"].add_response("start_session", answer, asked)

    assert main(["tunnel", "-L", "6000:db:5432"]) == 5
    said = capsys.readouterr().out
    assert f"127.0.0.1:6000 is {HOST}:5432, until Ctrl-C." in said
    assert f"host={HOST} hostaddr=127.0.0.1 port=6000 dbname=catalogue user=" in said
    assert f" sslmode=verify-full sslrootcert='{ROOT / 'app/api/rds-ca.pem'}'\"" in said
    assert "a-test-token" not in said
    assert json.loads(json.loads(plugin.read_text())[0])["SessionId"] == "s-1"


def test_without_the_plugin_it_says_where_there_is_one(
    aws: dict[str, Stubber], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    expect_stack(aws)
    expect_service(aws, enableExecuteCommand=True)
    assert main(["exec", "api"]) == 1
    assert "session-manager-plugin is not installed" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [["exec", "api"], ["tunnel", "-L", "1:cache:2"]])
def test_where_exec_is_off_there_is_another_way(
    aws: dict[str, Stubber], plugin: Path, capsys: pytest.CaptureFixture[str], verb: list[str]
) -> None:
    expect_stack(aws)
    expect_service(aws, enableExecuteCommand=False)
    assert main(verb) == 1
    assert "services.ecs_exec is false for dev in cdk.json" in capsys.readouterr().err
    assert not plugin.exists()


def prod_lets_nobody_in(answers: Answers, *tasks: dict[str, Any]) -> None:
    """Let prod be there, whose tasks let nobody in, and the task that a tunnel starts be described so in turn."""
    outputs = [{"OutputKey": "TunnelRoleArn", "OutputValue": "arn:aws:iam::111122223333:role/tunnel"}]
    stack = {"StackName": "x", "CreationTime": NOW, "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}
    answers.add("DescribeStacks", {"Stacks": [stack]})
    listed = [
        {
            "LogicalResourceId": kind,
            "PhysicalResourceId": physical,
            "ResourceType": kind,
            "LastUpdatedTimestamp": NOW,
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for kind, physical in (
            ("AWS::ECS::Cluster", CLUSTER),
            ("AWS::ECS::Service", "s"),
            ("AWS::RDS::DBInstance", "d"),
        )
    ]
    answers.add("ListStackResources", {"StackResourceSummaries": listed})
    definition = f"{ACCOUNT}:task-definition/catalogue-prod-api:7"
    service = {"serviceArn": "s", "taskDefinition": definition, "networkConfiguration": {}}
    answers.add("DescribeServices", {"services": [service]})
    own = {
        "name": "api",
        "image": "image:1",
        "secrets": [{"name": "SERVICE_TOKEN", "valueFrom": "x"}],
        "environment": [{"name": "PGHOST", "value": "x"}],
        "dependsOn": [{"containerName": "migrate", "condition": "SUCCESS"}],
    }
    described = {
        "family": "catalogue-prod-api",
        "containerDefinitions": [{"name": "migrate"}, own],
        "taskRoleArn": "arn:aws:iam::111122223333:role/api",
        "executionRoleArn": "arn:aws:iam::111122223333:role/execution",
    }
    answers.add("DescribeTaskDefinition", {"taskDefinition": described})
    answers.add("RegisterTaskDefinition", {"taskDefinition": {"taskDefinitionArn": "own:1"}})
    answers.add("RunTask", {"tasks": [{"taskArn": TASK}]})
    answers.add("DescribeTasks", {"tasks": []})  # ECS may take a moment to know of what it has just started
    answers.add("DescribeTasks", *({"tasks": [{"taskArn": TASK, "containers": [], **task}]} for task in tasks))
    answers.add("StopTask", {})
    answers.add("DeregisterTaskDefinition", {})
    answers.add("DescribeDBInstances", {"DBInstances": [{"Endpoint": {"Address": HOST, "Port": 5432}}]})
    answers.add("StartSession", {"SessionId": "s-1", "StreamUrl": "wss://stream.example", "TokenValue": "a-test-token"})


def runs(*, agent: str) -> dict[str, Any]:
    """Return what ECS says of a task that runs, and of ECS Exec's agent in it."""
    managed = {"name": "ExecuteCommandAgent", "lastStatus": agent}
    container = {"name": "api", "runtimeId": TARGET.rpartition("_")[2], "managedAgents": [managed]}
    return {"lastStatus": "RUNNING", "containers": [container]}


def test_where_the_tasks_let_nobody_in_a_tunnel_has_one_of_its_own_which_is_gone_afterwards(
    answers: Answers, plugin: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prod_lets_nobody_in(answers, {"lastStatus": "PENDING"}, runs(agent="PENDING"), runs(agent="RUNNING"))

    assert main(["tunnel", "--env", "prod", "-L", "6000:db:5432"]) == 5

    said = capsys.readouterr().out
    assert "The tasks of api let nobody in, so one is started for this alone" in said
    assert f"127.0.0.1:6000 is {HOST}:5432, until Ctrl-C." in said
    (registered,) = answers.asked("RegisterTaskDefinition")
    assert registered["taskRoleArn"] == "arn:aws:iam::111122223333:role/tunnel"
    (held,) = registered["containerDefinitions"]
    assert held["entryPoint"] + held["command"] == ["sleep", "14400"]
    assert not {"secrets", "environment", "dependsOn"} & held.keys()
    (started,) = answers.asked("RunTask")
    assert started["enableExecuteCommand"]
    assert [one["task"] for one in answers.asked("StopTask")] == [TASK]
    assert [one["taskDefinition"] for one in answers.asked("DeregisterTaskDefinition")] == ["own:1"]


def test_a_tunnels_task_that_ends_by_itself_is_a_sentence_and_leaves_nothing(
    answers: Answers, plugin: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prod_lets_nobody_in(answers, {"lastStatus": "STOPPED", "stoppedReason": "CannotPullContainerError"})

    assert main(["tunnel", "--env", "prod"]) == 1

    assert "the task that was started for it ended: CannotPullContainerError" in capsys.readouterr().err
    assert answers.asked("StopTask")
    assert answers.asked("DeregisterTaskDefinition")
    assert not plugin.exists()


@pytest.fixture
def signals() -> Iterator[None]:
    """What signals do is afterwards as it was."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def tunnel_into_prod(monkeypatch: pytest.MonkeyPatch) -> int:
    """Run `tunnel` as somebody's shell does; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["operations", "tunnel", "--env", "prod", "-L", "6000:db:5432"])
    monkeypatch.delitem(sys.modules, "infra.operations.__main__")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("infra.operations", run_name="__main__", alter_sys=False)
    return int(ended.value.code or 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_ends_a_tunnel_stops_the_task_that_it_started(
    answers: Answers, plugin: Path, signals: None, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    prod_lets_nobody_in(answers, runs(agent="RUNNING"))
    # A terminal's Ctrl-C goes to both.
    (plugin.parent / "session-manager-plugin").write_text(
        f"#!{sys.executable}\nimport os, time\n"
        f"for one in (os.getppid(), os.getpid()): os.kill(one, {int(number)})\ntime.sleep(20)\n"
    )

    assert tunnel_into_prod(monkeypatch) in (130, -number)

    assert [one["task"] for one in answers.asked("StopTask")] == [TASK]
    assert [one["taskDefinition"] for one in answers.asked("DeregisterTaskDefinition")] == ["own:1"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("during", ["RunTask", "DescribeTasks", "StopTask", "DeregisterTaskDefinition"])
def test_an_end_while_ecs_is_asked_leaves_nothing(
    answers: Answers,
    plugin: Path,
    signals: None,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    during: str,
) -> None:
    prod_lets_nobody_in(answers, runs(agent="RUNNING"))
    take, over = answers.take, threading.Event()
    threading.Thread(target=over.wait, daemon=True).start()  # the kernel may give the signal to any thread

    def take_and_end(params: dict[str, Any], model: Any, **others: Any) -> None:
        take(params, model, **others)
        if model.name == during:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(answers, "take", take_and_end)

    assert tunnel_into_prod(monkeypatch) == 130

    over.set()
    assert [one["task"] for one in answers.asked("StopTask")] == [TASK]
    assert [one["taskDefinition"] for one in answers.asked("DeregisterTaskDefinition")] == ["own:1"]


def test_a_task_that_cannot_be_stopped_is_told_with_how_to(
    answers: Answers, plugin: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.add("StopTask", ("ExpiredTokenException", "The security token included in the request is expired"))
    prod_lets_nobody_in(answers, runs(agent="RUNNING"))

    assert main(["tunnel", "--env", "prod"]) == 1

    said = capsys.readouterr().err
    assert "still runs: the AWS credentials have expired: sign in again" in said
    assert f"aws ecs stop-task --region us-east-1 --cluster {CLUSTER} --task {TASK.rpartition('/')[2]}" in said


def test_no_task_that_runs_is_a_sentence(
    aws: dict[str, Stubber], plugin: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expect_stack(aws)
    expect_service(aws, enableExecuteCommand=True)
    expect_task(aws, lastStatus="PENDING")
    assert main(["exec", "api"]) == 1
    assert "no task of api runs" in capsys.readouterr().err
    assert not plugin.exists()


@pytest.mark.parametrize("way", ["db", "5433:db", "0:db:5432", "5433:db:99999", "a:db:1", "5433::5432"])
def test_a_way_that_is_none_is_a_sentence(
    aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str], way: str
) -> None:
    assert main(["tunnel", "-L", way]) == 1
    assert f"-L {way}: not PORT:HOST:PORT" in capsys.readouterr().err


@pytest.mark.parametrize(("state", "code"), [("available", 0), ("failed", 1)])
def test_a_backup_is_waited_for_and_says_how_it_is_used(
    aws: dict[str, Stubber],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    state: str,
    code: int,
) -> None:
    monkeypatch.setattr(backup, "_PAUSE_SECONDS", 0)
    expect_stack(aws, ("AWS::RDS::DBInstance", STACK))
    asked = {"DBSnapshotIdentifier": ANY, "DBInstanceIdentifier": STACK, "Tags": ANY}
    aws["rds"].add_response("create_db_snapshot", {}, asked)
    for snapshot in ({"Status": "creating", "PercentProgress": 40}, {"Status": state}):
        aws["rds"].add_response("describe_db_snapshots", {"DBSnapshots": [snapshot]}, {"DBSnapshotIdentifier": ANY})

    assert main(["backup"]) == code
    printed = capsys.readouterr()
    assert "  40 %" in printed.out
    if state == "available":
        assert f"An environment whose database.snapshot_identifier is {STACK}-" in printed.out
    else:
        assert "is failed: RDS's events say why" in printed.err


def test_the_public_url_is_opened_and_printed(
    aws: dict[str, Stubber], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    for _ in range(2):
        stack = {
            "StackName": STACK,
            "CreationTime": datetime.now(UTC),
            "StackStatus": "CREATE_COMPLETE",
            "Outputs": [{"OutputKey": "PublicUrl", "OutputValue": "https://d1.cloudfront.net"}],
        }
        aws["cloudformation"].add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK})

    assert main(["open", "docs"]) == 0
    assert capsys.readouterr().out == "https://d1.cloudfront.net/docs\n"
    assert main(["open", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"url": "https://d1.cloudfront.net/"}
    assert opened == ["https://d1.cloudfront.net/docs"]
