"""Where the network's flow logs and the load balancer's access logs are kept: a bucket that outlives the stack."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

_ACCESS_LOGS = "access"
_FLOW_LOGS = "flow"


class TrafficLogs(Construct):
    """Who connected to what, and who asked for what; deleted after `retention_days`."""

    def __init__(self, scope: Construct, construct_id: str, *, retention_days: int) -> None:
        super().__init__(scope, construct_id)
        self._bucket = s3.Bucket(
            self,
            "Bucket",
            # Elastic Load Balancing writes to no bucket that has a KMS key.
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(retention_days))],
            removal_policy=RemovalPolicy.RETAIN,
        )

    def of_network(self, vpc: ec2.Vpc) -> None:
        """Keep the flow logs of `vpc`."""
        vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_s3(self._bucket, f"{_FLOW_LOGS}/"))

    def of_load_balancer(self, balancer: elbv2.ApplicationLoadBalancer) -> None:
        """Keep the access logs of `balancer`.

        Not by the construct's own method, which lets an account in that differs by region, and so needs to know it.
        No condition, as in AWS's own example: the path has the account already, and what Elastic Load Balancing sends
        for aws:SourceAccount and aws:SourceArn with the file by which it tries the bucket is written nowhere.
        """
        account = Stack.of(self).account
        self._bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[self._bucket.arn_for_objects(f"{_ACCESS_LOGS}/AWSLogs/{account}/*")],
            )
        )
        balancer.set_attribute("access_logs.s3.enabled", "true")
        balancer.set_attribute("access_logs.s3.bucket", self._bucket.bucket_name)
        balancer.set_attribute("access_logs.s3.prefix", _ACCESS_LOGS)
        # Elastic Load Balancing tries to write at once.
        if self._bucket.policy:
            balancer.node.add_dependency(self._bucket.policy)
