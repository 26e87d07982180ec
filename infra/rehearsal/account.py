"""What exists in an AWS account, asked of each service's own API rather than of CloudFormation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One thing that exists. `identity` is its physical id in CloudFormation; `name` and `facts` are for a reader."""

    type: str
    identity: str
    name: str = field(compare=False)
    facts: str = field(compare=False, default="")


def resources(session: boto3.Session) -> list[Resource]:
    """Everything of the kinds below that exists in the account, in the order of `_KINDS`."""
    return [
        Resource(type=kind, identity=identity, name=name, facts=facts)
        for kind, find in _KINDS.items()
        for identity, name, facts in find(session)
    ]


def kinds() -> frozenset[str]:
    """The CloudFormation resource types that `resources` looks for."""
    return frozenset(_KINDS)


Found = Iterator[tuple[str, str, str]]  # identity, name, facts


def _clusters(session: boto3.Session) -> Found:
    ecs = session.client("ecs")
    for cluster in ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]:
        if cluster["status"] == "ACTIVE":
            yield cluster["clusterName"], cluster["clusterName"], f"{cluster['runningTasksCount']} tasks running"


def _services(session: boto3.Session) -> Found:
    ecs = session.client("ecs")
    for cluster in ecs.list_clusters()["clusterArns"]:
        arns = ecs.list_services(cluster=cluster)["serviceArns"]
        for service in ecs.describe_services(cluster=cluster, services=arns)["services"] if arns else []:
            if service["status"] != "INACTIVE":
                counts = f"{service['runningCount']} of {service['desiredCount']} tasks running"
                definition = service["taskDefinition"].rpartition("/")[2]
                yield service["serviceArn"], service["serviceName"], f"{counts}, {definition}"


def _task_definitions(session: boto3.Session) -> Found:
    ecs = session.client("ecs")
    for arn in ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"]:
        definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        containers = ", ".join(container["name"] for container in definition["containerDefinitions"])
        size = f"{definition['cpu']} CPU units, {definition['memory']} MiB"
        yield arn, arn.rpartition("/")[2], f"{containers} on {size}"


def _load_balancers(session: boto3.Session) -> Found:
    for balancer in session.client("elbv2").describe_load_balancers()["LoadBalancers"]:
        yield balancer["LoadBalancerArn"], balancer["DNSName"], balancer["Scheme"]


def _listeners(session: boto3.Session) -> Iterator[dict[str, Any]]:
    elbv2 = session.client("elbv2")
    for balancer in elbv2.describe_load_balancers()["LoadBalancers"]:
        listeners: Any = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        yield from listeners


def _listener_facts(session: boto3.Session) -> Found:
    for listener in _listeners(session):
        yield listener["ListenerArn"], f"{listener['Protocol']} {listener['Port']}", _action(listener["DefaultActions"])


def _rules(session: boto3.Session) -> Found:
    for listener in _listeners(session):
        for rule in session.client("elbv2").describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
            if rule["Priority"] != "default":
                conditions = ", ".join(value for condition in rule["Conditions"] for value in condition["Values"])
                yield rule["RuleArn"], f"{rule['Priority']}: {conditions}", _action(rule["Actions"])


def _action(actions: Any) -> str:
    return " ".join(
        f"{action['Type']} {action.get('TargetGroupArn', '').partition(':targetgroup/')[2].partition('/')[0]}".strip()
        for action in actions
    )


def _target_groups(session: boto3.Session) -> Found:
    elbv2 = session.client("elbv2")
    for group in elbv2.describe_target_groups()["TargetGroups"]:
        targets = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        facts = f"port {group['Port']}, health {group['HealthCheckPath']}, {len(targets)} targets"
        yield group["TargetGroupArn"], group["TargetGroupName"], facts


def _databases(session: boto3.Session) -> Found:
    for database in session.client("rds").describe_db_instances()["DBInstances"]:
        zones = "Multi-AZ" if database["MultiAZ"] else "one zone"
        version = f"{database['Engine']} {database['EngineVersion']}"
        facts = f"{version} on {database['DBInstanceClass']}, {zones}, {database['DBInstanceStatus']}"
        yield database["DBInstanceIdentifier"], database["DBInstanceIdentifier"], facts


def _snapshots(session: boto3.Session) -> Found:
    for snapshot in session.client("rds").describe_db_snapshots()["DBSnapshots"]:
        yield snapshot["DBSnapshotIdentifier"], snapshot["DBSnapshotIdentifier"], snapshot["Status"]


def _secrets(session: boto3.Session) -> Found:
    for secret in session.client("secretsmanager").list_secrets()["SecretList"]:
        yield secret["ARN"], secret["Name"], secret.get("Description", "")


def _roles(session: boto3.Session) -> Found:
    iam = session.client("iam")
    for page in iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            policies = iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
            managed = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
            yield role["RoleName"], role["RoleName"], f"{len(policies) + len(managed)} policies"


def _log_groups(session: boto3.Session) -> Found:
    for group in session.client("logs").describe_log_groups()["logGroups"]:
        days = group.get("retentionInDays")
        yield group["logGroupName"], group["logGroupName"], f"kept {days} days" if days else "kept for ever"


