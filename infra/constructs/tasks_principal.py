"""ECS as the one who takes a task's role, for tasks of this account and region alone."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct


def tasks_principal(scope: Construct) -> iam.PrincipalBase:
    """Return the principal (Amazon ECS Developer Guide, "Amazon ECS task IAM role", on the confused deputy).

    AWS takes no ARN of one cluster there. Its guide has no such condition for execution roles, so they have none.
    """
    stack = Stack.of(scope)
    tasks = stack.format_arn(service="ecs", resource="*", arn_format=ArnFormat.NO_RESOURCE_NAME)
    conditions = {"StringEquals": {"aws:SourceAccount": stack.account}, "ArnLike": {"aws:SourceArn": tasks}}
    return iam.ServicePrincipal("ecs-tasks.amazonaws.com", conditions=conditions)
