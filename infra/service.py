"""A long-running service of the compose file on ECS Fargate."""

from typing import cast

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.containers import add_containers, port_name
from infra.database import Database
from infra.environment import Environment
from infra.images import Images
from infra.network import Network
from infra.tasks import Task

# The load balancer's idle timeout, and so how long Service Connect's proxy may wait for an answer too (15 s otherwise).
REQUEST_TIMEOUT = Duration.seconds(60)

# From a task's start until the load balancer has asked it twice, on top of the time its health check gives it to start.
_REGISTRATION_SECONDS = 60

_ARCHITECTURES = {"x86_64": ecs.CpuArchitecture.X86_64, "arm64": ecs.CpuArchitecture.ARM64}


class Service(Construct):
    """Tasks that are replaced without a gap, go back to the last good version when the new one fails, and keep logs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        task: Task,
        cluster: ecs.Cluster,
        network: Network,
        images: Images,
        database: Database | None,
        settings: Environment,
    ) -> None:
        super().__init__(scope, construct_id)
        self.task = task
        name = task.service.name
        definition = ecs.FargateTaskDefinition(
            self,
            "Tasks",
            family=f"{Stack.of(self).stack_name}-{name}",
            cpu=task.size.cpu,
            memory_limit_mib=task.size.memory_mib,
            runtime_platform=ecs.RuntimePlatform(
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
                cpu_architecture=_ARCHITECTURES[settings.architecture],
            ),
        )
        log_group = self._log_group(settings.monitoring.log_retention_days)
        add_containers(definition, task, images=images, database=database, log_group=log_group)
        security_group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=network.vpc, description=f"Tasks of {name}", allow_all_outbound=False
        )
        security_group.add_egress_rule(
            ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "HTTPS: the image registry, logs, secrets and other APIs"
        )
        self.ecs_service = ecs.FargateService(
            self,
            "Service",
            cluster=cluster,
            task_definition=definition,
            desired_count=task.service.replicas,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            health_check_grace_period=self._grace_period(),
            security_groups=[security_group],
            vpc_subnets=network.task_subnets,
            assign_public_ip=network.assign_public_ip,
            service_connect_configuration=self._service_connect(),
            enable_ecs_managed_tags=True,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )
        # Rules and policies with them: a task that starts before it may connect, or read its secrets, fails.
        self._resource.node.add_dependency(security_group, definition.obtain_execution_role())

    def reach(self, other: "Service") -> None:
        """Start after `other` has become healthy, and be allowed to send requests to it."""
        # On the resource, not the construct: security group rules below it would have to wait for each other.
        self._resource.add_resource_dependency(other._resource)
        for port in other.task.service.ports:
            name, target = self.task.service.name, other.task.service.name
            self.ecs_service.connections.allow_to(other.ecs_service, ec2.Port.tcp(port), f"{name} to {target}")

    @property
    def _resource(self) -> ecs.CfnService:
        return cast("ecs.CfnService", self.ecs_service.node.default_child)

    def _log_group(self, retention_days: int) -> logs.LogGroup:
        name = f"/{Stack.of(self).stack_name}/{self.task.service.name}"
        group = logs.LogGroup(self, "Logs", log_group_name=name, removal_policy=RemovalPolicy.DESTROY)
        # The enumeration has a name for each number; the number itself is the setting.
        cast("logs.CfnLogGroup", group.node.default_child).retention_in_days = retention_days
        return group

    def _grace_period(self) -> Duration | None:
        service = self.task.service
        if service.public is None:
            return None
        start = service.health_check.start_period_seconds if service.health_check else 0
        return Duration.seconds(start + _REGISTRATION_SECONDS)

    def _service_connect(self) -> ecs.ServiceConnectProps | None:
        service = self.task.service
        if not self.task.uses_names:
            return None
        if not self.task.is_reached:
            return ecs.ServiceConnectProps()
        timeout = REQUEST_TIMEOUT if service.public else None
        return ecs.ServiceConnectProps(
            services=[
                ecs.ServiceConnectService(
                    port_mapping_name=port_name(service, port),
                    dns_name=service.name,
                    port=port,
                    per_request_timeout=timeout,
                )
                for port in service.ports
            ]
        )
