"""The proxies of the rehearsal, real ones, do what Service Connect and a load balancer do with what passes."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from infra.rehearsal.launcher import balancer, envoy, service_connect
from infra.rehearsal.launcher.internals import alb, ecs, handlers
from testkit.server import free_port

_ENVOY = Path(sys.executable).with_name("envoy")
_SECONDS = 20
_INWARD, _OUTWARD = 15000, 15500  # where a task's proxy listens: for others, and for the task itself
Handler = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]


@asynccontextmanager
async def origin(handler: Handler) -> AsyncIterator[int]:
    """A server with one handler for everything, and its port."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield port
    finally:
        await runner.cleanup()


@asynccontextmanager
async def proxy(files: Mapping[str, str], folder: Path, *ports: int) -> AsyncIterator[dict[int, int]]:
    """Envoy as `files` say, but in `folder`, and on free ports in the place of these, which it yields."""
    moved = {port: free_port() for port in (*ports, envoy.ADMIN_PORT)}
    put(files, folder, moved)
    command = envoy.COMMAND.replace(envoy.FOLDER, str(folder)).removeprefix("exec envoy").split()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([_ENVOY, *command, "--base-id", str(free_port())], stdout=log, stderr=log)
    try:
        async with aiohttp.ClientSession() as client:
            while not await _is_live(client, moved[envoy.ADMIN_PORT]):
                assert process.poll() is None, (folder / "log").read_text()
                await asyncio.sleep(0.05)
        assert (folder / "log").read_text() == ""
        yield moved
    finally:
        process.terminate()
        process.wait(10)


def put(files: Mapping[str, str], folder: Path, moved: Mapping[int, int]) -> None:
    """Put files where the proxy looks for them, each at once."""
    for path, text in files.items():
        for port, other in moved.items():
            text = text.replace(f'"port_value": {port}}}', f'"port_value": {other}}}')
        target = folder / Path(path).name
        target.with_suffix(".new").write_text(text.replace(envoy.FOLDER, str(folder)))
        target.with_suffix(".new").rename(target)


async def _is_live(client: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with client.get(f"http://127.0.0.1:{port}/listeners") as answer:
            return bool((await answer.read()).strip())
    except aiohttp.ClientError:
        return False


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, _SECONDS))


class Talker:
    """A server that speaks for a while, or is silent, or fails for a while, and counts what it was asked."""

    def __init__(self, *, failures: int = 0, words: int = 1, pause: float = 0) -> None:
        self.asked, self._failures, self._words, self._pause = 0, failures, words, pause

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.asked += 1
        if self.asked <= self._failures:
            return web.Response(status=503)
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(self._words):
            await answer.write(b"word ")
            await asyncio.sleep(self._pause)
        return answer


@pytest.fixture
def task() -> Iterator[Callable[..., dict[str, str]]]:
    """Makes what the proxy is told of a task of `api`, one of several with addresses and ports of this machine."""

    def make(*ports: int, **timeout: int) -> dict[str, str]:
        definition = {
            "family": "api",
            "containerDefinitions": [{"portMappings": [{"name": "api", "containerPort": ports[0]}]}],
        }
        offered = {"PortName": "api", "ClientAliases": [{"DnsName": "api", "Port": 8000}], "Timeout": timeout}
        service_connect.note("the-api", {"Enabled": True, "Services": [offered]})
        for number, port in enumerate(ports):
            ecs._task_defs[f"api:{number}"] = {"containerDefinitions": [{"portMappings": [_mapping(port)]}]}
            ecs._tasks[str(number)] = {
                "group": "service:the-api",
                "lastStatus": "RUNNING",
                "taskDefinitionArn": f"api:{number}",
                "_container_ip": "127.0.0.1",
                "_is_well": True,
            }
        return service_connect.files("the-api", definition, {"api": "127.255.0.1"})

    try:
        yield make
    finally:
        service_connect.note("the-api", {})
        for store in (ecs._tasks, ecs._task_defs):
            store.clear()


def _mapping(port: int) -> dict[str, Any]:
    return {"name": "api", "containerPort": port}


