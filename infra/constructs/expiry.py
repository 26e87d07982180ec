"""The end of a stack by the clock: EventBridge Scheduler has CloudFormation delete it, whoever is still there."""

import datetime
import json

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.constructs.scheduler_principal import scheduler_principal
from infra.plan.preview import EXPIRES, EXPIRES_FORMAT


class Expiry(Construct):
    """Deletes the stack that it is in, at a time in UTC; each deployment says the time anew."""

    def __init__(self, scope: Construct, construct_id: str, *, at: datetime.datetime) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        stack.add_stack_tag(EXPIRES, f"{at:{EXPIRES_FORMAT}}")
        role = iam.Role(self, "Role", assumed_by=scheduler_principal())
        # CloudFormation goes on with the role that the stack was deployed with.
        itself = f"arn:{Aws.PARTITION}:cloudformation:{Aws.REGION}:{Aws.ACCOUNT_ID}:stack/{stack.stack_name}/*"
        role.add_to_policy(iam.PolicyStatement(actions=["cloudformation:DeleteStack"], resources=[itself]))
        made = scheduler.CfnSchedule(
            self,
            "Schedule",
            description=f"The end of {stack.stack_name}",
            schedule_expression=f"at({at:%Y-%m-%dT%H:%M:00})",
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=f"arn:{Aws.PARTITION}:scheduler:::aws-sdk:cloudformation:deleteStack",
                role_arn=role.role_arn,
                input=json.dumps({"StackName": stack.stack_name}),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=3),
            ),
        )
        made.node.add_dependency(role.node.find_child("DefaultPolicy"))
