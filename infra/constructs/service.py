"""A long-running service of the compose file on ECS Fargate."""

from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from constructs import Construct, IDependable

from infra.constructs.alarms import Alarms
from infra.constructs.asleep import put_to_sleep
from infra.constructs.autoscaling import scale
from infra.constructs.containers import port_name
from infra.constructs.tasks import TaskResources, task_definition, task_security_group
from infra.plan.task_count import TaskCount
from infra.plan.tasks import Task
from infra.plan.timeouts import NO_LIMIT, REGISTRATION_SECONDS


class Service(Construct):
    """Tasks that are replaced without a gap, go back to the last good version when the new one fails, and keep logs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        task: Task,
        count: TaskCount,
        given: TaskResources,
    ) -> None:
        super().__init__(scope, construct_id)
        self.task = task
        self._count = count
        self._asleep = given.settings.services.hours_asleep
        definition = task_definition(self, task, given)
        self.security_group = security_group = task_security_group(self, task, given)
        settings, network = given.settings, given.network
        self.ecs_service = ecs.FargateService(
            self,
            "Service",
            cluster=given.cluster,
            task_definition=definition,
            # Left to the scaling where there is any: an update would otherwise set it back.
            desired_count=None if task.service.autoscaling or self._asleep else self._count.minimum,
            capacity_provider_strategies=_capacity(settings.services.spot_percent, self._count),
            min_healthy_percent=count.minimum_healthy_percent,
            max_healthy_percent=count.maximum_percent,
            # It starts a task in another zone before it stops one.
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.DISABLED
            if count.stops_first
            else ecs.AvailabilityZoneRebalancing.ENABLED,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            health_check_grace_period=self._grace_period(),
            security_groups=[security_group],
            vpc_subnets=network.task_subnets,
            assign_public_ip=network.assign_public_ip,
            service_connect_configuration=self._service_connect(),
            enable_execute_command=settings.services.ecs_exec,
            enable_ecs_managed_tags=True,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )
        self._give_up_soon()
        # ECS takes another division of the tasks only with a new deployment, which each new value of this begins.
        self._resource.force_new_deployment = ecs.CfnService.ForceNewDeploymentProperty(
            enable_force_new_deployment=True, force_new_deployment_nonce=f"spot-{settings.services.spot_percent}"
        )
        # Rules and policies with them: a task that starts before it may connect, sign in or read its secrets fails.
        self._resource.node.add_dependency(security_group, definition.obtain_execution_role(), definition.task_role)
        # The capacity providers and the way out too: made after the service, it cannot place a task or pull an image;
        # removed before it, they are still in use.
        self._resource.node.add_dependency(given.cluster, *network.way_out)

    def reach(self, other: "Service") -> None:
        """Start after `other` has become healthy, and be allowed to send requests to it."""
        # On the resource, not the construct: security group rules below it would have to wait for each other.
        self._resource.add_resource_dependency(other._resource)
        for port in other.task.service.ports:
            name, target = self.task.service.name, other.task.service.name
            self.ecs_service.connections.allow_to(other.ecs_service, ec2.Port.tcp(port), f"{name} to {target}")

    def start_after(self, *others: IDependable) -> None:
        """Start when others, with the rules of their security groups, are there, and stop before they are removed."""
        self._resource.node.add_dependency(*others)

    def scale(self, target_group: elbv2.ApplicationTargetGroup | None) -> None:
        """Run more tasks when there is more to do, if the compose file says so; and none while they sleep."""
        if self.task.service.autoscaling or self._asleep:
            tasks = scale(self.ecs_service, self.task.service.autoscaling, self._count, target_group)
            if self._asleep:
                put_to_sleep(tasks, self._count, self._asleep)

    def roll_back_on(self, alarms: Alarms) -> None:
        """Take a deployment back during which one of the alarms goes off."""
        self.ecs_service.enable_deployment_alarms(alarms.names, behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM)
        self._resource.node.add_dependency(alarms)

    @property
    def task_role(self) -> iam.IRole:
        """What the containers themselves may do."""
        return self.ecs_service.task_definition.task_role

    @property
    def _resource(self) -> ecs.CfnService:
        return cast("ecs.CfnService", self.ecs_service.node.default_child)

    def _give_up_soon(self) -> None:
        """Have a deployment taken back after few failures, those of tasks that were well for a while included.

        ECS would wait for three in a row, each of which takes minutes where there are one or two tasks.
        """
        breaker = "DeploymentConfiguration.DeploymentCircuitBreaker"
        failures = {"Type": "COUNT", "Value": self._count.failures_in_deployment}
        self._resource.add_property_override(f"{breaker}.ThresholdConfiguration", failures)
        self._resource.add_property_override(f"{breaker}.ResetOnHealthyTask", False)

    def _grace_period(self) -> Duration | None:
        service = self.task.service
        if service.public is None:
            return None
        start = service.health_check.start_period_seconds if service.health_check else 0
        return Duration.seconds(start + REGISTRATION_SECONDS)

    def _service_connect(self) -> ecs.ServiceConnectProps | None:
        service = self.task.service
        if not self.task.uses_service_connect:
            return None
        if not self.task.is_reached:
            return ecs.ServiceConnectProps()
        timeout = Duration.seconds(NO_LIMIT) if service.public else None
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


def _capacity(spot_percent: int, count: TaskCount) -> list[ecs.CapacityProviderStrategy]:
    """Return how tasks are divided between Fargate and Fargate Spot.

    Always as a strategy, also for one of them alone: ECS does not change a service from a launch type to a strategy.
    """
    if spot_percent == 0:
        return [ecs.CapacityProviderStrategy(capacity_provider="FARGATE", weight=1)]
    spot = ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=spot_percent)
    if spot_percent == 100:
        return [spot]
    on_demand = ecs.CapacityProviderStrategy(capacity_provider="FARGATE", base=count.minimum, weight=100 - spot_percent)
    return [on_demand, spot]