def _vpcs(session: boto3.Session) -> Found:
    for vpc in session.client("ec2").describe_vpcs()["Vpcs"]:
        yield vpc["VpcId"], vpc["VpcId"], vpc["CidrBlock"]


def _subnets(session: boto3.Session) -> Found:
    for subnet in session.client("ec2").describe_subnets()["Subnets"]:
        yield subnet["SubnetId"], subnet["SubnetId"], f"{subnet['CidrBlock']} in {subnet['AvailabilityZone']}"


def _security_groups(session: boto3.Session) -> Found:
    for group in session.client("ec2").describe_security_groups()["SecurityGroups"]:
        rules = f"{len(group['IpPermissions'])} rules in, {len(group['IpPermissionsEgress'])} out"
        yield group["GroupId"], group["Description"], rules


def _nat_gateways(session: boto3.Session) -> Found:
    for gateway in session.client("ec2").describe_nat_gateways()["NatGateways"]:
        if gateway["State"] != "deleted":
            yield gateway["NatGatewayId"], gateway["NatGatewayId"], f"in {gateway['SubnetId']}"


def _elastic_ips(session: boto3.Session) -> Found:
    for address in session.client("ec2").describe_addresses()["Addresses"]:
        yield address["PublicIp"], address["PublicIp"], ""


def _distributions(session: boto3.Session) -> Found:
    for distribution in session.client("cloudfront").list_distributions()["DistributionList"].get("Items", []):
        origins = ", ".join(origin["DomainName"] for origin in distribution["Origins"]["Items"])
        yield distribution["Id"], distribution["DomainName"], f"in front of {origins}"


def _user_pools(session: boto3.Session) -> Found:
    cognito = session.client("cognito-idp")
    for pool in cognito.list_user_pools(MaxResults=60)["UserPools"]:
        clients = cognito.list_user_pool_clients(UserPoolId=pool["Id"])["UserPoolClients"]
        yield pool["Id"], pool["Name"], f"{len(clients)} client"


def _file_systems(session: boto3.Session) -> Found:
    efs = session.client("efs")
    for files in efs.describe_file_systems()["FileSystems"]:
        points = efs.describe_access_points(FileSystemId=files["FileSystemId"])["AccessPoints"]
        yield files["FileSystemId"], files.get("Name", ""), f"{len(points)} volumes"


def _state_machines(session: boto3.Session) -> Found:
    for machine in session.client("stepfunctions").list_state_machines()["stateMachines"]:
        yield machine["stateMachineArn"], machine["name"], ""


def _schedules(session: boto3.Session) -> Found:
    scheduler = session.client("scheduler")
    for listed in scheduler.list_schedules()["Schedules"]:
        schedule = scheduler.get_schedule(Name=listed["Name"])
        yield schedule["Name"], schedule["Name"], f"{schedule['ScheduleExpression']}, {schedule['State'].lower()}"


def _alarms(session: boto3.Session) -> Found:
    for alarm in session.client("cloudwatch").describe_alarms()["MetricAlarms"]:
        yield alarm["AlarmName"], alarm["AlarmName"], alarm.get("AlarmDescription", "")


def _buckets(session: boto3.Session) -> Found:
    for bucket in session.client("s3").list_buckets()["Buckets"]:
        yield bucket["Name"], bucket["Name"], ""


def _keys(session: boto3.Session) -> Found:
    kms = session.client("kms")
    for key in kms.list_keys()["Keys"]:
        yield key["KeyId"], key["KeyId"], kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"].get("Description", "")


_KINDS: dict[str, Callable[[boto3.Session], Found]] = {
    "AWS::EC2::VPC": _vpcs,
    "AWS::EC2::Subnet": _subnets,
    "AWS::EC2::EIP": _elastic_ips,
    "AWS::EC2::NatGateway": _nat_gateways,
    "AWS::EC2::SecurityGroup": _security_groups,
    "AWS::CloudFront::Distribution": _distributions,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _load_balancers,
    "AWS::ElasticLoadBalancingV2::Listener": _listener_facts,
    "AWS::ElasticLoadBalancingV2::ListenerRule": _rules,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _target_groups,
    "AWS::ECS::Cluster": _clusters,
    "AWS::ECS::Service": _services,
    "AWS::ECS::TaskDefinition": _task_definitions,
    "AWS::RDS::DBInstance": _databases,
    "AWS::RDS::DBSnapshot": _snapshots,
    "AWS::EFS::FileSystem": _file_systems,
    "AWS::Scheduler::Schedule": _schedules,
    "AWS::StepFunctions::StateMachine": _state_machines,
    "AWS::SecretsManager::Secret": _secrets,
    "AWS::KMS::Key": _keys,
    "AWS::S3::Bucket": _buckets,
    "AWS::Cognito::UserPool": _user_pools,
    "AWS::CloudWatch::Alarm": _alarms,
    "AWS::IAM::Role": _roles,
    "AWS::Logs::LogGroup": _log_groups,
}
