"""What stays in the account when a stack is removed, by the policies of its template."""

import json
from dataclasses import dataclass
from typing import Any

import boto3

SNAPSHOT = "AWS::RDS::DBSnapshot"


@dataclass(frozen=True)
class Kept:
    """One thing that stays; `identity` is its physical id, of a snapshot that of the database it will be made of."""

    type: str
    identity: str


def kept(session: boto3.Session, stack_name: str) -> list[Kept]:
    """Return what the policies of the deployed template keep when the stack is removed.

    Raises:
        BotoCoreError, ClientError: there is no such stack, or AWS refused.
    """
    cloudformation = session.client("cloudformation")
    template: Any = cloudformation.get_template(StackName=stack_name)["TemplateBody"]
    definitions = (json.loads(template) if isinstance(template, str) else template)["Resources"]
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    identities = {
        resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
        for page in pages
        for resource in page["StackResourceSummaries"]
    }
    found = []
    for name, definition in definitions.items():
        policy, identity = definition.get("DeletionPolicy", "Delete"), identities.get(name, "")
        if identity and policy.startswith("Retain"):
            found.append(Kept(definition["Type"], identity))
        elif identity and policy == "Snapshot":
            found.append(Kept(SNAPSHOT, identity))
    return found


def skipped(session: boto3.Session, stack_name: str) -> list[Kept]:
    """Return what a first deployment that was taken back has left: what its policies keep, and snapshots.

    Raises:
        BotoCoreError, ClientError: there is no such stack, or AWS refused.
    """
    pages = session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_name)
    found = []
    for page in pages:
        for resource in page["StackResourceSummaries"]:
            kind, identity = resource["ResourceType"], resource.get("PhysicalResourceId", "")
            if identity and resource["ResourceStatus"] == "DELETE_SKIPPED":
                found.append(Kept(kind, identity))
            elif identity and kind == "AWS::RDS::DBInstance" and resource["ResourceStatus"] == "DELETE_COMPLETE":
                found.append(Kept(SNAPSHOT, identity))
    return found
