"""What stands for CloudFront has its rules on headers and methods, and answers errors again for as long as it does."""

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypercorn.asyncio import serve
from hypercorn.config import Config

from infra.rehearsal.launcher import balancer, distribution, resource_types
from infra.rehearsal.launcher.edge import Edge
from infra.rehearsal.launcher.internals import cloudfront, handlers
from testkit.server import free_port

MANAGED = {  # ids of AWS's own policies
    "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",  # CachingDisabled
    "OriginRequestPolicyId": "216adef6-5c7f-47e4-b989-5492eafa07d3",  # AllViewer
    "ResponseHeadersPolicyId": "67f7725c-6f97-4210-82d7-5512b31e9d03",  # SecurityHeaders
}


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def made(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes a distribution as CloudFormation does, in front of a load balancer on `port`; returns its host."""
    distribution.install()
    resource_types.install()
    removals = []

    def make(kind: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        identity, attributes = handlers(kind)["create"]("Made", properties, "stack")
        removals.append((kind, identity))
        return identity, attributes

    def build(*errors: dict[str, int]) -> str:
        _, balanced = make("AWS::ElasticLoadBalancingV2::LoadBalancer", {})
        endpoint = {"OriginProtocolPolicy": "http-only", "HTTPPort": port, "HTTPSPort": 443, "Name": "a", "Arn": "a"}
        origin, _ = make("AWS::CloudFront::VpcOrigin", {"VpcOriginEndpointConfig": endpoint})
        in_vpc = {"VpcOriginId": origin, "OriginReadTimeout": 60}
        behavior = {
            "TargetOriginId": "only",
            "ViewerProtocolPolicy": "redirect-to-https",
            "AllowedMethods": ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"],
            **MANAGED,
        }
        config = {
            "Enabled": True,
            "Origins": [{"Id": "only", "DomainName": balanced["DNSName"], "VpcOriginConfig": in_vpc}],
            "DefaultCacheBehavior": behavior,
            "CustomErrorResponses": list(errors),
        }
        identity, _ = make("AWS::CloudFront::Distribution", {"DistributionConfig": config})
        return str(cloudfront._distributions[identity]["DomainName"])

    monkeypatch.setattr(balancer, "address", lambda _: "127.0.0.1")
    yield build
    for kind, identity in reversed(removals):
        handlers(kind)["delete"](identity, {})


Request = tuple[str, str, dict[str, str]]


def ask(host: str, port: int, *requests: Request) -> list[tuple[int, Any, dict[str, str]]]:
    """Send requests, a method, a path and headers each, one after the other; return what was answered.

    The origin answers with the status in the path's first part, how often it was asked and which headers it got.
    """
    asked = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        status = int(request.path.split("/")[1])
        return web.json_response([asked, dict(request.headers)], status=status, headers={"X-Frame-Options": "DENY"})

    async def converse() -> list[tuple[int, Any, dict[str, str]]]:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

        async def emulator(*_: Any) -> None:
            raise AssertionError("nothing is for the emulator here")

        config, listening, ended = Config(), free_port(), asyncio.Event()
        config.bind, config.graceful_timeout = [f"127.0.0.1:{listening}"], 0
        served: Any = Edge(emulator, distribution.onward)
        serving = asyncio.ensure_future(serve(served, config, shutdown_trigger=lambda: _until(ended)))
        await asyncio.sleep(0.2)
        said = []
        async with aiohttp.ClientSession() as client:
            for method, path, headers in requests:
                sent = {"Host": host, "X-Forwarded-Proto": "https", **headers}
                url = f"http://127.0.0.1:{listening}{path}"
                async with client.request(method, url, headers=sent, allow_redirects=False) as answered:
                    is_json = answered.content_type == "application/json" and method != "HEAD"
                    content = await answered.json() if is_json else await answered.text()
                    lowered = {name.lower(): value for name, value in answered.headers.items()}
                    said.append((answered.status, content, lowered))
        ended.set()
        await serving
        await runner.cleanup()
        return said

    return asyncio.run(asyncio.wait_for(converse(), 10))


async def _until(ended: asyncio.Event) -> None:
    await ended.wait()


def test_an_error_is_answered_again_unless_the_distribution_says_otherwise_and_only_to_the_same_request(
    made: Any, port: int
) -> None:
    usual = made()

    gets = ["/404/a", "/404/b", "/200/a", "/200/a", "/401/a", "/401/a"]
    requests: list[Request] = [("GET", "/404/a", {"Authorization": "another"}), *(("GET", path, {}) for path in gets)]
    said = ask(usual, port, *requests, ("POST", "/404/a", {}))
    assert [(status, content[0]) for status, content, _ in said] == [
        *[(404, 1), (404, 1), (404, 2)],
        *[(200, 3), (200, 4), (401, 5), (401, 6), (404, 7)],
    ]
    assert said[1][2]["x-cache"] == "Error from cloudfront"
    assert said[1][2]["age"] == "0"

    as_ours = made({"ErrorCode": 404, "ErrorCachingMinTTL": 0})
    said = ask(
        as_ours, port, ("GET", "/404/a", {}), ("GET", "/404/a", {}), ("GET", "/503/a", {}), ("GET", "/503/a", {})
    )
    assert [(status, content[0]) for status, content, _ in said] == [(404, 1), (404, 2), (503, 3), (503, 3)]


def test_headers_are_passed_on_and_added_as_the_policies_have_it(made: Any, port: int) -> None:
    host = made()

    sent = {"Authorization": "Bearer 1", "Cookie": "a=1; b=2", "X-Own": "yes", "Accept-Encoding": "br"}
    ((status, (_, headers), answered),) = ask(host, port, ("GET", "/200/a?x=1", sent))

    assert status == 200
    headers = {name.title(): value for name, value in headers.items()}
    assert headers["Host"] == host
    assert {name: headers[name] for name in sent} == sent
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["Via"].endswith("(CloudFront)")
    assert answered["strict-transport-security"] == "max-age=31536000"
    assert answered["x-content-type-options"] == "nosniff"
    assert answered["x-frame-options"] == "DENY"  # the policy's own does not override the origin's
    assert answered["x-cache"] == "Miss from cloudfront"


def test_who_comes_without_tls_is_sent_to_come_with_it(made: Any, port: int) -> None:
    host = made()

    ((status, _, answered),) = ask(host, port, ("GET", "/200/a?x=1", {"X-Forwarded-Proto": "http"}))

    assert (status, answered["location"]) == (301, f"https://{host}/200/a?x=1")
