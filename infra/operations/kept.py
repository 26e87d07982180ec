"""What stays in the account when a stack is removed, by the policies of its template."""

from dataclasses import dataclass

import boto3

from infra.operations import stacks

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
    definitions = (stacks.template(session, stack_name) or {"Resources": {}})["Resources"]
    identities = {resource.logical: resource.physical for resource in stacks.resources(session, stack_name)}
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
    found = []
    for resource in stacks.resources(session, stack_name):
        if resource.physical and resource.status == "DELETE_SKIPPED":
            found.append(Kept(resource.type, resource.physical))
        elif resource.physical and resource.type == "AWS::RDS::DBInstance" and resource.status == "DELETE_COMPLETE":
            found.append(Kept(SNAPSHOT, resource.physical))
    return found
