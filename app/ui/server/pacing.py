"""How long anybody may keep a request waiting, so that nobody holds one by a byte a minute."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

GRACE_SECONDS = 30.0  # of waiting for the other side at once, or for all that it is behind the least rate
MINIMUM_RATE = 8 * 1024  # bytes a second; a slow mobile connection has ten times that
TOTAL_SECONDS = 1800.0  # of waiting in one request; 50 MB at 30 kB/s
PIECE = 64 * 1024  # bytes: what is sent at a time, since all of a message would wait in memory for a slow reader


class Pace:
    """How long one side of a request may still be waited for; what it sends or takes earns it more, up to the grace."""

    def __init__(self) -> None:
        self._left = GRACE_SECONDS
        self._left_in_all = TOTAL_SECONDS

    @asynccontextmanager
    async def turn(self, size: int = 0) -> AsyncIterator[None]:
        """Wait inside of this, for bytes of a known size if any; raises TimeoutError when it takes too long."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(max(min(self._left, self._left_in_all), 0)):
                yield
        finally:
            waited = time.monotonic() - started
            self._left -= waited
            self._left_in_all -= waited
        self.moved(size)

    def moved(self, size: int) -> None:
        """Count what was sent or taken, in bytes."""
        self._left = min(self._left + size / MINIMUM_RATE, GRACE_SECONDS)


class Pacing:
    """Middleware around all requests. Only the time in which the other side is waited for counts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and end it when it comes or is taken too slowly."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sender, reader = Pace(), Pace()
        is_whole = is_too_slow = is_started = False

        async def paced_receive() -> Message:
            nonlocal is_whole, is_too_slow
            if is_whole:
                return await receive()  # which ends when the client goes, whenever that is
            try:
                async with sender.turn():
                    message = await receive()
            except TimeoutError:
                is_too_slow = True
                return {"type": "http.disconnect"}
            sender.moved(len(message.get("body", b"")))
            is_whole = not message.get("more_body", False)
            return message

        async def paced_send(message: Message) -> None:
            nonlocal is_too_slow, is_started
            if is_too_slow:
                return
            is_started = True
            try:
                for piece in _pieces(message):
                    async with reader.turn(len(piece.get("body", b""))):
                        await send(piece)
            except TimeoutError:
                is_too_slow = True
                raise ClientDisconnect from None

        try:
            await self._app(scope, paced_receive, paced_send)
        except ClientDisconnect:
            pass  # nobody is left to be answered
        except Exception:
            if not is_too_slow:
                raise
        if is_too_slow and not is_started:
            await PlainTextResponse("Too slow.", 408, {"Connection": "close"})(scope, receive, send)


def _pieces(message: Message) -> list[Message]:
    body = message.get("body", b"")
    if len(body) <= PIECE:
        return [message]
    starts = range(0, len(body), PIECE)
    return [
        {**message, "body": body[n : n + PIECE], "more_body": message.get("more_body", False) or n != starts[-1]}
        for n in starts
    ]
