"""The containers of a task, key by key as the compose file has them."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from infra.compose.model import ServiceDefinition
from infra.constructs.images import Images
from infra.constructs.variables import ContainerVariables, VariablesFor
from infra.plan import collector
from infra.plan.tasks import Task

# Where the agent of ECS Exec writes, which it cannot in a container whose root file system is read-only.
_EXEC_DIRECTORIES = ["/var/lib/amazon", "/var/log/amazon"]

# How long the container behind a one-shot waits for it, said outright since the documents name no default: a migration
# of a large table takes its time. Above three hours ECS ends the task whatever is said here (aws/containers-roadmap
# 1532), and three hours is what CloudFormation waits for a service.
_ONE_SHOT_TIMEOUT = Duration.hours(2)


def add_containers(
    definition: ecs.TaskDefinition,
    task: Task,
    *,
    images: Images,
    variables_for: VariablesFor,
    log_group: logs.ILogGroup,
    ecs_exec: bool,
) -> None:
    """Add what `task` runs to `definition`, each container starting when those it waits for have succeeded."""
    added: dict[str, ecs.ContainerDefinition] = {}
    for service in task.containers:
        container = _add_container(definition, service, task, images.of(service), variables_for(service), log_group)
        for one_shot in [added[name] for name in service.depends_on if name in added]:
            condition = ecs.ContainerDependencyCondition.SUCCESS
            container.add_container_dependencies(ecs.ContainerDependency(container=one_shot, condition=condition))
        for mount in service.volumes:
            container.add_mount_points(
                ecs.MountPoint(container_path=mount.path, source_volume=mount.volume, read_only=mount.read_only)
            )
        directories = [*service.scratch_directories]
        if ecs_exec and service is task.service and service.read_only:
            directories += _EXEC_DIRECTORIES
        _add_scratch(definition, container, directories)
        added[service.name] = container
    if task.has_collector:
        _add_collector(definition, log_group)


def port_name(service: ServiceDefinition, port: int) -> str:
    """Return what Service Connect calls a port: the service's name, and for a second port also its number."""
    return service.name if port == service.ports[0] else f"{service.name}-{port}"


def _add_container(
    definition: ecs.TaskDefinition,
    service: ServiceDefinition,
    task: Task,
    image: ecs.ContainerImage,
    variables: ContainerVariables,
    log_group: logs.ILogGroup,
) -> ecs.ContainerDefinition:
    is_one_shot = service is not task.service
    traces = (
        {}
        if is_one_shot or not task.has_collector
        else collector.variables(Stack.of(definition).stack_name, service.name)
    )
    return definition.add_container(
        service.name,
        image=image,
        essential=not is_one_shot,
        command=_list(service.command),
        entry_point=_list(service.entrypoint),
        environment=dict(sorted({**traces, **service.environment, **variables.environment}.items())),
        secrets=variables.secrets,
        user=service.user,
        working_directory=service.working_directory,
        readonly_root_filesystem=service.read_only,
        linux_parameters=_linux_parameters(definition, service),
        docker_labels=dict(service.labels) or None,
        # No `cpu`: the size of the task is the limit; here it would only be a weight against Service Connect's proxy.
        memory_limit_mib=service.memory_mib,
        memory_reservation_mib=service.memory_reservation_mib,
        start_timeout=_ONE_SHOT_TIMEOUT if is_one_shot else None,
        stop_timeout=_seconds(service.stop_grace_period_seconds),
        health_check=None if is_one_shot else _health_check(service),
        logging=ecs.LogDrivers.aws_logs(stream_prefix=service.name, log_group=log_group),
        port_mappings=[_port_mapping(service, port) for port in service.ports],
        ulimits=[
            ecs.Ulimit(name=ecs.UlimitName[limit.name.upper()], soft_limit=limit.soft, hard_limit=limit.hard)
            for limit in service.ulimits
        ],
    )


def _add_collector(definition: ecs.TaskDefinition, log_group: logs.ILogGroup) -> None:
    """Add what passes traces on; the task goes on without it, and it is started again by itself."""
    linux = ecs.LinuxParameters(definition, f"{collector.NAME}-linux", init_process_enabled=False)
    linux.drop_capabilities(ecs.Capability.ALL)
    definition.add_container(
        collector.NAME,
        image=ecs.ContainerImage.from_registry(collector.IMAGE),
        essential=False,
        enable_restart_policy=True,
        command=list(collector.COMMAND),
        environment={collector.CONFIGURATION: collector.CONFIG},
        readonly_root_filesystem=True,
        linux_parameters=linux,
        memory_limit_mib=collector.MEMORY_MIB,
        logging=ecs.LogDrivers.aws_logs(stream_prefix=collector.NAME, log_group=log_group),
    )
    statement = iam.PolicyStatement(actions=list(collector.ACTIONS), resources=["*"])
    definition.task_role.add_to_principal_policy(statement)


def _add_scratch(definition: ecs.TaskDefinition, container: ecs.ContainerDefinition, paths: Sequence[str]) -> None:
    for index, path in enumerate(paths):
        volume = f"{container.container_name}-scratch-{index}"
        definition.add_volume(name=volume)
        container.add_mount_points(ecs.MountPoint(container_path=path, source_volume=volume, read_only=False))


def _health_check(service: ServiceDefinition) -> ecs.HealthCheck | None:
    check = service.health_check
    if check is None:
        return None
    return ecs.HealthCheck(
        command=list(check.command),
        interval=Duration.seconds(check.interval_seconds),
        timeout=Duration.seconds(check.timeout_seconds),
        retries=check.retries,
        start_period=Duration.seconds(check.start_period_seconds),
    )


def _linux_parameters(definition: ecs.TaskDefinition, service: ServiceDefinition) -> ecs.LinuxParameters:
    parameters = ecs.LinuxParameters(definition, f"{service.name}-linux", init_process_enabled=service.init)
    parameters.add_capabilities(*(ecs.Capability[name] for name in service.add_capabilities))
    parameters.drop_capabilities(*(ecs.Capability[name] for name in service.drop_capabilities))
    return parameters


def _port_mapping(service: ServiceDefinition, port: int) -> ecs.PortMapping:
    # What the load balancer talks to speaks HTTP; of the rest we know no more than that it is TCP.
    protocol = cast("ecs.AppProtocol", ecs.AppProtocol.http) if service.public else None
    return ecs.PortMapping(container_port=port, name=port_name(service, port), app_protocol=protocol)


def _list(words: tuple[str, ...] | None) -> list[str] | None:
    return None if words is None else list(words)


def _seconds(value: int | None) -> Duration | None:
    return None if value is None else Duration.seconds(value)
