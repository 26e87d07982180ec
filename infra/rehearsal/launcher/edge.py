"""What comes to a distribution by the name of its host is passed on as it comes, in both directions, WebSockets too.

The emulator itself reads a request and its answer as a whole first, and knows no WebSockets here.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_CONNECT_SECONDS = 10
_HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
_OF_A_HANDSHAKE = {"sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-protocol"}


@dataclass(frozen=True)
class Answer:
    """What is answered here and now."""

    status: int
    headers: Mapping[str, Any]
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Onward:
    """Where a request goes next, with which headers, and how long it is waited for the next byte of the answer.

    `amend` returns the headers of an answer with its status. `keep` is given an answer, as a whole, whose status is in
    `kept`.
    """

    url: str
    headers: Mapping[str, str]
    idle_seconds: float
    amend: Callable[[int, dict[str, list[str]]], Mapping[str, Any]]
    kept: Collection[int] = ()
    keep: Callable[[Answer], None] = lambda _: None


Find = Callable[[Scope, Mapping[str, str]], Onward | Answer | None]


class Edge:
    """An ASGI application in front of the emulator's own: `find` says what a request is, None for the emulator's."""

    def __init__(self, app: App, find: Find) -> None:
        self._app, self._find = app, find
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        found = self._find(scope, _headers(scope)) if scope["type"] in ("http", "websocket") else None
        if found is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send, found)
        elif isinstance(found, Answer):
            await _answer(send, found)
        else:
            await self._request(scope, receive, send, found)

    async def _request(self, scope: Scope, receive: Receive, send: Send, onward: Onward) -> None:
        content: asyncio.Queue[bytes] = asyncio.Queue(1)
        passing = asyncio.ensure_future(self._pass(scope, content, send, onward))
        reading = asyncio.ensure_future(_read(receive, content, passing))
        try:
            await asyncio.wait({passing})
        finally:
            passing.cancel()
            reading.cancel()
        if not passing.cancelled():
            passing.result()

    async def _pass(self, scope: Scope, content: asyncio.Queue[bytes], send: Send, onward: Onward) -> None:
        sends_content = {"content-length", "transfer-encoding"} & {*_headers(scope)}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=onward.idle_seconds)
        try:
            answer = await self._client().request(
                scope["method"],
                URL(onward.url, encoded=True),
                headers=_kept(onward.headers, _HOP_BY_HOP),
                data=_chunks(content) if sends_content else None,
                allow_redirects=False,
                timeout=timeout,
            )
        except TimeoutError:
            await _own_error(send, onward, 504, "The origin did not answer in time.")
            return
        except aiohttp.ClientError as error:
            await _own_error(send, onward, 502, f"The origin cannot be reached: {error}")
            return
        async with answer:
            headers: dict[str, list[str]] = {}
            for name, value in answer.raw_headers:
                headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
            of_content = {name: value for name, value in headers.items() if name not in _HOP_BY_HOP}
            amended = onward.amend(answer.status, of_content)
            if answer.status in onward.kept:
                onward.keep(Answer(answer.status, amended, await answer.read()))
            await send({"type": "http.response.start", "status": answer.status, "headers": _pairs(amended)})
            if answer.status in onward.kept:
                await send({"type": "http.response.body", "body": await answer.read(), "more_body": True})
            async for chunk in answer.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    async def _websocket(self, scope: Scope, receive: Receive, send: Send, found: Onward | Answer) -> None:
        await receive()  # the wish to connect
        if isinstance(found, Answer):
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            onwards = await self._client().ws_connect(
                URL(found.url, encoded=True),
                headers=_kept(found.headers, _HOP_BY_HOP | _OF_A_HANDSHAKE),
                protocols=scope.get("subprotocols", ()),
                max_msg_size=0,
            )
        except (aiohttp.ClientError, TimeoutError):
            await send({"type": "websocket.close", "code": 1011})
            return
        await send({"type": "websocket.accept", "subprotocol": onwards.protocol})
        there = asyncio.ensure_future(_there(receive, onwards))
        back = asyncio.ensure_future(_back(onwards, send))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            there.cancel()
            back.cancel()
            await onwards.close()
            with contextlib.suppress(Exception):  # it may have closed by itself
                await send({"type": "websocket.close", "code": onwards.close_code or 1000})

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers={"Accept", "Accept-Encoding", "Content-Type", "User-Agent"},
            )
        return self._session


def _headers(scope: Scope) -> dict[str, str]:
    """The headers of a request; one that is there several times as one, as the emulator reads them."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}{'; ' if name == 'cookie' else ', '}{value}" if name in headers else value
    return headers


def _kept(headers: Mapping[str, str], dropped: set[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in dropped}


def _pairs(headers: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    return [
        (name.lower().encode("latin-1"), str(value).encode("latin-1"))
        for name, values in headers.items()
        for value in (values if isinstance(values, list) else [values])
    ]


async def _answer(send: Send, answer: Answer) -> None:
    headers = {"content-type": "text/plain", **answer.headers, "content-length": str(len(answer.content))}
    await send({"type": "http.response.start", "status": answer.status, "headers": _pairs(headers)})
    await send({"type": "http.response.body", "body": answer.content})


async def _own_error(send: Send, onward: Onward, status: int, sentence: str) -> None:
    answer = Answer(status, onward.amend(status, {}), sentence.encode())
    if status in onward.kept:
        onward.keep(answer)
    await _answer(send, answer)


async def _read(receive: Receive, content: asyncio.Queue[bytes], passing: asyncio.Future[None]) -> None:
    """Put a request's content into the queue, b"" last; whoever leaves ends what is passed on for them."""
    while (message := await receive())["type"] != "http.disconnect":
        if message.get("body"):
            await content.put(message["body"])
        if not message.get("more_body"):
            await content.put(b"")
    passing.cancel()


async def _chunks(content: asyncio.Queue[bytes]) -> AsyncIterator[bytes]:
    while chunk := await content.get():
        yield chunk


async def _there(receive: Receive, onwards: aiohttp.ClientWebSocketResponse) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") is not None:
            await onwards.send_str(message["text"])
        else:
            await onwards.send_bytes(message["bytes"])


async def _back(onwards: aiohttp.ClientWebSocketResponse, send: Send) -> None:
    async for message in onwards:
        kind = "text" if message.type is aiohttp.WSMsgType.TEXT else "bytes"
        await send({"type": "websocket.send", kind: message.data})
