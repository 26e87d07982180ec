"""The stack of one environment: what there is, and who may talk to whom."""

from collections.abc import Mapping

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_servicediscovery as servicediscovery
from constructs import Construct

from infra.compose.model import ServiceDefinition
from infra.constructs.alarms import Alarms
from infra.constructs.database import Database
from infra.constructs.distribution import CLIENT_ADDRESS_HEADER
from infra.constructs.failure_records import FailureRecords
from infra.constructs.file_system import FileSystem
from infra.constructs.images import Images
from infra.constructs.load_balancer import LoadBalancer
from infra.constructs.monitoring import Monitoring
from infra.constructs.network import Network
from infra.constructs.scheduled_task import ScheduledTask
from infra.constructs.secrets import Secrets
from infra.constructs.service import Service
from infra.constructs.sign_in import SignIn
from infra.constructs.tasks import TaskResources
from infra.constructs.traffic_logs import TrafficLogs
from infra.constructs.tunnel_role import tunnel_role
from infra.constructs.variables import ContainerVariables
from infra.constructs.web_acl import WebAcl
from infra.plan import Plan
from infra.plan.environment import CloudFrontSettings
from infra.plan.exposure import is_public, people_sign_in
from infra.plan.volumes import volumes


class ApplicationStack(Stack):
    """Everything that `plan` has, in one CloudFormation stack."""

    def __init__(self, scope: Construct, construct_id: str, *, plan: Plan) -> None:
        project, settings = plan.project, plan.settings
        super().__init__(
            scope,
            construct_id,
            description=f"{project.name} ({settings.name}): the services of {project.file.name} on ECS Fargate",
            tags={"project": project.name, "environment": settings.name},
            termination_protection=settings.deletion_protection,
        )
        self._plan, self._settings = plan, settings
        network = Network(self, "Network", settings=settings.network)
        database = self._database(network)
        load_balancer = self._load_balancer(network)
        if settings.monitoring.traffic_logs:
            self._log_traffic(network, load_balancer)
        sign_in = self._sign_in(load_balancer)
        secrets = Secrets(self, "Secrets")

        def variables_for(container: ServiceDefinition) -> ContainerVariables:
            variables = secrets.variables(container.secrets)
            if database:
                variables |= database.variables(container)
            if sign_in:
                variables |= sign_in.variables(container.sign_in_variables)
            return variables

        cluster = self._cluster(network)
        files = self._file_system(network)
        given = TaskResources(
            cluster=cluster,
            network=network,
            images=Images(self, "Images", architecture=settings.architecture, secrets=secrets),
            files=files,
            variables_for=variables_for,
            settings=settings,
        )
        FailureRecords(self, "FailureRecords", cluster=cluster, retention_days=settings.monitoring.log_retention_days)
        services = {
            name: Service(self, name, task=task, count=plan.counts[name], given=given)
            for name, task in plan.tasks.items()
            if not task.service.schedule
        }
        for service in services.values():
            for other in service.task.reaches:
                service.reach(services[other])
        jobs = [
            ScheduledTask(self, name, task=task, given=given)
            for name, task in plan.tasks.items()
            if task.service.schedule
        ]
        both: list[Service | ScheduledTask] = [*services.values(), *jobs]
        for tasks in both:
            if database and tasks.task.uses_database:
                database.allow_from(tasks.security_group, tasks.task.service.name)
                tasks.start_after(database.security_group)
                for user in tasks.task.database_users:
                    database.allow_sign_in(tasks.task_role, user)
            if files and tasks.task.written_volumes:
                files.allow_from(tasks.security_group, tasks.task.service.name)
                tasks.start_after(files)

        if database and not settings.services.ecs_exec:
            tunnel_role(self)

        public = {name: service for name, service in services.items() if service.task.service.public}
        target_groups = load_balancer.route(public) if load_balancer else {}
        for name, service in services.items():
            service.scale(target_groups.get(name))
        for name, target_group in target_groups.items():
            alarms = Alarms(services[name], "Alarms", name=name, target_group=target_group)
            services[name].roll_back_on(alarms)
        self._monitor(database, load_balancer, services, target_groups)

    def _monitor(
        self,
        database: Database | None,
        load_balancer: LoadBalancer | None,
        services: Mapping[str, Service],
        target_groups: Mapping[str, elbv2.ApplicationTargetGroup],
    ) -> None:
        monitoring = Monitoring(self, "Monitoring", settings=self._settings)
        monitoring.watch_services(services, target_groups)
        if database:
            monitoring.watch_database(database.identifier)
        if load_balancer and load_balancer.certificate:
            monitoring.watch_certificate(load_balancer.certificate.certificate_arn)
        monitoring.tell()

    def _database(self, network: Network) -> Database | None:
        if self._plan.project.database is None:
            return None
        return Database(
            self,
            "Database",
            network=network,
            database=self._plan.project.database,
            iam_sign_in=any(task.database_users for task in self._plan.tasks.values()),
            settings=self._settings,
        )

    def _file_system(self, network: Network) -> FileSystem | None:
        owners = volumes(self._plan.project)
        if not owners:
            return None
        backups = self._settings.deletion_protection
        return FileSystem(self, "Volumes", network=network, volumes=owners, backups=backups)

    def _load_balancer(self, network: Network) -> LoadBalancer | None:
        if not is_public(self._plan.project):
            return None
        load_balancer = LoadBalancer(self, "LoadBalancer", network=network, settings=self._settings)
        CfnOutput(self, "PublicUrl", value=load_balancer.url, description="Where the application answers")
        if self._settings.web_acl:
            is_behind_cloudfront = isinstance(self._settings.public_url, CloudFrontSettings)
            WebAcl(
                self,
                "WebAcl",
                balancer=load_balancer.balancer,
                client_address_header=CLIENT_ADDRESS_HEADER if is_behind_cloudfront else None,
                free_input=[
                    path
                    for service in self._plan.project.services.values()
                    if service.public
                    for path in service.public.free_input
                ],
                log_retention_days=self._settings.monitoring.log_retention_days,
            )
        return load_balancer

    def _log_traffic(self, network: Network, load_balancer: LoadBalancer | None) -> None:
        logs = TrafficLogs(self, "TrafficLogs", retention_days=self._settings.monitoring.log_retention_days)
        logs.of_network(network.vpc)
        if load_balancer:
            logs.of_load_balancer(load_balancer.balancer)

    def _sign_in(self, load_balancer: LoadBalancer | None) -> SignIn | None:
        if load_balancer is None or not people_sign_in(self._plan.project, self._settings):
            return None
        return SignIn(
            self,
            "SignIn",
            public_url=load_balancer.url,
            settings=self._settings,
        )

    def _cluster(self, network: Network) -> ecs.Cluster:
        return ecs.Cluster(
            self,
            "Cluster",
            vpc=network.vpc,
            container_insights_v2=ecs.ContainerInsights[self._settings.monitoring.container_insights.upper()],
            enable_fargate_capacity_providers=True,
            # Services call each other by name in here.
            default_cloud_map_namespace=ecs.CloudMapNamespaceOptions(
                name=self.stack_name, type=servicediscovery.NamespaceType.HTTP, use_for_service_connect=True
            ),
        )
