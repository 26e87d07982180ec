"""What stands for CloudFront passes requests on as they come: nothing is held back, and nothing goes on for nobody."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypercorn.asyncio import serve
from hypercorn.config import Config

from infra.rehearsal.launcher.edge import Edge, Onward, Scope
from testkit.server import free_port

_SECONDS = 10


@asynccontextmanager
async def edge(*, idle_seconds: float = 5, **routes: Callable[[web.Request], Any]) -> AsyncIterator[str]:
    """An origin with a handler for each path, and the address of an edge in front of it."""
    application = web.Application()
    for name, handler in routes.items():
        application.router.add_route("*", f"/{name}", handler)
    runner = web.AppRunner(application, handler_cancellation=True)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def find(scope: Scope, headers: Mapping[str, str]) -> Onward:
        address = f"http://127.0.0.1:{free_port()}" if scope["path"] == "/nowhere" else origin + scope["path"]
        return Onward(url=address, headers=headers, idle_seconds=idle_seconds, amend=lambda _, answered: answered)

    async def emulator(*_: Any) -> None:
        raise AssertionError("nothing is for the emulator here")

    config, port, ended = Config(), free_port(), asyncio.Event()
    config.bind, config.graceful_timeout = [f"127.0.0.1:{port}"], 0
    served: Any = Edge(emulator, find)
    serving = asyncio.ensure_future(serve(served, config, shutdown_trigger=partial(_until, ended)))
    try:
        while not _answers(port):
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        ended.set()
        await serving
        await runner.cleanup()


async def _until(ended: asyncio.Event) -> None:
    await ended.wait()


def _answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), _SECONDS))


def test_what_is_sent_arrives_before_the_rest_is_there_in_both_directions() -> None:
    async def speak(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"X-Method": request.method})
        answer.headers.extend([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        await answer.prepare(request)
        async for chunk in request.content.iter_any():
            await answer.write(chunk.upper())
        return answer

    async def conversation() -> None:
        said: asyncio.Queue[bytes] = asyncio.Queue()

        async def words() -> AsyncIterator[bytes]:
            while word := await said.get():
                yield word

        async with edge(speak=speak) as url, aiohttp.ClientSession() as client:
            said.put_nowait(b"one")
            async with client.post(f"{url}/speak?a=%2F", data=words()) as answer:
                assert await answer.content.readany() == b"ONE"
                said.put_nowait(b"two")
                assert await answer.content.readany() == b"TWO"
                said.put_nowait(b"")
                assert await answer.read() == b""
                assert answer.headers["X-Method"] == "POST"
                assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2"]

    run(conversation)


def test_a_websocket_passes_with_its_protocol_text_and_bytes_until_one_of_both_ends_it() -> None:
    closed: list[int | None] = []

    async def echo(request: web.Request) -> web.WebSocketResponse:
        assert request.headers["Cookie"] == "who=me"
        answer = web.WebSocketResponse(protocols=["streamlit"], max_msg_size=0)
        await answer.prepare(request)
        async for message in answer:
            if message.data == "bye":
                await answer.close(code=4001)
            elif message.type is aiohttp.WSMsgType.TEXT:
                await answer.send_str(message.data[::-1])
            else:
                await answer.send_bytes(message.data[::-1])
        closed.append(answer.close_code)
        return answer

    async def conversation() -> None:
        async with edge(echo=echo) as url, aiohttp.ClientSession() as client:
            arguments: Any = {"protocols": ["other", "streamlit"], "headers": {"Cookie": "who=me"}, "max_msg_size": 0}
            async with client.ws_connect(f"{url}/echo", **arguments) as there:
                assert there.protocol == "streamlit"
                await there.send_str("abc")
                assert await there.receive_str() == "cba"
                await there.send_bytes(b"12" * 4_000_000)
                assert await there.receive_bytes() == b"21" * 4_000_000
            async with client.ws_connect(f"{url}/echo", **arguments) as there:
                await there.send_str("bye")
                await there.receive()
                assert there.close_code == 4001
            while len(closed) < 2:
                await asyncio.sleep(0.01)

    run(conversation)


@pytest.mark.parametrize(("path", "status"), [("nowhere", 502), ("silence", 504)])
def test_an_origin_that_is_not_there_or_says_nothing_is_a_gateway_error(path: str, status: int) -> None:
    async def silence(_request: web.Request) -> web.Response:
        await asyncio.sleep(_SECONDS)
        return web.Response()

    async def ask() -> None:
        async with (
            edge(idle_seconds=0.2, silence=silence) as url,
            aiohttp.ClientSession() as client,
            client.get(f"{url}/{path}") as answer,
        ):
            assert answer.status == status

    run(ask)


def test_an_answer_that_stops_in_the_middle_does_not_look_complete() -> None:
    async def stall(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"half")
        await asyncio.sleep(_SECONDS)
        return answer

    async def ask() -> None:
        async with (
            edge(idle_seconds=0.2, stall=stall) as url,
            aiohttp.ClientSession() as client,
            client.get(f"{url}/stall") as answer,
        ):
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()

    run(ask)


def test_who_leaves_ends_the_request_at_the_origin_too() -> None:
    ended = asyncio.Event()

    async def wait(_request: web.Request) -> web.Response:
        try:
            await asyncio.sleep(_SECONDS)
        finally:
            ended.set()
        return web.Response()

    async def ask() -> None:
        async with edge(wait=wait) as url:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.3)) as client:
                with pytest.raises(TimeoutError):
                    await client.get(f"{url}/wait")
            await ended.wait()

    run(ask)
