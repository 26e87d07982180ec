"""A deployed environment as its operator sees it: its stack, and the services that run in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ProfileNotFound,
    SSOError,
    SSOTokenLoadError,
    TokenRetrievalError,
)

from infra.operations import stacks
from infra.operations.stacks import StackResource
from infra.plan import Plan
from infra.plan.records import log_group_name

_DESCRIBED = 10  # services in one call, which is as many as ECS takes
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN = {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch"}


class OperationError(Exception):
    """Something could not be found out or done; the message says what, and what to do next."""


@dataclass(frozen=True)
class RunningService:
    """An ECS service: the name of its service in the compose file, and what ECS says of it."""

    name: str
    described: Any

    @property
    def arn(self) -> str:
        """Its Amazon resource name."""
        return str(self.described["serviceArn"])


class Deployment:
    """The stack of one environment in AWS; asked when something of it is first needed."""

    def __init__(self, session: boto3.Session, plan: Plan) -> None:
        self.session, self.plan = session, plan
        self.stack_name = plan.stack_name

    def client(self, name: str) -> Any:
        """Return a client for one of AWS's services, in the deployment's region."""
        make: Any = self.session.client  # its types want each service's name by itself
        return make(name)

    @cached_property
    def stack(self) -> Any:
        """What CloudFormation says of the stack.

        Raises:
            OperationError: there is no such stack here.
        """
        stack = stacks.described(self.session, self.stack_name)
        if stack is None:
            environment, region = self.plan.settings.name, self.session.region_name
            raise OperationError(
                f"there is no stack {self.stack_name} in {region}: make deploy ENV={environment} makes it; "
                "where it is in another region, set AWS_REGION"
            )
        return stack

    @cached_property
    def outputs(self) -> dict[str, str]:
        """What the stack tells whoever asks, such as PublicUrl."""
        return stacks.outputs(self.stack)

    @cached_property
    def resources(self) -> tuple[StackResource, ...]:
        """All that belongs to the stack."""
        _ = self.stack  # whose absence is told better than by the call below
        return stacks.resources(self.session, self.stack_name)

    def physical(self, kind: str) -> list[str]:
        """Return the physical ids of the resources of a type, such as AWS::RDS::DBInstance."""
        return [one.physical for one in self.resources if one.type == kind and one.physical]

    @cached_property
    def services(self) -> tuple[RunningService, ...]:
        """The ECS services, by name."""
        arns, ecs = self.physical("AWS::ECS::Service"), self.client("ecs")
        found = []
        for first in range(0, len(arns), _DESCRIBED):
            part = arns[first : first + _DESCRIBED]
            found += ecs.describe_services(cluster=self.cluster, services=part)["services"]
        services = (RunningService(self.service_name(one), one) for one in found)
        return tuple(sorted(services, key=lambda service: service.name))

    def service_name(self, described: Any) -> str:
        """Return the compose file's name of a service, task or task definition, which its family ends with."""
        arn = described.get("taskDefinition") or described.get("taskDefinitionArn")
        family = str(arn).rpartition("/")[2].rpartition(":")[0]
        return family.removeprefix(f"{self.stack_name}-")

    @property
    def cluster(self) -> str:
        """The name of the cluster.

        Raises:
            OperationError: the stack has none.
        """
        clusters = self.physical("AWS::ECS::Cluster")
        if not clusters:
            raise OperationError(f"{self.stack_name} has no cluster yet: see make status")
        return clusters[0].rpartition("/")[2]

    def chosen(self, names: list[str]) -> tuple[RunningService, ...]:
        """Return the services of these names, or all where no name is given.

        Raises:
            OperationError: there is no service of such a name.
        """
        known = {service.name: service for service in self.services}
        if unknown := [name for name in names if name not in known]:
            raise OperationError(f"there is no service {', '.join(unknown)}; there are {', '.join(known) or 'none'}")
        return tuple(known[name] for name in names) if names else self.services

    def log_group(self, service: str) -> str:
        """Return the log group that the tasks of a service write to."""
        return log_group_name(self.stack_name, service)

    def stopped_and_running(self, desired: str) -> Iterator[Any]:
        """Yield the tasks that ECS still knows of: RUNNING, or STOPPED, which it forgets after an hour."""
        ecs = self.client("ecs")
        for page in ecs.get_paginator("list_tasks").paginate(cluster=self.cluster, desiredStatus=desired):
            if page["taskArns"]:
                yield from ecs.describe_tasks(cluster=self.cluster, tasks=page["taskArns"])["tasks"]


def sentence(error: Exception) -> str:
    """Return what an error of AWS's means to who sees it, and what to do next."""
    if isinstance(error, NoCredentialsError):
        return "there are no AWS credentials: aws configure sso, aws login, or AWS_PROFILE say whose to take"
    if isinstance(error, ProfileNotFound):
        return f"{error}: aws configure list-profiles names those that there are"
    if isinstance(error, SSOError | SSOTokenLoadError | TokenRetrievalError):
        return f"{str(error).rstrip('.')}: sign in again (aws sso login)"
    if not isinstance(error, ClientError):
        return str(error)
    code = error.response.get("Error", {}).get("Code", "")
    message = error.response.get("Error", {}).get("Message", "")
    if code in _DENIED:
        asked = re.search(r"not authorized to perform: (\S+?)(?: on resource: (\S+?))?[.,]?(?:\s|$)", message)
        if asked:
            return f"these credentials lack the permission {asked[1]}" + (f" for {asked[2]}" if asked[2] else "")
        return f"these credentials may not do {error.operation_name}: {message}"
    if code in _EXPIRED:
        return "the AWS credentials have expired: sign in again (aws sso login, aws login)"
    if code in _UNKNOWN:
        return f"AWS does not know these credentials ({code}): aws sts get-caller-identity shows whose they are"
    return f"AWS refused {error.operation_name}: {message or code}"


AWS_ERRORS = (BotoCoreError, ClientError)
"""What boto3 raises when AWS refuses, or there is nobody to ask."""
