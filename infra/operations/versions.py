"""The task definitions of a stack: CloudFormation leaves earlier ones, so that `rollback` can start them again."""

from typing import Any

import boto3

from infra.plan import Plan


def family(stack_name: str, service: str) -> str:
    """Return the family of the task definitions of a service (infra/constructs/tasks.py)."""
    return f"{stack_name}-{service}"


def deregister(session: boto3.Session, plan: Plan) -> int:
    """Deregister what a stack that is gone has left, by the services of the compose file; return how many there were.

    Raises:
        BotoCoreError, ClientError: AWS refused.
    """
    ecs: Any = session.client("ecs")
    found = []
    for named in (family(plan.stack_name, service) for service in plan.tasks):
        for page in ecs.get_paginator("list_task_definitions").paginate(familyPrefix=named):
            # Its document calls the prefix the whole family; it need not stay so.
            found += [arn for arn in page["taskDefinitionArns"] if arn.rpartition(":")[0].endswith(f"/{named}")]
    for arn in found:
        ecs.deregister_task_definition(taskDefinition=arn)
    return len(found)
