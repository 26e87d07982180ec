"""What a task may do that is started for `tunnel` alone, where the application's own tasks let nobody in."""

from aws_cdk import CfnOutput
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs.tasks_principal import tasks_principal
from infra.plan.outputs import TUNNEL_ROLE

# What ECS Exec asks of a task's role (Amazon ECS Developer Guide, "Task role permissions for ECS Exec").
_SESSIONS = [f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")]


def tunnel_role(scope: Construct) -> iam.Role:
    """Make the role, and tell operators of it: sessions, and nothing else. It costs nothing, and no task has it."""
    role = iam.Role(
        scope,
        "TunnelRole",
        assumed_by=tasks_principal(scope),
        description="Tasks that `tunnel` starts, for as long as it runs",
    )
    role.add_to_policy(iam.PolicyStatement(actions=_SESSIONS, resources=["*"]))
    CfnOutput(scope, TUNNEL_ROLE, value=role.role_arn, description="For the tasks that `tunnel` starts")
    return role
