"""The stack of one environment: what there is, and who may talk to whom."""

from collections.abc import Mapping

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_servicediscovery as servicediscovery
from constructs import Construct

from infra.compose import Project
from infra.database import Database
from infra.environment import Environment
from infra.images import Images
from infra.load_balancer import LoadBalancer
from infra.network import Network
from infra.service import Service
from infra.tasks import Task


class ApplicationStack(Stack):
    """Everything the compose file describes, as `settings` want it, in one CloudFormation stack."""

    def __init__(
        self, scope: Construct, construct_id: str, *, project: Project, tasks: Mapping[str, Task], settings: Environment
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"{project.name} ({settings.name}): the services of {project.file.name} on ECS Fargate",
            tags={"project": project.name, "environment": settings.name},
        )
        network = Network(self, "Network", settings=settings.network)
        database = (
            Database(self, "Database", network=network, database=project.database, settings=settings.database)
            if project.database
            else None
        )
        cluster = self._cluster(network, settings)
        images = Images(self, "Images", architecture=settings.architecture)
        services = {
            name: Service(
                self,
                name,
                task=task,
                cluster=cluster,
                network=network,
                images=images,
                database=database,
                settings=settings,
            )
            for name, task in tasks.items()
        }
        for service in services.values():
            for other in service.task.reaches:
                service.reach(services[other])
            if database and service.task.uses_database:
                database.allow_from(service.ecs_service, service.task.service.name)

        public = {name: service for name, service in services.items() if service.task.service.public}
        if public:
            load_balancer = LoadBalancer(
                self, "LoadBalancer", network=network, services=public, settings=settings.public
            )
            CfnOutput(self, "PublicUrl", value=load_balancer.url, description="Where the application answers")

    def _cluster(self, network: Network, settings: Environment) -> ecs.Cluster:
        return ecs.Cluster(
            self,
            "Cluster",
            vpc=network.vpc,
            container_insights_v2=ecs.ContainerInsights[settings.monitoring.container_insights.upper()],
            # Services call each other by name in here.
            default_cloud_map_namespace=ecs.CloudMapNamespaceOptions(
                name=self.stack_name, type=servicediscovery.NamespaceType.HTTP, use_for_service_connect=True
            ),
        )
