"""An environment that sleeps: its tasks by their scaling, its database by a schedule that may do that alone."""

import json
from typing import Any

import pytest

from infra.cost.estimate import estimate
from infra.cost.prices import prices
from tests.infra.conftest import Template, Workspace, settings

HOURS = "22:30-06:00 Europe/Lisbon"


def test_no_task_runs_while_it_sleeps_and_as_many_as_before_when_it_wakes(workspace: Workspace) -> None:
    asleep = settings("prod", services={"asleep": HOURS})
    targets = workspace.template("prod", asleep).resources("ApplicationAutoScaling::ScalableTarget")

    assert {place.partition("/")[0] for place in targets} == {"api", "ui"}
    for target in targets.values():
        sleep, wake = target["Properties"]["ScheduledActions"]
        assert sleep["Schedule"] == "cron(30 22 * * ? *)"
        assert sleep["ScalableTargetAction"] == {"MinCapacity": 0, "MaxCapacity": 0}
        assert wake["Schedule"] == "cron(0 6 * * ? *)"
        bounds = ("MinCapacity", "MaxCapacity")
        assert wake["ScalableTargetAction"] == {bound: target["Properties"][bound] for bound in bounds}
        assert sleep["Timezone"] == wake["Timezone"] == "Europe/Lisbon"


def test_a_service_that_does_not_scale_sleeps_too_and_is_not_set_back_by_an_update(workspace: Workspace) -> None:
    workspace.replace("      autoscaling: {max_replicas: 4, cpu_percent: 60}\n", "")
    template = workspace.template("dev", settings("dev", services={"asleep": HOURS}))

    assert "ui/Service/TaskCount/Target" in template.resources("ApplicationAutoScaling::ScalableTarget")
    assert "DesiredCount" not in template.service("ui")
    policies = template.resources("ApplicationAutoScaling::ScalingPolicy")
    assert {place.partition("/")[0] for place in policies} == {"api"}


def test_the_database_stops_later_and_starts_earlier(workspace: Workspace) -> None:
    template = workspace.template("dev", settings("dev", services={"asleep": HOURS}))
    schedules = {place.rpartition("/")[2]: one["Properties"] for place, one in schedules_of(template).items()}

    for name, expression in (("Stop", "cron(40 22 * * ? *)"), ("Start", "cron(40 5 * * ? *)")):
        schedule = schedules[name]
        assert schedule["ScheduleExpression"] == expression
        assert schedule["ScheduleExpressionTimezone"] == "Europe/Lisbon"
        assert f"aws-sdk:rds:{name.lower()}DBInstance" in str(schedule["Target"]["Arn"])
        assert json.loads(schedule["Target"]["Input"]) == {"DbInstanceIdentifier": "catalogue-dev"}


def test_the_schedule_may_start_and_stop_this_database_and_nothing_else(dev: Template) -> None:
    policies = dev.resources("IAM::Policy")
    (statement,) = policies["Database/Asleep/Role/DefaultPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (trust,) = dev.resources("IAM::Role")["Database/Asleep/Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Action"] == ["rds:StartDBInstance", "rds:StopDBInstance"]
    assert ":db:catalogue-dev" in str(statement["Resource"])
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_without_hours_nothing_sleeps(workspace: Workspace, prod: Template) -> None:
    awake = workspace.template("dev", settings("dev", services={"asleep": None}))

    for template in (awake, prod):
        assert schedules_of(template) == {}
        for target in template.resources("ApplicationAutoScaling::ScalableTarget").values():
            assert "ScheduledActions" not in target["Properties"]


def test_it_costs_the_hours_awake(workspace: Workspace) -> None:
    always = workspace.template("dev", settings("dev", services={"asleep": None}))
    asleep = workspace.template("dev", settings("dev", services={"asleep": "20:00-08:00 UTC"}))
    whole, half = (estimate(template.body, prices("us-east-1")) for template in (always, asleep))
    tasks = sum(low for group, (low, _) in whole.by(lambda line: line.group).items() if "Containers" in group)

    # Tasks and their addresses for 12 hours of 24, the database's for 12 and a half.
    saved = 0.5 * (tasks + 7.30) + 730 * 0.032 * 11.5 / 24
    assert whole.minimum - half.minimum == pytest.approx(saved)
    assert half.asleep == whole.asleep < 22


def schedules_of(template: Template) -> dict[str, Any]:
    return template.resources("Scheduler::Schedule")