def test_a_service_connect_proxy_ends_a_complete_answer_that_takes_too_long_and_only_that(
    task: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    talker = Talker(words=15, pause=0.1)

    async def listen(limit: int, asked: int) -> bool:
        async with origin(talker.answer) as port:
            told = task(port, PerRequestTimeoutSeconds=limit)
            folder = tmp_path / f"{limit}-{asked}"
            folder.mkdir()
            async with proxy(told, folder, _INWARD, _OUTWARD) as ports, aiohttp.ClientSession() as client:
                answer = await client.get(f"http://127.0.0.1:{ports[asked]}/")
                try:
                    return await answer.read() == b"word " * 15
                except aiohttp.ClientPayloadError:
                    return False

    async def compare() -> None:
        for port in (_INWARD, _OUTWARD):
            assert not await listen(1, port)
            assert await listen(0, port)

    run(compare())


def test_a_service_connect_proxy_ends_what_is_silent(task: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    talker = Talker(words=2, pause=3)

    async def listen() -> None:
        async with origin(talker.answer) as port:
            told = task(port, PerRequestTimeoutSeconds=0, IdleTimeoutSeconds=1)
            async with proxy(told, tmp_path, _INWARD, _OUTWARD) as ports, aiohttp.ClientSession() as client:
                answer = await client.get(f"http://127.0.0.1:{ports[_INWARD]}/")
                with pytest.raises(aiohttp.ClientPayloadError):
                    await answer.read()

    run(listen())


def test_a_name_is_asked_again_twice_after_503_whatever_the_method_and_another_task_where_one_is_not_there(
    task: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    async def ask() -> None:
        failing, talker = Talker(failures=99), Talker(failures=2)
        async with origin(failing.answer) as bad, origin(talker.answer) as port, aiohttp.ClientSession() as client:
            told = task(bad)
            async with proxy(told, tmp_path, _INWARD, _OUTWARD) as ports:
                url, inward = f"http://127.0.0.1:{ports[_OUTWARD]}/", f"http://127.0.0.1:{ports[_INWARD]}/"
                assert (await client.post(url, data=b"x")).status == 503
                assert failing.asked == 3
                assert (await client.post(inward, data=b"x")).status == 503  # it is the one who asks that repeats
                assert failing.asked == 4
                put(task(port), tmp_path, ports)
                while (await client.post(url, data=b"x")).status == 503:
                    await asyncio.sleep(0.05)
                assert talker.asked == 3
                put(task(free_port(), port), tmp_path, ports)  # at the first one nobody answers
                for _ in range(6):
                    assert (await client.post(url, data=b"x")).status == 200

    run(ask())


@pytest.fixture
def balanced() -> Iterator[Callable[..., str]]:
    """Makes a load balancer as CloudFormation does, with a sticky target group for / and one for /api, and targets."""
    made: list[tuple[str, str]] = []

    def make(kind: str, **properties: Any) -> str:
        name = f"AWS::ElasticLoadBalancingV2::{kind}"
        arn = str(handlers(name)["create"](kind, properties, "stack")[0])
        made.append((name, arn))
        return arn

    def build(idle: int, *targets: list[int]) -> str:
        attributes = [{"Key": "idle_timeout.timeout_seconds", "Value": str(idle)}]
        arn = make("LoadBalancer", LoadBalancerAttributes=attributes)
        sticky = [{"Key": "stickiness.enabled", "Value": "true"}]
        health = {"HealthCheckPath": "/health", "HealthCheckIntervalSeconds": 5, "HealthyThresholdCount": 2}
        groups = [make("TargetGroup", TargetGroupAttributes=some, **health) for some in (sticky, [])]
        forward = [{"Type": "forward", "TargetGroupArn": group} for group in groups]
        listener = make("Listener", LoadBalancerArn=arn, Port=80, Protocol="HTTP", DefaultActions=[forward[0]])
        condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api", "/api/*"]}}
        make("ListenerRule", ListenerArn=listener, Priority=1, Conditions=[condition], Actions=[forward[1]])
        for group, ports in zip(groups, targets, strict=True):
            alb.set_targets_for_group(group, [("127.0.0.1", port) for port in ports])
        return arn

    try:
        yield build
    finally:
        for name, arn in reversed(made):
            handlers(name)["delete"](arn, {})


def test_a_load_balancer_sends_by_path_keeps_a_browser_with_its_target_and_says_where_from(
    balanced: Callable[..., str], tmp_path: Path
) -> None:
    def named(name: str) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            if request.path == "/health":
                return web.Response(status=200 if request.headers["Host"].startswith("127.0.0.1:") else 400)
            headers = ("Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port")
            return web.json_response([name, *(request.headers.get(header) for header in headers)])

        return answer

    async def ask() -> None:
        async with origin(named("ui 1")) as one, origin(named("ui 2")) as two, origin(named("api")) as three:
            told = balancer.files(balanced(60, [one, two], [three]))
            async with proxy(told, tmp_path, 80) as ports:
                url = f"http://127.0.0.1:{ports[80]}"
                async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
                    await _until_well(client, url)
                    client.cookie_jar.clear()
                    seen = {(await (await client.get(f"{url}/page")).json())[0] for _ in range(6)}
                    assert len(seen) == 1  # its cookie says which
                    sent = {"Host": "shop.example.com", "X-Forwarded-For": "203.0.113.9"}
                    for path in ("/api", "/api/1"):
                        async with client.get(url + path, headers=sent) as answer:
                            said = await answer.json()
                            assert said[2].split(",")[0] == "203.0.113.9"
                            assert said[2].split(",")[1:] != []  # the one who asks is added to it
                            assert [*said[:2], *said[3:]] == ["api", "shop.example.com", "http", "80"]
                jar = aiohttp.DummyCookieJar()
                async with aiohttp.ClientSession(cookie_jar=jar) as client:
                    seen = {(await (await client.get(f"{url}/api2")).json())[0] for _ in range(6)}
                    assert seen == {"ui 1", "ui 2"}

    run(ask())


def test_a_load_balancer_has_its_own_errors_for_targets_that_are_silent_gone_or_not_there(
    balanced: Callable[..., str], tmp_path: Path
) -> None:
    async def behave(request: web.Request) -> web.Response:
        if request.path.endswith("silent"):
            await asyncio.sleep(3)
        if request.path.endswith("gone"):
            assert request.transport
            request.transport.abort()
        return web.Response(text="well")

    async def ask() -> None:
        async with origin(behave) as port:
            arn = balanced(1, [port], [])
            async with proxy(balancer.files(arn), tmp_path, 80) as ports, aiohttp.ClientSession() as client:
                url = f"http://127.0.0.1:{ports[80]}"
                await _until_well(client, url)
                said = [(await client.get(url + path)).status for path in ("/gone", "/silent", "/api")]
                assert said == [502, 504, 503]
                # A target that is taken away finishes what it was asked; nothing else is sent to it.
                asked = asyncio.ensure_future(client.get(f"{url}/slow-but-well"))
                await asyncio.sleep(0.1)
                group = alb._listeners[next(iter(alb._listeners))]["DefaultActions"][0]["TargetGroupArn"]
                alb.set_targets_for_group(group, [], ["127.0.0.1"])
                put(balancer.files(arn), tmp_path, ports)
                assert (await asked).status == 200
                while (await client.get(url)).status != 503:
                    await asyncio.sleep(0.05)

    run(ask())


def test_a_load_balancer_passes_a_websocket_for_as_long_as_somebody_speaks(
    balanced: Callable[..., str], tmp_path: Path
) -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        if request.path == "/health":
            return web.Response()
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        async for message in answer:
            await answer.send_str(message.data)
        return answer

    async def speak() -> None:
        async with origin(echo) as port:
            told = balancer.files(balanced(1, [port], []))
            async with proxy(told, tmp_path, 80) as ports, aiohttp.ClientSession() as client:
                url = f"http://127.0.0.1:{ports[80]}"
                await _until_well(client, f"{url}/health")
                async with client.ws_connect(url) as there:
                    for _ in range(4):  # twice as long as silence may be
                        await asyncio.sleep(0.5)
                        await there.send_str("here")
                        assert await there.receive_str() == "here"
                    ended = await there.receive()
                    assert ended.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSE)

    run(speak())


async def _until_well(client: aiohttp.ClientSession, url: str) -> None:
    while (await client.get(url)).status == 503:
        await asyncio.sleep(0.05)
    await asyncio.sleep(2.5)  # every target was asked
