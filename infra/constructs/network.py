"""The VPC: two zones, each with room for what faces the internet, for tasks, and for what it never reaches."""

from typing import cast

from aws_cdk import Aws, CfnMapping
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.plan.environment import NetworkSettings
from infra.plan.regions import REGIONS

_ZONES = ("First", "Second")


class Network(Construct):
    """Public subnets, subnets for the tasks, and isolated ones: for the database, and an internal load balancer."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: NetworkSettings) -> None:
        super().__init__(scope, construct_id)
        tasks_are_private = settings.nat_gateways > 0
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=len(_ZONES),
            nat_gateways=settings.nat_gateways,
            subnet_configuration=[
                # A task asks for its public address by itself; nothing else here is to get one.
                ec2.SubnetConfiguration(
                    name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=22, map_public_ip_on_launch=False
                ),
                # Without NAT gateways only the addresses are set aside: the database must not move when some are added.
                ec2.SubnetConfiguration(
                    name="tasks",
                    subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS,
                    cidr_mask=22,
                    reserved=not tasks_are_private,
                ),
                ec2.SubnetConfiguration(name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
            ],
            # Nothing is in the VPC's default group; emptying it would take a Lambda function and its role.
            restrict_default_security_group=False,
        )
        self._choose_zones()
        # Image layers come from S3: free this way, and not through a NAT gateway that charges by the gigabyte.
        self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        self.assign_public_ip = not tasks_are_private
        self.public_subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
        self.task_subnets = ec2.SubnetSelection(
            subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS if tasks_are_private else ec2.SubnetType.PUBLIC
        )
        self.isolated_subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        # A subnet has its route, and the route's association, in it.
        self.way_out = self.vpc.private_subnets if tasks_are_private else self.vpc.public_subnets

    def _choose_zones(self) -> None:
        """Put the subnets into zones chosen by their ids; CDK would take the first two names, which say nothing."""
        by_region = {name: dict(zip(_ZONES, region.zones, strict=True)) for name, region in REGIONS.items()}
        mapping = CfnMapping(self, "Zones", mapping=by_region)
        for subnets in (self.vpc.public_subnets, self.vpc.private_subnets, self.vpc.isolated_subnets):
            for zone, subnet in zip(_ZONES, subnets, strict=False):
                resource = cast("ec2.CfnSubnet", subnet.node.default_child)
                resource.availability_zone = None
                resource.availability_zone_id = mapping.find_in_map(Aws.REGION, zone)
