"""The application load balancer: the only way in, and which path leads to which service."""

import re
from collections.abc import Mapping, Sequence
from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as route53_targets
from constructs import Construct

from infra.constructs.distribution import HTTP_PORT, Distribution
from infra.constructs.network import Network
from infra.constructs.service import Service
from infra.plan.environment import CloudFrontSettings, DomainSettings, Environment, LoadBalancerSettings
from infra.plan.routes import EVERYTHING, listener_rules
from infra.plan.timeouts import (
    DEREGISTRATION_SECONDS,
    HEALTH_CHECK_SECONDS,
    REQUEST_SECONDS,
    UNWELL_AFTER,
    WELL_AFTER,
)

_HTTPS_PORT = 443
_EVERYBODY = ("0.0.0.0/0",)

# How long a browser is sent to the task that answered it first: longer than anybody leaves a page open.
_STICKINESS = Duration.days(1)


class LoadBalancer(Construct):
    """Sends each request to the service with the most specific path, and none to a task that is not well.

    `url` is where people reach it, known before there is a service: a service may have to be told.
    """

    def __init__(self, scope: Construct, construct_id: str, *, network: Network, settings: Environment) -> None:
        super().__init__(scope, construct_id)
        self._network = network
        self.certificate: acm.Certificate | None = None
        self._is_internal = is_internal = isinstance(settings.public_url, CloudFrontSettings)
        self.balancer = elbv2.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=network.vpc,
            vpc_subnets=network.isolated_subnets if is_internal else network.public_subnets,
            internet_facing=not is_internal,
            drop_invalid_header_fields=True,
            idle_timeout=Duration.seconds(REQUEST_SECONDS),
            deletion_protection=settings.deletion_protection,
        )
        match settings.public_url:
            case CloudFrontSettings():
                distribution = Distribution(
                    self,
                    "Distribution",
                    balancer=self.balancer,
                    vpc=network.vpc,
                    pass_client_address=settings.web_acl,
                )
                self.url = distribution.url
            case DomainSettings() as domain:
                self.certificate = self._name(domain)
                self._allow(domain.allowed_cidrs or _EVERYBODY, {"HTTP": HTTP_PORT, "HTTPS": _HTTPS_PORT})
                self.url = f"https://{domain.domain_name}"
            case LoadBalancerSettings() as plain:
                self._allow(_EVERYBODY if plain.open_to_the_internet else plain.allowed_cidrs, {"HTTP": HTTP_PORT})
                self.url = f"http://{self.balancer.load_balancer_dns_name}"

    def route(self, services: Mapping[str, Service]) -> dict[str, elbv2.ApplicationTargetGroup]:
        """Send requests to `services` by their public paths; return the target group of each."""
        targets = {name: self._target_group(service) for name, service in services.items()}
        paths = {
            name: service.task.service.public.paths for name, service in services.items() if service.task.service.public
        }
        rest = next((targets[name] for name in paths if EVERYTHING in paths[name]), None)
        listener = self._listener(
            elbv2.ListenerAction.forward([rest])
            if rest
            else elbv2.ListenerAction.fixed_response(404, content_type="text/plain", message_body="Not found"),
        )
        for priority, (name, patterns) in enumerate(listener_rules(paths), start=1):
            # Called after the priority: a rule keeps it for ever, so an update never wants one that is still taken.
            elbv2.ApplicationListenerRule(
                self,
                f"Rule{priority}",
                listener=listener,
                priority=priority,
                conditions=[elbv2.ListenerCondition.path_patterns(list(patterns))],
                action=elbv2.ListenerAction.forward([targets[name]]),
            )
        for service in services.values():
            service.start_after(*self.balancer.connections.security_groups)
        return targets

    def _listener(self, action: elbv2.ListenerAction) -> elbv2.ApplicationListener:
        if self.certificate is None:
            return self.balancer.add_listener(
                "Http", port=HTTP_PORT, protocol=elbv2.ApplicationProtocol.HTTP, open=False, default_action=action
            )
        self.balancer.add_redirect(open=False)
        return self.balancer.add_listener(
            "Https",
            port=_HTTPS_PORT,
            protocol=elbv2.ApplicationProtocol.HTTPS,
            certificates=[self.certificate],
            ssl_policy=elbv2.SslPolicy.TLS13_12_RES_PQ,
            open=False,
            default_action=action,
        )

    def _name(self, domain: DomainSettings) -> acm.Certificate:
        zone = route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=domain.hosted_zone_id, zone_name=domain.hosted_zone_name
        )
        route53.ARecord(
            self,
            "Name",
            zone=zone,
            record_name=f"{domain.domain_name}.",
            target=route53.RecordTarget.from_alias(route53_targets.LoadBalancerTarget(self.balancer)),
        )
        return acm.Certificate(
            self,
            "Certificate",
            domain_name=domain.domain_name,
            validation=acm.CertificateValidation.from_dns(zone),
        )

    def _allow(self, cidrs: Sequence[str], ports: Mapping[str, int]) -> None:
        for cidr in cidrs:
            for protocol, port in ports.items():
                self.balancer.connections.allow_from(ec2.Peer.ipv4(cidr), ec2.Port.tcp(port), f"{protocol} from {cidr}")

    def _target_group(self, service: Service) -> elbv2.ApplicationTargetGroup:
        definition = service.task.service
        assert definition.public is not None  # noqa: S101 (only such services are given to us)
        group = elbv2.ApplicationTargetGroup(
            self,
            definition.name,
            vpc=self._network.vpc,
            protocol=elbv2.ApplicationProtocol.HTTP,
            port=definition.ports[0],
            targets=[
                service.ecs_service.load_balancer_target(
                    container_name=definition.name, container_port=definition.ports[0]
                )
            ],
            health_check=elbv2.HealthCheck(
                path=definition.public.health_path,
                healthy_http_codes=definition.public.health_codes,
                interval=Duration.seconds(HEALTH_CHECK_SECONDS),
                timeout=Duration.seconds(HEALTH_CHECK_SECONDS - 1),
                healthy_threshold_count=WELL_AFTER,
                unhealthy_threshold_count=UNWELL_AFTER,
            ),
            stickiness_cookie_duration=_STICKINESS if definition.public.sticky else None,
            deregistration_delay=Duration.seconds(DEREGISTRATION_SECONDS),
        )
        if not self._is_internal:
            # Another scheme is another load balancer, made while the old one is there, and a target group is refused
            # that two have: so each has its own, as the logical name says.
            resource = cast("elbv2.CfnTargetGroup", group.node.default_child)
            resource.override_logical_id(f"LoadBalancer{re.sub(r'[^A-Za-z0-9]', '', definition.name)}InternetFacing")
        return group
