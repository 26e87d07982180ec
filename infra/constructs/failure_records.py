"""What is kept of tasks that failed: ECS itself forgets a stopped task after an hour."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs.log_groups import log_group
from infra.plan.records import ENDED, TAKEN, failure_log_group_name


class FailureRecords(Construct):
    """A log group with the event of each task that ended by itself, was unhealthy, or was taken by Fargate Spot."""

    def __init__(self, scope: Construct, construct_id: str, *, cluster: ecs.ICluster, retention_days: int) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        name = failure_log_group_name(stack.stack_name)
        group = log_group(self, "Logs", name=name, retention_days=retention_days)
        # Without ":*", which `log_group_arn` ends with and a target's ARN must not.
        arn = stack.format_arn(
            service="logs", resource="log-group", resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        allowed = group.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[
                    iam.ServicePrincipal("events.amazonaws.com"),
                    iam.ServicePrincipal("delivery.logs.amazonaws.com"),
                ],
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[f"{arn}:*"],
            )
        )
        rule = events.CfnRule(
            self,
            "StoppedTasks",
            description=f"Tasks of {stack.stack_name} that failed, to {name}",
            event_pattern={
                "source": ["aws.ecs"],
                "detail-type": ["ECS Task State Change"],
                "detail": {
                    "clusterArn": [cluster.cluster_arn],
                    "lastStatus": ["STOPPED"],
                    "$or": [
                        {"stopCode": [*ENDED, *TAKEN]},
                        {"stoppedReason": [{"prefix": "Task failed"}]},
                    ],
                },
            },
            targets=[events.CfnRule.TargetProperty(id="Logs", arn=arn)],
        )
        rule.node.add_dependency(group)
        if allowed.policy_dependable:
            rule.node.add_dependency(allowed.policy_dependable)
