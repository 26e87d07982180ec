"""The CloudFormation resource types the emulator lacks, over the services it does have, and one it gets wrong.

A type that has no service behind it at all here is only recorded: it gets an identity and an ARN, so that what refers
to it resolves. Which those are is `RECORDED`; `infra/rehearsal/gaps.py` says it in words.
"""

import string
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from infra.rehearsal.launcher import distribution
from infra.rehearsal.launcher.internals import (
    add_type,
    ec2,
    ecs,
    get_account_id,
    get_region,
    handlers,
    provisioners,
    replace,
    secretsmanager,
    waf,
)

Properties = dict[str, Any]
Created = tuple[str, dict[str, Any]]

# By type: its service in an ARN, the attributes that are its ARN, and those that are its identity.
RECORDED = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": ("autoscaling", ("Arn",), ("PolicyName",)),
    "AWS::WAFv2::LoggingConfiguration": ("wafv2", (), ()),
}


def install() -> None:
    """Add the types, and let a reference to a secret be its ARN as on AWS; the emulator has its name there."""
    add_type("AWS::EC2::SecurityGroupIngress", _rule("IpPermissions"))
    add_type("AWS::EC2::SecurityGroupEgress", _rule("IpPermissionsEgress"))
    add_type("AWS::EC2::EIP", _handlers(_elastic_ip, _release_elastic_ip))
    add_type("AWS::EC2::NatGateway", _handlers(_nat_gateway, _delete_nat_gateway))
    add_type("AWS::EC2::FlowLog", _handlers(_flow_log, _delete_flow_log))
    add_type("AWS::ApplicationAutoScaling::ScalableTarget", _handlers(_scalable_target, lambda _id, _properties: None))
    add_type("AWS::CloudFront::VpcOrigin", _handlers(distribution.create, distribution.delete))
    add_type(
        "AWS::ECS::ClusterCapacityProviderAssociations", _handlers(_capacity_providers, lambda _id, _properties: None)
    )
    add_type("AWS::WAFv2::WebACLAssociation", _handlers(_associate_web_acl, _disassociate_web_acl))
    for resource_type, (service, arns, identities) in RECORDED.items():
        add_type(resource_type, _recorded(service, arns, identities))
    replace(
        provisioners,
        "_cw_metric_alarm_record",
        lambda record: lambda name, properties: record(name, _of_one_metric(properties)),
    )
    replace(
        provisioners,
        "_sm_secret_string",
        lambda generate: lambda properties: generate(_without_punctuation(properties)),
    )
    add_type("AWS::SecretsManager::Secret", _secret(handlers("AWS::SecretsManager::Secret")))


