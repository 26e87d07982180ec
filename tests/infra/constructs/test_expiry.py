"""A stack that ends by the clock, whoever is still there to remove it."""

import datetime
import json

from infra.plan.preview import with_preview
from tests.infra.conftest import CONTEXT, Template, Workspace


def test_a_schedule_of_its_own_deletes_the_stack_and_may_delete_no_other() -> None:
    import aws_cdk
    from aws_cdk.assertions import Template as Assertions

    from infra.constructs.expiry import Expiry

    app = aws_cdk.App(context=CONTEXT | {"aws:cdk:enable-path-metadata": True})
    stack = aws_cdk.Stack(app, "shop-pr-12")
    Expiry(stack, "Expiry", at=datetime.datetime(2026, 12, 1, 9, 30, tzinfo=datetime.UTC))
    template = Template(dict(Assertions.from_stack(stack).to_json()), False)

    schedule = template.only("Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "at(2026-12-01T09:30:00)"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert "scheduler:::aws-sdk:cloudformation:deleteStack" in str(schedule["Target"]["Arn"])
    assert json.loads(schedule["Target"]["Input"]) == {"StackName": "shop-pr-12"}
    (statement,) = template.only("IAM::Policy")["PolicyDocument"]["Statement"]
    assert statement["Action"] == "cloudformation:DeleteStack"
    assert ":stack/shop-pr-12/*" in str(statement["Resource"])
    (artifact,) = app.synth().stacks
    assert artifact.tags == {"expires": "2026-12-01T09:30Z"}


def test_a_preview_leaves_no_snapshot_and_another_environment_does(workspace: Workspace, dev: Template) -> None:
    context = CONTEXT | {"preview": CONTEXT["preview"] | {"enabled": True}}
    preview = workspace.template("pr-12", with_preview("pr-12", context)["pr-12"])

    def policy(template: Template) -> str:
        (instance,) = template.resources("RDS::DBInstance").values()
        return str(instance["DeletionPolicy"])

    assert policy(preview) == "Delete"
    assert policy(dev) == "Snapshot"
