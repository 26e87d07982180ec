"""Tasks that run by the clock: when, how, with what rights, and who learns of a run that failed."""

import json

import pytest

from tests.infra.conftest import Resource, Template, Workspace, settings
from tests.infra.test_dependencies import Graph

OPEN = {"mode": "cloudfront", "open_to_the_internet": True}

COMPOSE = """
name: shop
services:
  db:
    image: postgres:18
    environment: {POSTGRES_DB: shop, POSTGRES_USER: shop_owner, POSTGRES_PASSWORD: local-only}
    x-aws: {rds: {variables: {DATABASE_URL: url}}}
  migrate:
    image: example/shop:1
    command: [migrate]
    environment: &database {DATABASE_URL: "postgresql://shop_owner:local-only@db:5432/shop"}
    depends_on: [db]
  web:
    image: example/shop:1
    ports: ["8080"]
    environment: *database
    depends_on: {migrate: {condition: service_completed_successfully}}
    deploy: &small {resources: {limits: {cpus: "0.25", memory: 256M}}}
    x-aws: {public: {paths: [/*], health_path: /}}
  report:
    image: example/shop:1
    command: [report]
    restart: on-failure:2
    environment: *database
    volumes: [reports:/srv/reports]
    depends_on: {migrate: {condition: service_completed_successfully}, web: {condition: service_started}}
    deploy: *small
    x-aws:
      egress: [587]
      schedule: {expression: "cron(30 3 ? * MON-FRI *)", time_zone: America/Sao_Paulo, timeout: 2h}
  tidy:
    image: example/shop:1
    command: [tidy]
    deploy: *small
    x-aws: {schedule: {expression: rate(5 minutes), overlap: true}}
volumes: {reports: {}}
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The stack of the environment prod."""
    workspace = Workspace(tmp_path_factory.mktemp("shop"))
    workspace.compose_file.write_text(COMPOSE)
    return workspace.template("prod", settings("prod", public_url=OPEN))


def machine(template: Template, service: str) -> Resource:
    """Return the states of a task's runs, with {place} for what is only known on AWS."""
    parts = template.resources("StepFunctions::StateMachine")[f"{service}/Runs"]["Properties"]["DefinitionString"]
    texts = [part if isinstance(part, str) else f"{{{_shown(template, part)}}}" for part in parts["Fn::Join"][1]]
    states: Resource = json.loads("".join(texts))
    return states


def _shown(template: Template, part: Resource) -> str:
    return part["Ref"] if str(part.get("Ref", "")).startswith("AWS::") else template.place(part)


def test_it_is_no_service_but_a_task_that_runs_by_the_clock(template: Template) -> None:
    schedule = template.resources("Scheduler::Schedule")["report/Schedule"]["Properties"]

    assert template.resources("ECS::Service").keys() == {"web"}
    assert schedule["ScheduleExpression"] == "cron(30 3 ? * MON-FRI *)"
    assert schedule["ScheduleExpressionTimezone"] == "America/Sao_Paulo"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["State"] == "ENABLED"
    assert template.place(schedule["Target"]["Arn"]) == "report/Runs"
    assert schedule["Target"]["RetryPolicy"] == {"MaximumRetryAttempts": 5, "MaximumEventAgeInSeconds": 3600}


def test_its_task_has_what_must_succeed_before_it_and_the_variables_that_it_would_have_as_a_service(
    template: Template,
) -> None:
    assert [container["Name"] for container in template.task("report")["ContainerDefinitions"]] == ["migrate", "report"]
    assert template.container("report")["DependsOn"] == [{"ContainerName": "migrate", "Condition": "SUCCESS"}]
    assert template.secrets("report").keys() == {"DATABASE_URL"}


def test_a_run_is_this_version_of_the_task_on_fargate_itself(template: Template) -> None:
    run = machine(template, "report")["States"]["Run"]

    assert run["Resource"] == "arn:{AWS::Partition}:states:::ecs:runTask.sync"
    assert run["Parameters"]["TaskDefinition"] == "{report/Tasks}"
    assert run["Parameters"]["LaunchType"] == "FARGATE"
    assert run["Parameters"]["NetworkConfiguration"]["AwsvpcConfiguration"] == {
        "AssignPublicIp": "DISABLED",
        "SecurityGroups": ["{report/SecurityGroup}"],
        "Subnets": ["{Network/Vpc/tasksSubnet1/Subnet}", "{Network/Vpc/tasksSubnet2/Subnet}"],
    }