def _handlers(create: Callable[..., Created], delete: Callable[..., None]) -> dict[str, Any]:
    """A type's handlers; an update replaces the resource."""

    def update(identity: str, old: Properties, new: Properties, stack_name: str, logical_id: str) -> Created:
        delete(identity, old)
        return create(logical_id, new, stack_name)

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def _rule(direction: str) -> dict[str, Any]:
    """Handlers of a security group rule that stands outside its group; IpPermissions or IpPermissionsEgress."""

    def create(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
        group = ec2._security_groups[properties["GroupId"]]
        rule_id = f"sgr-{uuid4().hex[:17]}"
        (rule,) = provisioners._ec2_sg_permissions([properties])
        group[direction] = [*group[direction], {**rule, "SecurityGroupRuleId": rule_id}]
        return rule_id, {"Id": rule_id}

    def delete(rule_id: str, properties: Properties) -> None:
        group = ec2._security_groups.get(properties["GroupId"])
        if group:
            group[direction] = [rule for rule in group[direction] if rule.get("SecurityGroupRuleId") != rule_id]

    return _handlers(create, delete)


def _elastic_ip(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    allocation_id = _created(ec2._addresses, lambda: ec2._allocate_address({"Domain": ["vpc"]}))
    provisioners._ec2_apply_tags(allocation_id, properties)
    address = ec2._addresses[allocation_id]["PublicIp"]
    return address, {"AllocationId": allocation_id, "PublicIp": address}


def _release_elastic_ip(address: str, _properties: Properties) -> None:
    for allocation_id, record in list(ec2._addresses.items()):
        if record["PublicIp"] == address:
            ec2._release_address({"AllocationId": [allocation_id]})


def _nat_gateway(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    request = {key: [properties[key]] for key in ("SubnetId", "AllocationId", "ConnectivityType") if key in properties}
    gateway_id = _created(ec2._nat_gateways, lambda: ec2._create_nat_gateway(request))
    provisioners._ec2_apply_tags(gateway_id, properties)
    return gateway_id, {"NatGatewayId": gateway_id}


def _delete_nat_gateway(gateway_id: str, _properties: Properties) -> None:
    ec2._delete_nat_gateway({"NatGatewayId": [gateway_id]})


def _flow_log(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    keys = ("ResourceType", "TrafficType", "LogDestinationType", "LogDestination", "LogGroupName")
    request = {key: [properties[key]] for key in keys if key in properties}
    request["ResourceId.1"] = [properties["ResourceId"]]
    flow_log_id = _created(ec2._flow_logs, lambda: ec2._create_flow_logs(request))
    provisioners._ec2_apply_tags(flow_log_id, properties)
    return flow_log_id, {"Id": flow_log_id}


def _delete_flow_log(flow_log_id: str, _properties: Properties) -> None:
    ec2._delete_flow_logs({"FlowLogId.1": [flow_log_id]})


def _scalable_target(logical_id: str, properties: Properties, stack_name: str) -> Created:
    """A service runs at least as many tasks as it may be scaled in to, as soon as that is said; no more ever."""
    _service, cluster, name = properties["ResourceId"].split("/")
    fewest = max(int(properties["MinCapacity"]), ecs._services[f"{cluster}/{name}"]["desiredCount"])
    ecs._update_service({"cluster": cluster, "service": name, "desiredCount": fewest})
    return f"{properties['ResourceId']}|{properties['ScalableDimension']}|ecs", {"Id": f"{stack_name}-{logical_id}"}


def _capacity_providers(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    cluster = ecs._clusters[ecs._resolve_cluster_name(properties["Cluster"])]
    cluster["capacityProviders"] = properties["CapacityProviders"]
    return properties["Cluster"], {}


def _associate_web_acl(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    waf._associate_web_acl(properties)
    return f"{properties['WebACLArn']}|{properties['ResourceArn']}", {}


def _disassociate_web_acl(_association_id: str, properties: Properties) -> None:
    waf._disassociate_web_acl(properties)


def _of_one_metric(alarm: Properties) -> Properties:
    """An alarm's properties, with an expression over several metrics as the name of one, which nothing measures."""
    if not alarm.get("Metrics"):
        return alarm
    expression = next(metric["Expression"] for metric in alarm["Metrics"] if "Expression" in metric)
    return alarm | {"Metrics": None, "MetricName": expression, "Namespace": "expression"}


def _without_punctuation(secret: Properties) -> Properties:
    """A secret's properties, with ExcludePunctuation, which the emulator does not know, as ExcludeCharacters."""
    generate = secret.get("GenerateSecretString", {})
    if str(generate.get("ExcludePunctuation")).lower() != "true":
        return secret
    return secret | {"GenerateSecretString": generate | {"ExcludeCharacters": string.punctuation}}


def _created(store: Mapping[str, Any], create: Callable[[], Any]) -> str:
    """The key that `create` adds to `store`: the emulator's own API answers XML, its stores have the record."""
    before = set(store)
    status, _headers, body = create()
    if status >= 400:
        raise ValueError(body)
    (key,) = set(store) - before
    return key


def _recorded(service: str, arns: tuple[str, ...], identities: tuple[str, ...]) -> dict[str, Any]:
    def create(logical_id: str, _properties: Properties, stack_name: str) -> Created:
        name = f"{stack_name}-{logical_id}"
        arn = f"arn:aws:{service}:{get_region()}:{get_account_id()}:{name}"
        return arn if arns else name, dict.fromkeys(arns, arn) | dict.fromkeys(identities, name)

    return _handlers(create, lambda _identity, _properties: None)


def _secret(by_name: dict[str, Any]) -> dict[str, Any]:
    def create(*arguments: Any) -> Created:
        _name, attributes = by_name["create"](*arguments)
        return attributes["Arn"], attributes

    def update(arn: str, *others: Any) -> Created:
        _name, attributes = by_name["update"](_name_of_secret(arn), *others)
        return attributes["Arn"], attributes

    def delete(arn: str, properties: Properties) -> None:
        by_name["delete"](_name_of_secret(arn), properties)

    return by_name | {"create": create, "update": update, "delete": delete}


def _name_of_secret(arn: str) -> str:
    name, _secret = secretsmanager._resolve(arn)
    return str(name)
