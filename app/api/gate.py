"""What every request passes before the application sees it: is there room, who asks, is it clear and its body small?

In this order, and before a byte of the body is read, so that a stranger costs next to nothing and nobody holds a place
by sending slowly. It is plain ASGI: FastAPI asks its dependencies only after it has parsed the body.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import unquote_plus

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import person
from app.api.auth import ACCESS, IDENTITY
from app.api.errors import (
    LISTED,
    ApiError,
    BodyTooLargeError,
    BodyTooSlowError,
    FieldError,
    InvalidHeaderError,
    InvalidRequestError,
    shown,
)
from app.api.problem_handlers import problem_response
from app.api.resources import Resources
from app.api.responses import PRODUCTS

OPEN = {"/health/live", "/health/ready", "/docs", "/openapi.json"}  # all else is for who may use the API
# Files have their own limits and places: router_transfer.py reads and writes them piece by piece.
FILES = {f"{PRODUCTS}/import", f"{PRODUCTS}/import/preview", f"{PRODUCTS}/export"}
EXPECTED = "catalogue.expected"  # in the scope of a request that the server has let in
TOKENS = (b"authorization", ACCESS, IDENTITY)
# What may come only once: of two values nobody could say which one its sender means.
ONCE = frozenset((*TOKENS, b"content-type", b"idempotency-key", b"if-match"))
REPEATABLE = {"id", "categoria"}  # of the parameters; all others are such, too
ONLY_ONCE = "may be given only once"
BODY_SECONDS = 10  # within which a body has to arrive
DRAINED_SECONDS = 2  # so long and so much of a refused body is still read, for its sender to see the answer
DRAINED_BYTES = 2**20
_Name = TypeVar("_Name", bytes, str)


class Gate:
    """The ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer why not."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        resources: Resources = scope["app"].state.resources
        room, is_file = resources.room, scope["path"] in FILES
        if scope.get(EXPECTED):
            room.meet()
        tokens, has_body, length = _head(scope)
        try:
            room.require()
            _refuse_repeated_headers(scope)
            caller = await resources.authenticator.caller(*tokens)
            scope.setdefault("state", {})["caller"] = caller.id
            person.set_current(caller.name)
            _refuse_repeated_parameters(scope)
            if has_body and not is_file:
                body = await _read(receive, length, resources.settings.body_max_bytes)
                receive = _replay(body, receive)
                room.require()  # it may have filled up while the body arrived
        except _DisconnectedError:
            return
        except ApiError as error:
            await _refuse(problem_response(error), has_body, scope, receive, send)
            return
        if is_file:
            await self._app(scope, receive, send)
            return
        is_inside = True
        room.take()

        def leave() -> None:
            nonlocal is_inside
            if is_inside:
                is_inside = False
                room.leave()

        async def send_and_leave(message: Message) -> None:
            leave()  # the answer is made: however slowly it is taken, it keeps nobody out
            await send(message)

        try:
            await self._app(scope, receive, send_and_leave)
        finally:
            leave()


class _DisconnectedError(Exception):
    """Nobody waits for an answer any more."""


def _head(scope: Scope) -> tuple[list[bytes | None], bool, int]:
    """Return the headers TOKENS, whether there is a body, and how long it says it is."""
    tokens: dict[bytes, bytes | None] = dict.fromkeys(TOKENS)
    has_body, length = False, 0
    for name, value in scope["headers"]:
        if name in tokens:
            tokens[name] = value
        elif name == b"content-length":
            length = int(value) if value.isdigit() else 0
            has_body = has_body or length > 0
        elif name == b"transfer-encoding":
            has_body = True
    return list(tokens.values()), has_body, length


def _refuse_repeated_headers(scope: Scope) -> None:
    if repeated := _repeated([name for name, _ in scope["headers"] if name in ONCE]):
        raise InvalidHeaderError(repeated[0].decode().title(), ONLY_ONCE)


def _refuse_repeated_parameters(scope: Scope) -> None:
    parts = filter(None, scope["query_string"].decode("latin-1").split("&"))
    names = [unquote_plus(part.partition("=")[0]) for part in parts]
    if repeated := _repeated([name for name in names if name not in REPEATABLE]):
        mistakes = [
            FieldError(location="query", field=shown(name), message=ONLY_ONCE, code="repeated")
            for name in repeated[:LISTED]
        ]
        raise InvalidRequestError(mistakes, unlisted=len(repeated) - len(mistakes))


def _repeated(names: Sequence[_Name]) -> list[_Name]:
    return [name for name, count in Counter(names).items() if count > 1] if len(names) > len(set(names)) else []


async def _read(receive: Receive, length: int, limit: int) -> bytes:
    """Return the whole body.

    Raises:
        BodyTooLargeError, BodyTooSlowError: it is not read any further.
    """
    if length > limit:
        raise BodyTooLargeError(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _DisconnectedError
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > limit:
                    raise BodyTooLargeError(limit)
    except TimeoutError:
        raise BodyTooSlowError(BODY_SECONDS) from None
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body in one message, and then what there is besides."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again


async def _refuse(response: Response, has_body: bool, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer to a request whose body has not been read, and close the connection behind it.

    Closed at once, with bytes of the body still coming, it would be reset, and the answer often lost. So some of the
    body is read away between the answer and its end.
    """
    if not has_body:
        await response(scope, receive, send)
        return
    response.headers["connection"] = "close"
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAINED_SECONDS):
            drained = 0
            while drained < DRAINED_BYTES:
                message = await receive()
                drained += len(message.get("body", b""))
                if not message.get("more_body", False):  # nor has a disconnect
                    break
    await send({"type": "http.response.body", "body": b"", "more_body": False})
