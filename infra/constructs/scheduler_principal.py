"""EventBridge Scheduler as the one who takes a role, for schedules of this account alone."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam


def scheduler_principal() -> iam.IPrincipal:
    """Return the principal (EventBridge Scheduler User Guide, "Prevent confused deputy")."""
    conditions = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    return iam.ServicePrincipal("scheduler.amazonaws.com", conditions=conditions)
