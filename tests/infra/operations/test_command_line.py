"""The operators' command line: what it says of what is there, and one sentence where it cannot; AWS's model checks."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from infra.compose.lines import line_of
from infra.operations import pulled_images, verify
from infra.operations.__main__ import VERBS, main
from infra.operations.deployment import Deployment, sentence
from infra.operations.logs import duration
from infra.plan import assemble
from infra.plan.records import failure_log_group_name
from testkit.tools import ROOT
from tests.infra.operations.conftest import Answers, stub_clients

STACK, CLUSTER = "catalogue-dev", "the-cluster"
ACCOUNT = "arn:aws:ecs:us-east-1:111122223333"
NAMES = ("cloudformation", "ecs", "logs", "elbv2", "rds", "cloudwatch", "cognito-idp")
NOW = datetime.now(UTC)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> dict[str, Stubber]:
    """Stubs of the clients."""
    return stub_clients(monkeypatch, *NAMES)


def expect_stack(aws: dict[str, Stubber], *resources: tuple[str, str]) -> None:
    """Have CloudFormation know the stack, with a cluster, the services and these resources."""
    stack = {"StackName": STACK, "CreationTime": NOW, "StackStatus": "CREATE_COMPLETE"}
    aws["cloudformation"].add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK})
    listed = [
        {
            "LogicalResourceId": f"R{number}",
            "PhysicalResourceId": physical,
            "ResourceType": kind,
            "LastUpdatedTimestamp": NOW,
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for number, (kind, physical) in enumerate(
            [("AWS::ECS::Cluster", CLUSTER), ("AWS::ECS::Service", f"{ACCOUNT}:service/{CLUSTER}/x"), *resources]
        )
    ]
    answer = {"StackResourceSummaries": listed}
    aws["cloudformation"].add_response("list_stack_resources", answer, {"StackName": STACK})


def expect_service(aws: dict[str, Stubber], **changes: Any) -> None:
    """Have ECS know the service `api`."""
    service = {
        "serviceArn": f"{ACCOUNT}:service/{CLUSTER}/x",
        "serviceName": "x",
        "taskDefinition": f"{ACCOUNT}:task-definition/{STACK}-api:7",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        **changes,
    }
    asked = {"cluster": CLUSTER, "services": [service["serviceArn"]]}
    aws["ecs"].add_response("describe_services", {"services": [service]}, asked)


def refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeServices")


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("verify", "deploy")])  # which are for before
def test_a_stack_that_is_not_there_is_a_sentence(
    aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    aws["cloudformation"].add_client_error("describe_stacks", "ValidationError", f"Stack {STACK} does not exist")
    needed = {"trace": ["api"], "run": ["api", "--", "true"], "scale": ["api", "1"], "exec": ["api"]}

    assert main([verb, *needed.get(verb, [])]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"{verb}: there is no stack {STACK} in us-east-1: make deploy ENV=dev makes it")


@pytest.mark.parametrize("verb", VERBS)
def test_without_credentials_there_is_a_sentence(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    needed = {"trace": ["api"], "run": ["api", "--", "true"], "scale": ["api", "1"], "exec": ["api"]}

    assert main([verb, *needed.get(verb, [])]) == 1
    assert f"{verb}: there are no AWS credentials" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        (
            "AccessDeniedException",
            "User: arn:aws:iam::111122223333:user/ana is not authorized to perform: ecs:DescribeServices on resource: "
            "arn:aws:ecs:us-east-1:111122223333:service/a/b because no identity-based policy allows the action",
            "these credentials lack the permission ecs:DescribeServices for "
            "arn:aws:ecs:us-east-1:111122223333:service/a/b",
        ),
        ("UnauthorizedOperation", "You are not authorized.", "these credentials may not do DescribeServices"),
        ("ExpiredTokenException", "The security token included in the request is expired", "have expired: sign in"),
        ("UnrecognizedClientException", "The security token is invalid", "AWS does not know these credentials"),
        ("ThrottlingException", "Rate exceeded", "AWS refused DescribeServices: Rate exceeded"),
    ],
)
def test_what_aws_refuses_says_what_to_do(code: str, message: str, said: str) -> None:
    assert said in sentence(refused(code, message))


def test_a_service_that_is_not_there_names_those_that_are(
    aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    expect_stack(aws)
    expect_service(aws)

    assert main(["restart", "nope"]) == 1
    assert "there is no service nope; there are api" in capsys.readouterr().err


def test_a_failure_of_last_night_is_known_though_ecs_has_forgotten_its_task(
    aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    expect_stack(aws)
    expect_service(aws)
    night = NOW - timedelta(hours=9)
    detail = {
        "taskArn": f"{ACCOUNT}:task/{CLUSTER}/abc123",
        "taskDefinitionArn": f"{ACCOUNT}:task-definition/{STACK}-api:7",
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "createdAt": night.isoformat(),
        "stoppedAt": night.isoformat().replace("+00:00", "Z"),
        "containers": [
            {
                "name": "api",
                "exitCode": 137,
                "reason": "OutOfMemoryError: killed",
                "image": "registry/cdk-assets:0123456789abcdef",
            },
            {"name": "migrate", "exitCode": 0},
        ],
    }
    replaced = {**detail, "taskArn": f"{ACCOUNT}:task/{CLUSTER}/old", "stopCode": "ServiceSchedulerInitiated"}
    events = [{"timestamp": 1, "message": json.dumps({"detail": one})} for one in (detail, replaced)]
    group = {"logGroupName": f"/aws/events/{STACK}/failures", "startTime": ANY}
    aws["logs"].add_response("filter_log_events", {"events": events}, group)
    asked = {"cluster": CLUSTER, "desiredStatus": "STOPPED"}
    aws["ecs"].add_response("list_tasks", {"taskArns": []}, asked)
    stream = {"logGroupName": f"/{STACK}/api", "logStreamName": "api/api/abc123", "limit": 5, "startFromHead": False}
    aws["logs"].add_response("get_log_events", {"events": [{"timestamp": 1, "message": "its last words\n"}]}, stream)

    assert main(["failures", "api"]) == 0
    said = capsys.readouterr().out
    assert "api, 9 h ago" in said
    assert "task abc123   image 0123456789ab" in said
    assert "api exited with code 137: OutOfMemoryError: killed" in said
    assert "    its last words" in said
    line = line_of(ROOT / "docker-compose.yml", "api", "deploy.resources.limits.memory")
    assert f"→ docker-compose.yml:{line}: deploy.resources.limits.memory: It used more memory" in said
    assert "migrate" not in said
    assert "old" not in said


def test_a_command_that_its_caller_leaves_is_stopped_and_leaves_no_task_definition(
    aws: dict[str, Stubber], monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_stack(aws)
    expect_service(aws)
    logs = {
        "logDriver": "awslogs",
        "options": {"awslogs-group": f"/{STACK}/api", "awslogs-stream-prefix": "api"},
    }
    kept = {"name": "api", "image": "api:1", "logConfiguration": logs}
    container = {**kept, "healthCheck": {"command": ["true"]}, "dependsOn": []}
    definition = {"family": f"{STACK}-api", "containerDefinitions": [container], "cpu": "256"}
    current, own = f"{ACCOUNT}:task-definition/{STACK}-api:7", f"{ACCOUNT}:task-definition/{STACK}-api-run:1"
    task = f"{ACCOUNT}:task/{CLUSTER}/abc"
    ecs = aws["ecs"]
    ecs.add_response("describe_task_definition", {"taskDefinition": definition}, {"taskDefinition": current})
    registered = {
        "family": f"{STACK}-api-run",
        "containerDefinitions": [{**kept, "essential": True, "command": ["sleep", "60"]}],
        "cpu": "256",
    }
    ecs.add_response("register_task_definition", {"taskDefinition": {"taskDefinitionArn": own}}, registered)
    ecs.add_response("run_task", {"tasks": [{"taskArn": task}]})
    ecs.add_response("describe_tasks", {"tasks": [{"taskArn": task, "lastStatus": "RUNNING"}]})
    ecs.add_response("stop_task", {}, {"cluster": CLUSTER, "task": task, "reason": "its caller went away"})
    ecs.add_response("deregister_task_definition", {}, {"taskDefinition": own})
    aws["logs"].add_client_error("get_log_events", "ResourceNotFoundException")

    def leave(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", leave)
    assert main(["run", "api", "--", "sleep", "60"]) == 130
    ecs.assert_no_pending_responses()


@pytest.mark.parametrize(("asked", "code"), [("previous", 0), ("api:6", 0), ("api:9", 1), ("nope:1", 1)])
def test_services_go_back_to_a_version_that_is_there(
    aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str], asked: str, code: int
) -> None:
    expect_stack(aws)
    expect_service(aws)
    arns = [f"{ACCOUNT}:task-definition/{STACK}-api:{revision}" for revision in (7, 6)]
    aws["ecs"].add_response("list_task_definitions", {"taskDefinitionArns": arns})
    for arn, revision in zip(arns, (7, 6), strict=True):
        definition = {
            "family": f"{STACK}-api",
            "revision": revision,
            "registeredAt": NOW,
            "containerDefinitions": [{"name": "api", "image": f"registry/cdk-assets:{revision}"}],
        }
        aws["ecs"].add_response("describe_task_definition", {"taskDefinition": definition}, {"taskDefinition": arn})
    if not code:
        expected = {"cluster": CLUSTER, "service": f"{ACCOUNT}:service/{CLUSTER}/x", "taskDefinition": arns[1]}
        aws["ecs"].add_response("update_service", {}, expected)

    assert main(["rollback", asked]) == code
    said = capsys.readouterr()
    assert ("api goes back to api:6" in said.out) if not code else (f"there is no version {asked}" in said.err)
    aws["ecs"].assert_no_pending_responses()


def test_a_service_is_not_scaled_beyond_what_the_database_takes(
    aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    expect_stack(aws)
    expect_service(aws)

    assert main(["scale", "api", "9"]) == 1
    assert "api may run 0 to 2 tasks: services.max_tasks in cdk.json" in capsys.readouterr().err


def test_every_key_that_a_failure_points_to_is_one_of_the_compose_file() -> None:
    known = (ROOT / "docs/compose-keys.md").read_text(encoding="utf-8")
    from infra.operations.stopped_tasks import _RULES

    for _, key, _ in _RULES:
        assert key.endswith("(cdk.json)") or key.split(".")[-1] in known, key


def test_the_line_of_a_key_is_that_of_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services:\n  web:\n    image: a\n    deploy:\n      resources: {}\n")

    assert line_of(file, "web", "image") == 3
    assert line_of(file, "web", "deploy.resources.limits.memory") == 5
    assert line_of(file, "web", "healthcheck") == 2
    assert line_of(file, "other", "image") == 1
    assert line_of(tmp_path / "none", "web", "image") == 1


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200), ("7d", 604800)])
def test_a_time_span_is_read(text: str, seconds: int) -> None:
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "10", "1w", "-1m", "9999999s", "m"])
def test_what_is_no_time_span_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["logs", f"--since={text}"])
    assert "say it as 30s, 10m, 2h or 7d" in capsys.readouterr().err


def test_the_records_are_where_the_command_line_looks(dev: Any) -> None:
    (group,) = [
        one["Properties"]["LogGroupName"]
        for place, one in dev.resources("Logs::LogGroup").items()
        if place == "FailureRecords/Logs"
    ]
    assert group == failure_log_group_name(STACK)


def test_a_deployment_that_would_fail_is_told_all_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    aws = stub_clients(monkeypatch, "sts", "ssm", "iam", "secretsmanager", "service-quotas")
    monkeypatch.setenv("PATH", str(tmp_path))  # no docker
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    aws["sts"].add_response("get_caller_identity", {"Arn": "arn:aws:iam::111122223333:user/ana"})
    aws["ssm"].add_client_error("get_parameter", "ParameterNotFound")
    aws["iam"].add_client_error("get_role", "NoSuchEntity")
    for _ in range(3):
        aws["iam"].add_client_error("get_role", "AccessDenied", "not authorized to perform: iam:GetRole on resource: x")
    aws["service-quotas"].add_response("get_service_quota", {"Quota": {"Value": 1.0}})

    assert main(["verify"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "✓ credentials of arn:aws:iam::111122223333:user/ana",
        "✓ region us-east-1",
        "✗ CDK has not been here: make bootstrap, once for each account and region",
        "? roles: these credentials lack the permission iam:GetRole for x",
        "✗ the services may need 4 vCPUs at a time, and this account may run 1 of FARGATE_SPOT: ask for more in "
        "Service Quotas, or lower services.max_tasks",
        "✗ there is no docker in PATH, which builds the images",
    ]


IN_ECR = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/cache:7"


def pulling(folder: Path, image: str) -> Deployment:
    """Return a deployment of this project with a service more, whose image is pulled."""
    compose = folder / "compose.yaml"
    limits = "{resources: {limits: {cpus: '0.25', memory: 128M}}}"
    more = f"\nservices:\n  cache:\n    image: {image}\n    deploy: {limits}\n"
    compose.write_text((ROOT / "docker-compose.yml").read_text().replace("\nservices:\n", more, 1))
    (folder / "app").mkdir()
    (folder / "app/Dockerfile").write_text((ROOT / "app/Dockerfile").read_text())
    environments = json.loads((ROOT / "cdk.json").read_text())["context"]["environments"]
    return Deployment(boto3.Session(region_name="us-east-1"), assemble(compose, "dev", environments))


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"imageDetails": [{}]}, ("good", f"image {IN_ECR}")),
        (("ImageNotFoundException", "no"), ("bad", f"there is no image {IN_ECR}")),
        (("RepositoryNotFoundException", "no"), ("bad", f"there is no image {IN_ECR}")),
        (
            ("AccessDeniedException", "not authorized to perform: ecr:DescribeImages on resource: x"),
            ("unknown", f"image {IN_ECR}: these credentials lack the permission ecr:DescribeImages for x"),
        ),
    ],
)
def test_an_image_in_ecr_that_is_pulled_is_looked_for(
    answers: Answers, tmp_path: Path, answer: Any, found: tuple[str, str]
) -> None:
    answers.add("DescribeImages", answer)

    assert list(pulled_images.look(pulling(tmp_path, IN_ECR))) == [found]
    (asked,) = answers.asked("DescribeImages")
    assert asked == {"registryId": "111122223333", "repositoryName": "cache", "imageIds": [{"imageTag": "7"}]}


@pytest.mark.parametrize(
    ("said", "code", "found"),
    [
        ('{"manifests": [{"platform": {"architecture": "amd64"}}]}', 0, ("good", "image cache:7")),
        ('{"config": {}}', 0, ("good", "image cache:7")),
        (
            '{"manifests": [{"platform": {"architecture": "arm64"}}, {"platform": {"architecture": "unknown"}}]}',
            0,
            ("bad", "image cache:7 is for arm64, and architecture in cdk.json is x86_64"),
        ),
        ("no such manifest: cache:7", 1, ("bad", "image cache:7: no such manifest: cache:7")),
        ("unauthorized: sign in", 1, ("unknown", "image cache:7: unauthorized: sign in")),
        ("", 1, ("unknown", "image cache:7: its registry says nothing")),
    ],
)
def test_an_image_in_another_registry_is_asked_for_as_the_engine_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, code: int, found: tuple[str, str]
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(
        f"#!/bin/sh\ntest \"$*\" = 'manifest inspect cache:7' || exit 9\necho '{said}' >&{code + 1}\nexit {code}\n"
    )
    docker.chmod(0o755)
    deployment = pulling(tmp_path, "cache:7")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    assert list(pulled_images.look(deployment)) == [found]


def test_a_secret_that_the_compose_file_counts_on_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compose = tmp_path / "compose.yaml"
    compose.write_text(
        (ROOT / "docker-compose.yml")
        .read_text()
        .replace(
            "        SERVICE_TOKEN: service-token # made",
            "        OPENAI_API_KEY: {existing: openai}\n        SERVICE_TOKEN: service-token # made",
        )
    )
    (tmp_path / "app").mkdir()
    (tmp_path / "app/Dockerfile").write_text((ROOT / "app/Dockerfile").read_text())
    environments = json.loads((ROOT / "cdk.json").read_text())["context"]["environments"]
    aws = stub_clients(monkeypatch, "secretsmanager")
    aws["secretsmanager"].add_client_error("describe_secret", "ResourceNotFoundException")
    deployment = Deployment(boto3.Session(region_name="us-east-1"), assemble(compose, "dev", environments))

    (found,) = verify._secrets(deployment)
    assert (found.state, found.said) == ("bad", "there is no secret openai: make secret NAME=openai")
