"""What CloudFormation says of a stack: how it is, what belongs to it, and the template it was made from."""

import json
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError


@dataclass(frozen=True)
class StackResource:
    """One resource of a stack; `physical` is empty before it is made."""

    type: str
    logical: str
    physical: str
    status: str


def described(session: boto3.Session, stack_name: str) -> Any:
    """Return what CloudFormation says of a stack, or None where there is none.

    Raises:
        BotoCoreError, ClientError: AWS refused, or there are no credentials.
    """
    try:
        (stack,) = session.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return stack


def status(session: boto3.Session, stack_name: str) -> str | None:
    """Return the status of a stack, or None where there is none.

    Raises:
        BotoCoreError, ClientError: AWS refused, or there are no credentials.
    """
    stack = described(session, stack_name)
    return stack["StackStatus"] if stack else None


def outputs(stack: Any) -> dict[str, str]:
    """Return what a described stack tells whoever asks, such as PublicUrl."""
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def resources(session: boto3.Session, stack_name: str) -> tuple[StackResource, ...]:
    """Return all that belongs to a stack, and of one that was taken back what did.

    Raises:
        BotoCoreError, ClientError: there is no such stack, or AWS refused.
    """
    pages = session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_name)
    return tuple(
        StackResource(
            one["ResourceType"], one["LogicalResourceId"], one.get("PhysicalResourceId", ""), one["ResourceStatus"]
        )
        for page in pages
        for one in page["StackResourceSummaries"]
    )


def template(session: boto3.Session, stack_name: str) -> dict[str, Any] | None:
    """Return the template of a stack as it is deployed, or None where there is none.

    Raises:
        BotoCoreError, ClientError: AWS refused, or there are no credentials.
    """
    try:
        body: Any = session.client("cloudformation").get_template(StackName=stack_name)["TemplateBody"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return dict(json.loads(body) if isinstance(body, str) else body)