def test_a_run_is_left_out_while_the_one_before_goes_on_unless_it_is_said_that_they_may_overlap(
    template: Template,
) -> None:
    states = machine(template, "report")
    look = states["States"][states["StartAt"]]
    decide = states["States"][look["Next"]]

    assert look["Resource"].endswith(":aws-sdk:ecs:listTasks")
    assert look["Parameters"] == {"Cluster": "{Cluster}", "Family": "shop-prod-report", "DesiredStatus": "RUNNING"}
    assert template.task("report")["Family"] == "shop-prod-report"
    assert [(choice["Variable"], choice["IsPresent"]) for choice in decide["Choices"]] == [("$.TaskArns[0]", True)]
    assert states["States"][decide["Choices"][0]["Next"]]["Type"] == "Succeed"
    assert decide["Default"] == "Run"
    assert machine(template, "tidy")["StartAt"] == "Run"


def test_a_failure_is_repeated_as_restart_says_and_a_start_that_ecs_refused_in_any_case(template: Template) -> None:
    def retries(service: str) -> dict[str, int]:
        run = machine(template, service)["States"]["Run"]
        return {retry["ErrorEquals"][0]: retry["MaxAttempts"] for retry in run["Retry"]}

    assert retries("report") == {"ECS.AmazonECSException": 3, "States.TaskFailed": 2}
    assert retries("tidy") == {"ECS.AmazonECSException": 3}


def test_a_run_that_takes_too_long_is_stopped_and_has_failed(template: Template) -> None:
    states = machine(template, "report")["States"]
    (caught,) = states["Run"]["Catch"]
    late = states[caught["Next"]]
    stop = states[late["Next"]]

    assert (states["Run"]["TimeoutSeconds"], caught["ErrorEquals"]) == (7200, ["States.Timeout"])
    assert late["Parameters"]["StartedBy.$"] == states["Run"]["Parameters"]["StartedBy.$"] == "$$.Execution.Name"
    assert stop["ItemProcessor"]["States"]["StopTask"]["Resource"].endswith(":aws-sdk:ecs:stopTask")
    assert states[stop["Next"]]["Type"] == "Fail"
    assert machine(template, "tidy")["States"]["Run"]["TimeoutSeconds"] == 12 * 3600


def test_the_roles_may_begin_this_and_nothing_else(template: Template) -> None:
    policies = template.resources("IAM::Policy")
    runs = policies["report/Runs/Role/DefaultPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (starts,) = policies["report/SchedulerRole/DefaultPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    by_action = {str(statement["Action"]): statement for statement in runs}
    cluster = {"ArnEquals": {"ecs:cluster": {"Fn::GetAtt": [template.logical("Cluster"), "Arn"]}}}

    assert starts["Action"] == "states:StartExecution"
    assert template.place(starts["Resource"]) == "report/Runs"
    assert template.place(by_action["ecs:RunTask"]["Resource"]) == "report/Tasks"
    assert by_action["ecs:RunTask"]["Condition"] == cluster
    assert {template.place(role) for role in by_action["iam:PassRole"]["Resource"]} == {
        "report/Tasks/ExecutionRole",
        "report/Tasks/TaskRole",
    }
    assert all(statement["Condition"] == cluster for statement in runs if statement["Resource"] == "*")


def test_it_reaches_the_database_its_volume_and_its_egress_and_no_other_service(template: Template) -> None:
    assert {flow[1:] for flow in template.reachable() if flow[0] == "report"} == {
        ("0.0.0.0/0", 443),
        ("0.0.0.0/0", 587),
        ("Database", 5432),
        ("Volumes", 2049),
    }
    assert not any(flow[1] == "report" for flow in template.reachable())


def test_it_runs_when_all_that_it_needs_is_there_and_not_longer(template: Template) -> None:
    graph = Graph(template)
    before = graph.before(template.logical("report/Schedule"))
    rules = {
        name
        for name, rule in graph.of("EC2::SecurityGroupIngress", "EC2::SecurityGroupEgress").items()
        if template.logical("report/SecurityGroup") in graph.named_in(rule)
    }
    roles = {"report/Runs/Role", "report/SchedulerRole", "report/Tasks/TaskRole", "report/Tasks/ExecutionRole"}

    assert len(rules) == 4
    assert rules <= before
    assert {template.logical(f"{role}/DefaultPolicy") for role in roles} <= before
    assert graph.of("EFS::MountTarget").keys() <= before
    assert graph.of("EC2::Route").keys() & before


def test_a_run_that_failed_sets_off_an_alarm_and_the_stack_says_where_all_are_listed(template: Template) -> None:
    alarm = template.resources("CloudWatch::Alarm")["report/Alarms/RunFailed"]["Properties"]
    metrics = {metric["MetricStat"]["Metric"]["MetricName"] for metric in alarm["Metrics"] if "MetricStat" in metric}
    outputs = [output for output in template.body["Outputs"].values() if "list-executions" in output["Description"]]

    assert metrics == {"ExecutionsFailed", "ExecutionsAborted"}
    assert alarm["AlarmName"] == "shop-prod-report-RunFailed"
    assert {template.place(output["Value"]) for output in outputs} == {"report/Runs", "tidy/Runs"}
