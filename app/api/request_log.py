"""A line in the log for each request, and the id by which it is found again.

The id is the caller's `X-Request-ID`, or else that of the trace which `traceparent` says the request is part of
(https://www.w3.org/TR/trace-context/), or else a new one. The answer carries it, and so does all that is logged
meanwhile. Nothing that is personal is in the line: no query string, no header, no body.
"""

import logging
import os
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAME = "catalogue.requests"
ID = b"x-request-id"
TRACE = b"traceparent"
_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_TRACE = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

logger = logging.getLogger(NAME)
OnStatement = Callable[[str, float, BaseException | None], None]


@dataclass(slots=True)
class RequestRecord:
    """A request under way; its seconds in the database are those of waiting for a connection too."""

    id: str
    trace_id: str | None = None
    statements: int = 0
    database_seconds: float = 0.0


_current: ContextVar[RequestRecord | None] = ContextVar("request", default=None)
on_statement: ContextVar[OnStatement | None] = ContextVar(
    "on_statement", default=None
)  # request_traces.py, if it is on


def current() -> RequestRecord | None:
    """Return the request that this is done for, in whatever thread."""
    return _current.get()


def count_statement(sql: str, seconds: float, error: BaseException | None = None) -> None:
    """Add a statement to the request under way, if there is one; `error` is how it failed, in the driver's words."""
    if (record := _current.get()) is not None:
        record.statements += 1
        record.database_seconds += seconds
    if (also := on_statement.get()) is not None:
        also(sql, seconds, error)


class RequestLog:
    """The ASGI middleware, outermost of all."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the application answer, and write a line when it has."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record = _record_of(scope)
        status = 500  # of an answer that never began
        header = (ID, record.id.encode())

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], header]
            await send(message)

        token, started = _current.set(record), time.perf_counter()
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            if not scope["path"].startswith("/health/"):  # load balancer and container ask every few seconds
                _write(scope, record, status, time.perf_counter() - started)
            _current.reset(token)


def _record_of(scope: Scope) -> RequestRecord:
    given = trace = None
    for name, value in scope["headers"]:
        if name == ID and given is None and _ID.fullmatch(value):
            given = str(value, "ascii")
        elif name == TRACE and (found := _TRACE.fullmatch(value)):
            trace = str(found[1], "ascii")
    return RequestRecord(given or trace or os.urandom(16).hex(), trace)


def _write(scope: Scope, record: RequestRecord, status: int, seconds: float) -> None:
    client = scope.get("client") or ("-", 0)
    route = scope.get("route")
    logger.info(
        '%s:%d - "%s %s HTTP/%s" %d',
        *client,
        scope["method"],
        _printable(scope["path"]),
        scope["http_version"],
        status,
        extra={
            "caller": scope.get("state", {}).get("caller"),
            "method": scope["method"],
            "route": getattr(route, "path", None),
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
            "statements": record.statements,
            "database_milliseconds": round(record.database_seconds * 1000, 1),
        },
    )


def _printable(path: str) -> str:
    return path if path.isascii() and path.isprintable() else ascii(path)[1:-1]
