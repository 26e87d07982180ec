"""Amazon EFS, for the named volumes of the compose file: one file system, and a directory of it for each volume."""

from collections.abc import Mapping

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs.network import Network
from infra.plan.volumes import Owner

_PORT = 2049
_PERMISSIONS = "750"  # of a volume's own directory


class FileSystem(Construct):
    """Encrypted at rest and on the way; a task gets to the volumes that it names, by its role, and to nothing else."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: Network,
        volumes: Mapping[str, Owner],
        backups: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.security_group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=network.vpc, description="The volumes", allow_all_outbound=False
        )
        self._files = efs.FileSystem(
            self,
            "Files",
            vpc=network.vpc,
            vpc_subnets=network.isolated_subnets,
            security_group=self.security_group,
            encrypted=True,
            enable_automatic_backups=backups,
            # Without it, a small file system that was busy for a while reads and writes 1 MiB a second.
            throughput_mode=efs.ThroughputMode.ELASTIC,
            # A first deployment that fails takes it back: there is nothing in it yet.
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
            file_system_policy=_encrypted_connections_alone(),
            # CDK would otherwise let everybody in the VPC who is let in by their own policy write as root.
            allow_anonymous_access=True,
        )
        self._volumes = {
            name: self._files.add_access_point(
                name,
                path=f"/{name}",
                create_acl=efs.Acl(owner_uid=str(owner.user), owner_gid=str(owner.group), permissions=_PERMISSIONS),
                posix_user=efs.PosixUser(uid=str(owner.user), gid=str(owner.group)),
            )
            for name, owner in volumes.items()
        }

    def add_to(self, definition: ecs.TaskDefinition, volume: str, *, writes: bool) -> None:
        """Let a task have a volume, by its name, for reading alone or also to write."""
        access_point = self._volumes[volume]
        definition.add_volume(
            name=volume,
            efs_volume_configuration=ecs.EfsVolumeConfiguration(
                file_system_id=self._files.file_system_id,
                transit_encryption="ENABLED",
                authorization_config=ecs.AuthorizationConfig(
                    access_point_id=access_point.access_point_id, iam="ENABLED"
                ),
            ),
        )
        definition.task_role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["elasticfilesystem:ClientMount", *(["elasticfilesystem:ClientWrite"] if writes else [])],
                resources=[self._files.file_system_arn],
                conditions={"StringEquals": {"elasticfilesystem:AccessPointArn": access_point.access_point_arn}},
            )
        )

    def allow_from(self, client: ec2.IConnectable, name: str) -> None:
        """Let the tasks of the service `name` connect."""
        self.security_group.connections.allow_from(client, ec2.Port.tcp(_PORT), f"{name} to the volumes")


def _encrypted_connections_alone() -> iam.PolicyDocument:
    # Where there is a policy, and none that allows, EFS lets nobody in whom a policy of their own does not.
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["*"],
                conditions={"Bool": {"aws:SecureTransport": "false"}},
            )
        ]
    )
