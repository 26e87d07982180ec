"""The application load balancer: the only way in, and which path leads to which service."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from infra import environment
from infra.network import Network
from infra.service import REQUEST_TIMEOUT, Service

_EVERYTHING = "/*"
_VALUES_PER_RULE = 5  # a quota of application load balancers: condition values per rule


class LoadBalancer(Construct):
    """Sends each request to the service with the most specific path, and none to a task that is not well."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: Network,
        services: Mapping[str, Service],
        settings: environment.Public,
    ) -> None:
        super().__init__(scope, construct_id)
        balancer = elbv2.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=network.vpc,
            vpc_subnets=network.public_subnets,
            internet_facing=True,
            drop_invalid_header_fields=True,
            idle_timeout=REQUEST_TIMEOUT,
        )
        targets = {name: self._target_group(service, network) for name, service in services.items()}
        paths = {
            name: service.task.service.public.paths for name, service in services.items() if service.task.service.public
        }
        rest = next((targets[name] for name in paths if _EVERYTHING in paths[name]), None)
        listener = balancer.add_listener(
            "Http",
            port=80,
            protocol=elbv2.ApplicationProtocol.HTTP,
            open=False,
            default_action=elbv2.ListenerAction.forward([rest])
            if rest
            else elbv2.ListenerAction.fixed_response(404, content_type="text/plain", message_body="Not found"),
        )
        for priority, (name, patterns) in enumerate(routes(paths), start=1):
            # Called after the priority: a rule keeps it for ever, so an update never wants one that is still taken.
            elbv2.ApplicationListenerRule(
                self,
                f"Rule{priority}",
                listener=listener,
                priority=priority,
                conditions=[elbv2.ListenerCondition.path_patterns(list(patterns))],
                action=elbv2.ListenerAction.forward([targets[name]]),
            )
        for cidr in ["0.0.0.0/0"] if settings.open_to_the_internet else settings.allowed_cidrs:
            listener.connections.allow_default_port_from(ec2.Peer.ipv4(cidr), f"HTTP from {cidr}")
        self.url = f"http://{balancer.load_balancer_dns_name}"

    def _target_group(self, service: Service, network: Network) -> elbv2.ApplicationTargetGroup:
        definition = service.task.service
        assert definition.public is not None  # noqa: S101 (only such services are given to us)
        return elbv2.ApplicationTargetGroup(
            self,
            definition.name,
            vpc=network.vpc,
            protocol=elbv2.ApplicationProtocol.HTTP,
            port=definition.ports[0],
            targets=[
                service.ecs_service.load_balancer_target(
                    container_name=definition.name, container_port=definition.ports[0]
                )
            ],
            health_check=elbv2.HealthCheck(
                path=definition.public.health_path,
                interval=Duration.seconds(10),
                timeout=Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
            # For requests that are under way when a task is replaced; five minutes otherwise.
            deregistration_delay=Duration.seconds(30),
        )


def routes(paths: Mapping[str, Sequence[str]]) -> list[tuple[str, tuple[str, ...]]]:
    """Return which service gets which path patterns, in the order in which a request is to be compared with them.

    The most specific comes first: a path without a wildcard, then the longest beginning. `/*` is left to the default.
    """
    ordered = sorted(
        ((pattern, name) for name, patterns in paths.items() for pattern in patterns if pattern != _EVERYTHING),
        key=lambda route: _specificity(route[0]),
    )
    rules: list[tuple[str, tuple[str, ...]]] = []
    for pattern, name in ordered:
        if rules and rules[-1][0] == name and len(rules[-1][1]) < _VALUES_PER_RULE:
            rules[-1] = (name, (*rules[-1][1], pattern))
        else:
            rules.append((name, (pattern,)))
    return rules


def _specificity(pattern: str) -> tuple[bool, int, str]:
    beginning = pattern.partition("*")[0].partition("?")[0]
    return beginning != pattern, -len(beginning), pattern
