"""Log groups that are kept as long as the environment says and go with the stack."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct


def log_group(scope: Construct, construct_id: str, *, name: str, retention_days: int) -> logs.LogGroup:
    """Make a log group whose entries are deleted after `retention_days`."""
    group = logs.LogGroup(scope, construct_id, log_group_name=name, removal_policy=RemovalPolicy.DESTROY)
    # The enumeration has a name for each number; the number itself is the setting.
    cast("logs.CfnLogGroup", group.node.default_child).retention_in_days = retention_days
    return group
