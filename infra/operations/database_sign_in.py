"""Who signs in to the database by IAM may do so at a restored one too: its id, which a policy names, is another.

The policy of the template has the id of the instance that CloudFormation made, and is not looked at again when that
is another one under the same name. So the roles get a policy of ours besides; `withdraw` is for the end of the stack,
since IAM deletes no role that has one.
"""

import json
from collections.abc import Iterator
from typing import Any

import boto3

from infra.operations import stacks
from infra.operations.deployment import Deployment

POLICY = "restored-database"


def allow(deployment: Deployment, instance: Any) -> list[str]:
    """Let the roles of all tasks that sign in by IAM do so at an instance; return their names."""
    iam, allowed = deployment.client("iam"), []
    for role, users in _roles(deployment):
        arns = [_arn(instance, user) for user in users]
        statement = {"Effect": "Allow", "Action": "rds-db:connect", "Resource": arns}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=role, PolicyName=POLICY, PolicyDocument=document)
        allowed.append(role)
    return allowed


def withdraw(session: boto3.Session, stack_name: str) -> list[str]:
    """Take the policy from the roles that a stack has left; return the names of those that had it."""
    iam, had = session.client("iam"), []
    for one in stacks.resources(session, stack_name):
        if one.type == "AWS::IAM::Role" and one.physical and one.status != "DELETE_COMPLETE":
            try:
                iam.delete_role_policy(RoleName=one.physical, PolicyName=POLICY)
            except iam.exceptions.NoSuchEntityException:
                continue
            had.append(one.physical)
    return had


def _roles(deployment: Deployment) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each role of tasks, also of those that run by the clock, with the database's users that it signs in as."""
    ecs = deployment.client("ecs")
    for arn in deployment.physical("AWS::ECS::TaskDefinition"):
        described = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        task = deployment.plan.tasks.get(deployment.service_name(described))
        if task and task.database_users:
            yield described["taskRoleArn"].rpartition("/")[2], task.database_users


def _arn(instance: Any, user: str) -> str:
    partition, _rds, region, account = instance["DBInstanceArn"].split(":")[1:5]
    return f"arn:{partition}:rds-db:{region}:{account}:dbuser:{instance['DbiResourceId']}/{user}"
