"""What CloudFormation makes before what needs it, and so removes after it, also when a first deployment fails."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.conftest import Resource, Template


class Graph:
    """Who waits for whom in a template, by logical names."""

    def __init__(self, template: Template) -> None:
        self.resources: dict[str, Resource] = template.body["Resources"]
        self._direct = {
            name: {*_named(resource), *resource.get("DependsOn", [])} & self.resources.keys()
            for name, resource in self.resources.items()
        }

    def of(self, *kinds: str) -> dict[str, Resource]:
        """Return the properties of the resources of these types."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"].removeprefix("AWS::") in kinds
        }

    def before(self, name: str) -> set[str]:
        """Return all that is made before a resource, and removed after it."""
        found: set[str] = set()
        open_ends = {name}
        while open_ends:
            open_ends = {other for one in open_ends for other in self._direct[one]} - found
            found |= open_ends
        return found

    def named_in(self, value: Any) -> set[str]:
        """Return the resources that a part of the template names."""
        return set(_named(value)) & self.resources.keys()


def _named(value: Any) -> Iterator[str]:
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from re.findall(r"\$\{(\w+)", text)
        case dict():
            for part in value.values():
                yield from _named(part)
        case list():
            for part in value:
                yield from _named(part)


@pytest.fixture(params=["dev", "prod", "prod_with_domain", "load_balancer_alone"])
def graph(request: pytest.FixtureRequest) -> Graph:
    """The graph of each template in turn."""
    return Graph(request.getfixturevalue(request.param))


def test_what_needs_the_internet_gateway_is_removed_before_it_is_detached(graph: Graph) -> None:
    (attachment,) = graph.of("EC2::VPCGatewayAttachment")
    facing = {
        name
        for name, balancer in graph.of("ElasticLoadBalancingV2::LoadBalancer").items()
        if balancer["Scheme"] == "internet-facing"
    }
    users = {*graph.of("EC2::NatGateway", "CloudFront::VpcOrigin", "ECS::Service"), *facing}

    assert len(users) >= 3
    assert [name for name in users if attachment not in graph.before(name)] == []


def test_tasks_have_their_way_out_for_as_long_as_they_run(graph: Graph) -> None:
    routes = graph.of("EC2::Route", "EC2::SubnetRouteTableAssociation")
    for name, service in graph.of("ECS::Service").items():
        subnets = graph.named_in(service["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"])
        associated = {one: route for one, route in routes.items() if graph.named_in(route.get("SubnetId")) & subnets}
        tables = {table for route in associated.values() for table in graph.named_in(route["RouteTableId"])}
        ways = {one for one, route in routes.items() if graph.named_in(route["RouteTableId"]) & tables}

        assert len(subnets) == 2
        assert len(ways) == 4
        assert ways <= graph.before(name)


def test_a_service_is_gone_before_its_capacity_providers_and_its_namespace(graph: Graph) -> None:
    for name, service in graph.of("ECS::Service").items():
        if "CapacityProviderStrategy" in service:
            (association,) = graph.of("ECS::ClusterCapacityProviderAssociations")
            assert association in graph.before(name)
        assert graph.of("ServiceDiscovery::HttpNamespace", "ECS::Cluster").keys() <= graph.before(name)


def test_security_group_rules_are_there_for_as_long_as_a_service_connects_or_is_connected_to(graph: Graph) -> None:
    groups = {
        group: name
        for name, service in graph.of("ECS::Service").items()
        for group in graph.named_in(service["NetworkConfiguration"]["AwsvpcConfiguration"]["SecurityGroups"])
    }
    rules = graph.of("EC2::SecurityGroupIngress", "EC2::SecurityGroupEgress")
    checked = 0
    for rule, properties in rules.items():
        owner = graph.named_in(properties["GroupId"])
        other = graph.named_in([properties.get("SourceSecurityGroupId"), properties.get("DestinationSecurityGroupId")])
        client, server = (owner, other) if "DestinationSecurityGroupId" in properties else (other, owner)
        # Who connects waits for the rules of both sides; who is connected to, only where no service connects.
        for group in client & groups.keys() or server & groups.keys():
            assert rule in graph.before(groups[group]), rule
            checked += 1
    assert checked >= 8


def test_roles_keep_their_policies_for_as_long_as_tasks_run(graph: Graph) -> None:
    for name in graph.of("ECS::Service"):
        before = graph.before(name)
        roles = before & graph.of("IAM::Role").keys()
        policies = {one for one, policy in graph.of("IAM::Policy").items() if graph.named_in(policy["Roles"]) & roles}

        assert len(roles) >= 2
        assert policies
        assert policies <= before


def test_a_log_group_is_removed_after_who_writes_to_it_who_would_make_it_again(graph: Graph) -> None:
    writers = {
        "/aws/rds/": graph.of("RDS::DBInstance"),
        "aws-waf-logs-": graph.of("WAFv2::LoggingConfiguration"),
        "/aws/events/": graph.of("Events::Rule"),
        "/catalogue-": graph.of("ECS::Service"),
    }
    for name, group in graph.of("Logs::LogGroup").items():
        (kind,) = [kind for kind in writers if str(group["LogGroupName"]).startswith(kind)]
        assert any(name in graph.before(writer) for writer in writers[kind])
        assert graph.resources[name]["DeletionPolicy"] == "Delete"


def test_whoever_logs_to_a_bucket_is_removed_before_the_policy_that_lets_them(graph: Graph) -> None:
    policies = graph.of("S3::BucketPolicy").keys()
    writers = {
        name
        for name, properties in graph.of("EC2::FlowLog", "ElasticLoadBalancingV2::LoadBalancer").items()
        if graph.named_in(properties) & graph.of("S3::Bucket").keys()
    }

    assert bool(writers) == bool(policies)
    assert [name for name in writers if not policies <= graph.before(name)] == []


def test_what_cannot_be_removed_while_something_is_in_it_is_left(graph: Graph) -> None:
    for name in graph.of("S3::Bucket", "ECR::Repository"):
        assert graph.resources[name]["DeletionPolicy"] == "Retain"


def test_a_target_group_has_its_listener_for_as_long_as_a_service_is_registered_in_it(graph: Graph) -> None:
    forwarding = graph.of("ElasticLoadBalancingV2::Listener", "ElasticLoadBalancingV2::ListenerRule")
    for name, service in graph.of("ECS::Service").items():
        groups = graph.named_in(service["LoadBalancers"])
        forwards = {one for one, properties in forwarding.items() if graph.named_in(properties) & groups}

        assert len(groups) == 1
        assert forwards & graph.before(name)
