"""Amazon RDS for PostgreSQL, in place of the compose file's database."""

from collections.abc import Callable
from functools import partial

from aws_cdk import Duration, RemovalPolicy, SecretValue, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.compose.model import DatabaseDefinition, DatabaseField, DatabaseUrl, ServiceDefinition
from infra.constructs.asleep import DatabaseAsleep
from infra.constructs.log_groups import log_group
from infra.constructs.network import Network
from infra.constructs.variables import ContainerVariables
from infra.plan.environment import DatabaseSettings, Environment
from infra.plan.iam_sign_in import SMALL_GIB
from infra.plan.instance_classes import MEMORY_GIB
from infra.plan.preview import is_preview

_PORT = 5432
_LOGS = ("postgresql", "upgrade")
_SLOW_STATEMENT_MS = 1000


class Database(Construct):
    """One encrypted instance that nothing but the tasks it lets in can reach; its owner's password is generated."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: Network,
        database: DatabaseDefinition,
        iam_sign_in: bool,
        settings: Environment,
    ) -> None:
        super().__init__(scope, construct_id)
        chosen = settings.database
        # A known name, so that its log groups can be made, and their retention set, before it makes them itself.
        self._name = Stack.of(self).stack_name
        self.security_group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=network.vpc, description="The database", allow_all_outbound=False
        )
        # The major version alone: RDS picks the minor one and upgrades it in the maintenance window.
        version = chosen.engine_version or database.major_version
        engine = rds.DatabaseInstanceEngine.postgres(
            version=rds.PostgresEngineVersion.of(version, database.major_version)
        )
        # What is made from a snapshot keeps the snapshot's key.
        key = self._key() if chosen.own_key and chosen.snapshot_identifier is None else None
        self._instance = _instance_of(chosen, database, key)(
            self,
            "Instance",
            instance_identifier=self._name,
            engine=engine,
            allow_major_version_upgrade=chosen.engine_version is not None,
            auto_minor_version_upgrade=True,
            parameter_group=self._parameters(engine, spares_memory=iam_sign_in and _is_small(chosen)),
            instance_type=ec2.InstanceType(chosen.instance_class.removeprefix("db.")),
            multi_az=chosen.multi_az,
            vpc=network.vpc,
            vpc_subnets=network.isolated_subnets,
            security_groups=[self.security_group],
            publicly_accessible=False,
            port=_PORT,
            iam_authentication=iam_sign_in,
            storage_type=rds.StorageType.GP3,
            allocated_storage=chosen.storage_gb,
            max_allocated_storage=chosen.max_storage_gb,
            backup_retention=Duration.days(chosen.backup_retention_days),
            copy_tags_to_snapshot=True,
            deletion_protection=settings.deletion_protection,
            # A preview has nobody's data, and a snapshot of each would be left for ever.
            removal_policy=RemovalPolicy.DESTROY if is_preview(settings.name) else RemovalPolicy.SNAPSHOT,
            enable_performance_insights=chosen.insights,
            performance_insight_encryption_key=key if chosen.insights else None,
            performance_insight_retention=rds.PerformanceInsightRetention.DEFAULT if chosen.insights else None,
            monitoring_interval=Duration.minutes(1) if chosen.insights else None,
            cloudwatch_logs_exports=list(_LOGS) if chosen.insights else None,
        )
        if settings.services.hours_asleep:
            asleep = DatabaseAsleep(self, "Asleep", identifier=self._name, hours=settings.services.hours_asleep)
            asleep.node.add_dependency(self._instance)
        if chosen.insights:
            self._keep_logs(settings.monitoring.log_retention_days)
        secret = self._instance.secret
        assert secret is not None  # noqa: S101 (made from the generated credentials)
        self._secret, self._database = secret, database
        self._values = {
            DatabaseField.HOST: self._instance.db_instance_endpoint_address,
            DatabaseField.PORT: str(_PORT),
            DatabaseField.NAME: database.name,
        }
        self._secrets = {
            field: ecs.Secret.from_secrets_manager(secret, field)
            for field in (DatabaseField.USER, DatabaseField.PASSWORD)
        }

    def variables(self, container: ServiceDefinition) -> ContainerVariables:
        """Return what a container is given under the names that the compose file has for it."""
        urls = {name: ecs.Secret.from_secrets_manager(self._url(url)) for name, url in container.database_urls.items()}
        given = ContainerVariables.of(container.database_variables, self._values, self._secrets)
        return given | ContainerVariables(secrets=urls)

    @property
    def identifier(self) -> str:
        """The instance's name, by which RDS and CloudWatch know it."""
        return self._instance.instance_identifier

    def allow_from(self, client: ec2.IConnectable, name: str) -> None:
        """Let the tasks of the service `name` connect."""
        self.security_group.connections.allow_from(client, ec2.Port.tcp(_PORT), f"{name} to the database")

    def allow_sign_in(self, role: iam.IRole, user: str) -> None:
        """Let `role` sign in as `user`, and nobody else, with a token instead of a password."""
        self._instance.grant_connect(role, user)

    def _url(self, url: DatabaseUrl) -> secretsmanager.Secret:
        """Return the secret that holds a URL: CloudFormation puts the password in, and the template never has it."""
        parameters = f"?{url.parameters}" if url.parameters else ""
        place = f"Url-{url.scheme}{parameters}"
        made = self.node.try_find_child(place)
        if isinstance(made, secretsmanager.Secret):
            return made
        password = self._secret.secret_value_from_json("password").unsafe_unwrap()
        address = f"{self._instance.db_instance_endpoint_address}:{_PORT}"
        text = f"{url.scheme}://{self._database.owner}:{password}@{address}/{self._database.name}{parameters}"
        return secretsmanager.Secret(
            self,
            place,
            description=f"The URL of the database {self._name}, with its owner's password",
            secret_string_value=SecretValue.unsafe_plain_text(text),
        )

    def _parameters(self, engine: rds.IInstanceEngine, *, spares_memory: bool) -> rds.ParameterGroup:
        return rds.ParameterGroup(
            self,
            "Parameters",
            engine=engine,
            description=f"{self._name}: TLS only, and a log of slow statements and changes of the schema",
            parameters={
                "rds.force_ssl": "1",
                "log_min_duration_statement": str(_SLOW_STATEMENT_MS),
                "log_statement": "ddl",
                # In pages of 8 KiB: an eighth of the memory, where RDS gives a quarter.
                **({"shared_buffers": "{DBInstanceClassMemory/65536}"} if spares_memory else {}),
            },
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _key(self) -> kms.Key:
        # Kept: without it, nobody could read the snapshot that is left when the instance is removed.
        return kms.Key(
            self,
            "Key",
            description=f"The database {self._name} and its backups",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _keep_logs(self, retention_days: int) -> None:
        for name in _LOGS:
            group = log_group(
                self,
                f"Logs-{name}",
                name=f"/aws/rds/instance/{self._name}/{name}",
                retention_days=retention_days,
            )
            self._instance.node.add_dependency(group)


def _instance_of(
    chosen: DatabaseSettings, database: DatabaseDefinition, key: kms.Key | None
) -> Callable[..., rds.DatabaseInstance | rds.DatabaseInstanceFromSnapshot]:
    """Return what makes the instance: a new one, or one from a snapshot, whose owner gets a new password.

    A snapshot has its own database, owner, encryption and key: RDS refuses to be told any of them beside it.
    """
    if chosen.snapshot_identifier is None:
        return partial(
            rds.DatabaseInstance,
            database_name=database.name,
            credentials=rds.Credentials.from_generated_secret(database.owner),
            storage_encrypted=True,
            storage_encryption_key=key,
        )
    return partial(
        rds.DatabaseInstanceFromSnapshot,
        snapshot_identifier=chosen.snapshot_identifier,
        credentials=rds.SnapshotCredentials.from_generated_secret(database.owner),
    )


def _is_small(chosen: DatabaseSettings) -> bool:
    return MEMORY_GIB[chosen.instance_class] < SMALL_GIB
