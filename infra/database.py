"""Amazon RDS for PostgreSQL, in place of the compose file's database."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_rds as rds
from constructs import Construct

from infra import environment
from infra.compose import model
from infra.compose.model import DatabaseField
from infra.network import Network

_PORT = 5432


@dataclass(frozen=True)
class Variables:
    """Environment variables in the clear, and those that ECS fetches from Secrets Manager when a task starts."""

    environment: Mapping[str, str]
    secrets: Mapping[str, ecs.Secret]


class Database(Construct):
    """One encrypted instance that nothing but the tasks it lets in can reach; its owner's password is generated."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: Network,
        database: model.Database,
        settings: environment.Database,
    ) -> None:
        super().__init__(scope, construct_id)
        self._security_group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=network.vpc, description="The database", allow_all_outbound=False
        )
        self._instance = rds.DatabaseInstance(
            self,
            "Instance",
            # The major version alone: RDS picks the minor one and upgrades it in the maintenance window.
            engine=rds.DatabaseInstanceEngine.postgres(
                version=rds.PostgresEngineVersion.of(database.major_version, database.major_version)
            ),
            auto_minor_version_upgrade=True,
            instance_type=ec2.InstanceType(settings.instance_class.removeprefix("db.")),
            multi_az=settings.multi_az,
            vpc=network.vpc,
            vpc_subnets=network.database_subnets,
            security_groups=[self._security_group],
            publicly_accessible=False,
            port=_PORT,
            database_name=database.name,
            credentials=rds.Credentials.from_generated_secret(database.owner),
            storage_type=rds.StorageType.GP3,
            allocated_storage=settings.storage_gb,
            max_allocated_storage=settings.max_storage_gb,
            storage_encrypted=True,
            backup_retention=Duration.days(settings.backup_retention_days),
            copy_tags_to_snapshot=True,
            deletion_protection=settings.deletion_protection,
            removal_policy=RemovalPolicy.SNAPSHOT,
        )
        secret = self._instance.secret
        assert secret is not None  # noqa: S101 (made from the generated credentials)
        self._values = {
            DatabaseField.HOST: self._instance.db_instance_endpoint_address,
            DatabaseField.PORT: str(_PORT),
            DatabaseField.NAME: database.name,
        }
        self._secrets = {
            field: ecs.Secret.from_secrets_manager(secret, field)
            for field in (DatabaseField.USER, DatabaseField.PASSWORD)
        }

    def variables(self, names: Mapping[str, DatabaseField]) -> Variables:
        """Return what a container is given under the names that the compose file has for it."""
        return Variables(
            environment={name: self._values[field] for name, field in names.items() if field in self._values},
            secrets={name: self._secrets[field] for name, field in names.items() if field in self._secrets},
        )

    def allow_from(self, client: ec2.IConnectable, name: str) -> None:
        """Let the tasks of the service `name` connect."""
        self._security_group.connections.allow_from(client, ec2.Port.tcp(_PORT), f"{name} to the database")
