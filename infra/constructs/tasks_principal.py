"""ECS as the one who takes a task's role, for tasks of this account and region alone."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct


def tasks_principal(scope: Construct) -> iam.PrincipalBase:
    """Return the principal (Amazon ECS Developer Guide, "Amazon ECS task IAM role", of the confused deputy).

    That of a cluster alone is not supported there. The execution role has no such condition in AWS's guide, and none
    here: whoever made another's task take it would get an image and the names of secrets, in this account.
    """
    stack = Stack.of(scope)
    tasks = stack.format_arn(service="ecs", resource="*", arn_format=ArnFormat.NO_RESOURCE_NAME)
    conditions = {"StringEquals": {"aws:SourceAccount": stack.account}, "ArnLike": {"aws:SourceArn": tasks}}
    return iam.PrincipalWithConditions(iam.ServicePrincipal("ecs-tasks.amazonaws.com"), conditions)
