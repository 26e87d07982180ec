"""CloudFront in front of a load balancer that has no public address: HTTPS without a domain of one's own."""

from aws_cdk import Aws, CfnMapping, Duration
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from infra.plan.regions import REGIONS
from infra.plan.timeouts import CLOUDFRONT_KEEP_ALIVE_SECONDS, REQUEST_SECONDS

HTTP_PORT = 80

CLIENT_ADDRESS_HEADER = "true-client-ip"
"""Request header with the address of whoever asks, which nobody outside can set."""

_SET_CLIENT_ADDRESS = f"""function handler(event) {{
  event.request.headers['{CLIENT_ADDRESS_HEADER}'] = {{value: event.viewer.ip}};
  return event.request;
}}"""


# Errors that CloudFront answers again for ten seconds, whatever the cache policy says (Amazon CloudFront Developer
# Guide, "How CloudFront caches HTTP 4xx and 5xx status codes"): a product made a moment ago would still be missing.
_KEPT_ERRORS = (404, 414, 500, 501, 502, 503, 504)


class Distribution(Construct):
    """Passes everything on, WebSockets too, and keeps nothing; the load balancer lets in nobody else."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        balancer: elbv2.ApplicationLoadBalancer,
        vpc: ec2.Vpc,
        pass_client_address: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        balancer.connections.allow_from(
            ec2.Peer.prefix_list(self._origin_facing()), ec2.Port.tcp(HTTP_PORT), "HTTP from CloudFront"
        )
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.VpcOrigin.with_application_load_balancer(
                    balancer,
                    http_port=HTTP_PORT,
                    protocol_policy=cloudfront.OriginProtocolPolicy.HTTP_ONLY,
                    read_timeout=Duration.seconds(REQUEST_SECONDS),
                    keepalive_timeout=Duration.seconds(CLOUDFRONT_KEEP_ALIVE_SECONDS),
                ),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER,
                response_headers_policy=cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS,
                function_associations=[self._client_address()] if pass_client_address else None,
            ),
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            error_responses=[
                cloudfront.ErrorResponse(http_status=status, ttl=Duration.seconds(0)) for status in _KEPT_ERRORS
            ],
        )
        # CloudFront refuses an origin in a VPC to which no internet gateway is attached, though nothing passes through
        # it: the attachment, as the VPC's own dependency is the gateway alone.
        distribution.node.add_dependency(vpc.node.find_child("VPCGW"))
        self.url = f"https://{distribution.distribution_domain_name}"

    def _origin_facing(self) -> str:
        by_region = {name: {"PrefixList": region.origin_facing} for name, region in REGIONS.items()}
        return CfnMapping(self, "OriginFacing", mapping=by_region).find_in_map(Aws.REGION, "PrefixList")

    def _client_address(self) -> cloudfront.FunctionAssociation:
        return cloudfront.FunctionAssociation(
            event_type=cloudfront.FunctionEventType.VIEWER_REQUEST,
            function=cloudfront.Function(
                self, "ClientAddress", code=cloudfront.FunctionCode.from_inline(_SET_CLIENT_ADDRESS)
            ),
        )
