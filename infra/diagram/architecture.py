"""What a template is made of, for a picture: who answers whom, by the rules of the security groups."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from infra.template import owner, reference

VISITOR = "visitor"
_IDENTITY = "SignIn"


class Tier(IntEnum):
    """The column of a part, from who asks to what is asked last."""

    VISITOR = 0
    EDGE = 1
    ENTRANCE = 2
    TASKS = 3
    DATA = 4


@dataclass(frozen=True)
class Part:
    """A box of the picture; `kind` is a key of the drawing's vocabulary."""

    name: str
    tier: Tier
    kind: str
    title: str = ""
    """What it is called, where there may be several of its kind."""
    detail: str = ""


@dataclass(frozen=True)
class Connection:
    """An arrow: who opens a connection to whom, and on which port."""

    source: str
    target: str
    port: int


@dataclass(frozen=True)
class Architecture:
    """The parts in the order of the template, and the connections between them."""

    parts: tuple[Part, ...]
    connections: tuple[Connection, ...]


def architecture(template: Mapping[str, Any]) -> Architecture:
    """Return the architecture of a stack, by its CloudFormation template."""
    resources: Mapping[str, Any] = template["Resources"]
    owners = {name: owner(name, resource) for name, resource in resources.items()}
    parts = tuple(_parts(resources, owners))
    known = {part.name for part in parts}
    connections = [*_from_outside(resources, owners, known)]
    for resource in resources.values():
        rule = resource.get("Properties", {})
        if resource["Type"] == "AWS::EC2::SecurityGroupIngress" and "SourceSecurityGroupId" in rule:
            ends = (owners[reference(rule["SourceSecurityGroupId"])], owners[reference(rule["GroupId"])])
            if known.issuperset(ends):
                connections.append(Connection(*ends, rule["FromPort"]))
    return Architecture(parts, tuple(dict.fromkeys(connections)))


def _parts(resources: Mapping[str, Any], owners: Mapping[str, str]) -> Iterator[Part]:
    yield Part(VISITOR, Tier.VISITOR, VISITOR)
    containers = {
        owners[name]: " → ".join(container["Name"] for container in resource["Properties"]["ContainerDefinitions"])
        for name, resource in resources.items()
        if resource["Type"] == "AWS::ECS::TaskDefinition"
    }
    for name, resource in resources.items():
        below, found = owners[name], resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::CloudFront::Distribution":
                yield Part("distribution", Tier.EDGE, "distribution")
            case "AWS::Cognito::UserPool":
                yield Part(_IDENTITY, Tier.EDGE, "user_pool")
            case "AWS::ElasticLoadBalancingV2::LoadBalancer":
                yield Part(below, Tier.ENTRANCE, "load_balancer")
            case "AWS::ECS::Service":
                yield Part(below, Tier.TASKS, "service", below, containers.get(below, ""))
            case "AWS::Scheduler::Schedule" if below in containers:
                yield Part(below, Tier.TASKS, "scheduled", below, containers[below])
            case "AWS::RDS::DBInstance":
                yield Part(below, Tier.DATA, "database", detail=f"PostgreSQL {found['EngineVersion']}")
            case "AWS::EFS::FileSystem":
                yield Part(below, Tier.DATA, "file_system", below)


def _from_outside(resources: Mapping[str, Any], owners: Mapping[str, str], known: set[str]) -> Iterator[Connection]:
    balancers = [owners[n] for n, one in resources.items() if one["Type"].endswith("V2::LoadBalancer")]
    ports = [one["Properties"]["Port"] for one in resources.values() if one["Type"].endswith("V2::Listener")]
    for balancer in balancers:
        if "distribution" in known:
            yield Connection(VISITOR, "distribution", 443)
            yield Connection("distribution", balancer, min(ports))
        else:
            yield Connection(VISITOR, balancer, max(ports))
    if _IDENTITY in known:
        yield Connection(VISITOR, _IDENTITY, 443)
