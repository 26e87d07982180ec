"""The task definition and the security group of a task, whether it keeps running or runs by the clock."""

from dataclasses import dataclass
from typing import Any

from aws_cdk import CfnDeletionPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs.containers import add_containers
from infra.constructs.file_system import FileSystem
from infra.constructs.images import Images
from infra.constructs.log_groups import log_group
from infra.constructs.network import Network
from infra.constructs.tasks_principal import tasks_principal
from infra.constructs.variables import VariablesFor
from infra.plan.environment import Environment
from infra.plan.records import log_group_name
from infra.plan.tasks import Task

_ARCHITECTURES = {"x86_64": ecs.CpuArchitecture.X86_64, "arm64": ecs.CpuArchitecture.ARM64}


@dataclass(frozen=True, kw_only=True)
class TaskResources:
    """What all tasks of a stack are given."""

    cluster: ecs.Cluster
    network: Network
    images: Images
    files: FileSystem | None
    variables_for: VariablesFor
    settings: Environment


def task_definition(scope: Construct, task: Task, given: TaskResources) -> ecs.FargateTaskDefinition:
    """Return the definition of a task, whose containers keep their logs."""
    stack_name, name, settings = Stack.of(scope).stack_name, task.service.name, given.settings
    definition = ecs.FargateTaskDefinition(
        scope,
        "Tasks",
        family=f"{stack_name}-{name}",
        cpu=task.size.cpu,
        memory_limit_mib=task.size.memory_mib,
        runtime_platform=ecs.RuntimePlatform(
            operating_system_family=ecs.OperatingSystemFamily.LINUX,
            cpu_architecture=_ARCHITECTURES[settings.architecture],
        ),
    )
    _stay_when_replaced(definition)
    _only_for_this_accounts_tasks(definition)
    if given.files:
        for volume, writes in task.written_volumes.items():
            given.files.add_to(definition, volume, writes=writes)
    add_containers(
        definition,
        task,
        images=given.images,
        variables_for=given.variables_for,
        log_group=log_group(
            scope,
            "Logs",
            name=log_group_name(stack_name, name),
            retention_days=settings.monitoring.log_retention_days,
        ),
        ecs_exec=settings.services.ecs_exec,
    )
    return definition


def _stay_when_replaced(definition: ecs.FargateTaskDefinition) -> None:
    """Let an update leave the version before, which `rollback` starts again.

    CloudFormation would deregister it, and no service is updated to a task definition that was (Amazon ECS Developer
    Guide, "Deregistering a task definition revision using the console"). It costs nothing.
    """
    resource: Any = definition.node.default_child
    resource.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
    resource.cfn_options.deletion_policy = CfnDeletionPolicy.DELETE


def _only_for_this_accounts_tasks(definition: ecs.FargateTaskDefinition) -> None:
    """Let the task's role be taken by ECS on behalf of this account alone; CDK makes the role without that."""
    role: Any = definition.task_role.node.default_child
    trust = iam.PolicyStatement(actions=["sts:AssumeRole"], principals=[tasks_principal(definition)])
    role.assume_role_policy_document = iam.PolicyDocument(statements=[trust])


def task_security_group(scope: Construct, task: Task, given: TaskResources) -> ec2.SecurityGroup:
    """Return the group of a task, which lets it connect to what every task needs and to its own `x-aws.egress`."""
    group = ec2.SecurityGroup(
        scope,
        "SecurityGroup",
        vpc=given.network.vpc,
        description=f"Tasks of {task.service.name}",
        allow_all_outbound=False,
    )
    group.add_egress_rule(
        ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "HTTPS: the image registry, logs, secrets and other APIs"
    )
    for rule in task.egress:
        group.add_egress_rule(ec2.Peer.ipv4(rule.cidr), ec2.Port.tcp(rule.port), "x-aws.egress")
    return group
