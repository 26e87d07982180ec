"""Uvicorn as it serves the API, with the bounds that it does not have by itself.

Who sends the head of a request slowly, at length or for nothing is cut off, and so is who does not take an answer. What
is refused because too much is under way is refused here, before anything is made for it: at ten times the load that one
process can serve, refusals are most of what it does.
"""

import asyncio
import contextlib
import gc
import logging
import sys
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.responses import JSONResponse, Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.api import logs
from app.api.errors import (
    ApiError,
    HeadTooLargeError,
    HeadTooSlowError,
    InvalidHttpError,
    OverloadedError,
    UrlTooLongError,
)
from app.api.gate import EXPECTED, OPEN
from app.api.health import Health
from app.api.logs import LogFormat
from app.api.problem_handlers import problem_response
from app.api.resources import Resources

KEEP_ALIVE_SECONDS = 75  # longer than a load balancer's 60, or it meets closed connections (502)
GRACE_SECONDS = 15  # for requests under way at the end, within docker-compose.yml's stop_grace_period
HEAD_SECONDS = 10  # within which the head of a request has to arrive
HEAD_BYTES = 2**16  # as on AWS, where the load balancer takes no more
HEADERS_MAX = 200
URL_BYTES = 2**14  # as on AWS; room for the thousand ids of one bulk delete
PIPELINED_MAX = 16  # requests that are sent before their predecessors are answered
STALLED_SECONDS = 60  # a client that takes nothing for so long is cut off
STALLED_MAX = 100  # clients that keep an answer waiting at a time; a long one has half a megabyte
IDLE_SECONDS = 1  # after its start, or an answer; then it may be closed for a new one, if there are as many as can be
WAITING_SECONDS = 0.1  # within which a request that was sent to a connection held up is read after it
OVERFLOW = 50  # connections beyond the bound: they are told so, and may ask for the health
LINGER_SECONDS = 2
# New connections in a turn of the event loop. uvloop takes one of each listening socket in a turn, so that of hundreds
# that come at once the last would wait for a second, and the health's among them; each of these is the same socket.
ACCEPTED_AT_ONCE = 16
LIVE = "/health/live"
SMALL_BODY = 2**16  # bytes; a larger one that is refused is not waited for


def serve(application: FastAPI, host: str, port: int, log_format: LogFormat) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests under way."""
    # The event loop asks for the interpreter's lock with every socket that has something to say, and would get it only
    # after 5 ms from a thread that has work to do: all lists and files would slow down what costs nothing.
    sys.setswitchinterval(0.0005)
    # What is not printed is not looked up for every request (https://docs.python.org/3/howto/logging.html#optimization).
    logging._srcfile = None
    logging.logThreads = logging.logMultiprocessing = logging.logProcesses = False
    # What the start has made stays; looking through it for garbage would hold up requests for a tenth of a second.
    gc.collect()
    gc.freeze()
    # Nearly nothing here is garbage that only a search finds; Python's own thresholds search with every few requests.
    gc.set_threshold(25_000, 20, 100)

    class Connection(BoundedConnection):
        api = application

    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        http=Connection,
        ws="none",
        log_config=logs.config(log_format, "api"),
        access_log=False,  # request_log.py has it
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )
    listener = config.bind_socket()
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run([listener, *(listener.dup() for _ in range(ACCEPTED_AT_ONCE - 1))])


class BoundedConnection(HttpToolsProtocol):
    """A client's connection."""

    api: FastAPI
    _stalled: set["BoundedConnection"] = set()  # noqa: RUF012 - of the process
    _idle: dict["BoundedConnection", float] = {}  # noqa: RUF012 - of the process: since when, the longest first

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch the time."""
        super().connection_made(transport)
        resources: Resources = self.api.state.resources
        self._room, self._refusals, self._starts = resources.room, resources.refusals, resources.starts
        self._refused_at_once = 0
        self._refused_until = 0.0
        self._head_since: float | None = self.loop.time()
        self._head_bytes = 0
        self._has_ended = False
        self._is_whole = True  # the last request whose head has arrived
        self._answered_at = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        beyond = len(self.connections) - resources.settings.connections_max
        self._is_one_too_many = beyond > 0 and not self._close_an_idle_one()
        if beyond > OVERFLOW:
            transport.abort()
        else:
            self._watch = self.loop.call_later(HEAD_SECONDS, self._look)
            self._idle[self] = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        for timer in (self._watch, self._stall):
            if timer is not None:
                timer.cancel()
        self._stalled.discard(self)
        self._idle.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, as long as the head is not too large."""
        if self._has_ended:
            return
        self._idle.pop(self, None)
        self._refused_at_once = 0
        super().data_received(data)
        if self._head_since is not None and not self._has_ended:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._close_with(UrlTooLongError() if not self.headers else HeadTooLargeError())

    def on_message_begin(self) -> None:
        """Notice the first byte of a request."""
        super().on_message_begin()
        self._head_since = self.loop.time()
        self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; not one that comes behind the body, which nobody reads, and which may have no end."""
        if self._head_since is not None:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the request, unless it cannot be one of ours."""
        self._head_since, self._is_whole = None, False
        if len(self.url) > URL_BYTES:
            self._close_with(UrlTooLongError())
        elif len(self.headers) > HEADERS_MAX:
            self._close_with(HeadTooLargeError())
        elif not self._names_its_host():
            self._close_with(InvalidHttpError())
        elif len(self.pipeline) >= PIPELINED_MAX:
            self._has_ended = True
            self.transport.abort()
        if not self._has_ended:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body, of a request that was started."""
        if not self._has_ended:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Notice the end of a request that was started."""
        self._is_whole = True
        if not self._has_ended:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._answered_at = self.loop.time()
        if not self.pipeline and not self.transport.is_closing():
            self._idle.pop(self, None)
            self._idle[self] = self._answered_at

    def pause_writing(self) -> None:
        """Give the client a while to take what was sent."""
        super().pause_writing()
        self._stalled.add(self)
        if len(self._stalled) > STALLED_MAX:
            self.transport.abort()
        else:
            self._stall = self.loop.call_later(STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on, since it took some."""
        if self._stall is not None:
            self._stall.cancel()
        self._stalled.discard(self)
        super().resume_writing()

    def hold_up(self) -> None:
        """Leave what the client sends where it is, until `read_on`."""
        if not self.transport.is_closing():
            self._idle.pop(self, None)
            self.flow.pause_reading()

    def read_on(self, *, refuse: bool) -> None:
        """Read again, after `hold_up`; refuse what has been waiting."""
        self._refused_until = self.loop.time() + WAITING_SECONDS if refuse else 0
        if not self.transport.is_closing():
            self.flow.resume_reading()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - Uvicorn's words, for every reason the same
        """Answer what is no HTTP."""
        self._close_with(InvalidHttpError())

    def _names_its_host(self) -> bool:
        """Say whether there is one `Host` (RFC 9112, 3.2): of two, a proxy may take another than this server."""
        hosts = sum(name == b"host" for name, _ in self.headers)
        return hosts == 1 or (hosts == 0 and self.parser.get_http_version() == "1.0")

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        scope: Any = cycle.scope
        if scope["path"] == LIVE and scope["method"] == "GET":
            self._answer_at_once(cycle, _ALIVE)
        elif scope["path"] in OPEN:
            super()._start_asgi_task(cycle, app)
        elif self._is_one_too_many:
            cycle.response_started = cycle.response_complete = True
            self._close_with(OverloadedError())
        elif self._room.free <= 0 or self.loop.time() < self._refused_until:
            self._refuse(cycle)
        else:
            self._room.expect()
            scope[EXPECTED] = True
            self._starts.add(partial(super()._start_asgi_task, cycle, app))

    def _refuse(self, cycle: RequestResponseCycle) -> None:
        """Answer a request for which there is no room."""
        self._refused_at_once += 1
        if self._refused_at_once > PIPELINED_MAX:
            self._has_ended = True
            cycle.response_started = cycle.response_complete = True
            self.transport.abort()
            return
        self._answer_at_once(cycle, _OVERLOADED)
        self._refusals.add(self)

    def _answer_at_once(self, cycle: RequestResponseCycle, answers: Mapping[bool, bytes]) -> None:
        """Answer without the application; of the answers one closes the connection, and one keeps it."""
        cycle.response_started = cycle.response_complete = True  # its body is read away
        is_last = not cycle.keep_alive or _has_large_body(cycle.scope)
        self.transport.write(answers[is_last])
        if is_last:
            self.transport.close()
        cycle.on_response()

    def _close_with(self, error: ApiError) -> None:
        """Say what is wrong, and close; an answer that is under way is broken off instead.

        What is still on its way is read for a while: a connection that is closed before is reset, and the answer lost.
        """
        self._has_ended = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()
            return
        self.transport.write(_answer(error, is_last=True))
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _close_an_idle_one(self) -> bool:
        """Close the connection that has been kept for nothing longest, for another to have its place."""
        for connection, since in self._idle.items():
            if self.loop.time() - since < IDLE_SECONDS:
                break
            connection.transport.close()
            del self._idle[connection]
            return True
        return False

    def _look(self) -> None:
        """Look whether the head of a request takes too long, or what is behind it goes on long after the answer."""
        now = self.loop.time()
        is_answered = self.cycle is not None and self.cycle.response_complete
        if is_answered and not self._is_whole and now - self._answered_at >= HEAD_SECONDS:
            self.transport.abort()
        elif self._head_since is not None and now - self._head_since >= HEAD_SECONDS:
            if self._head_bytes:
                self._close_with(HeadTooSlowError())
            else:
                self.transport.close()
        else:
            self._watch = self.loop.call_later(HEAD_SECONDS / 2, self._look)


def _answer(error: ApiError, *, is_last: bool) -> bytes:
    return _whole(problem_response(error), is_last=is_last)


def _whole(response: Response, *, is_last: bool) -> bytes:
    """Return a response as it is sent."""
    response.headers["connection"] = "close" if is_last else "keep-alive"
    response.headers["cache-control"] = "no-store"
    response.headers["x-content-type-options"] = "nosniff"
    lines = [f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}".encode()]
    lines += [name + b": " + value for name, value in response.raw_headers]
    return b"\r\n".join([*lines, b"", bytes(response.body)])


_OVERLOADED = {is_last: _answer(OverloadedError(), is_last=is_last) for is_last in (False, True)}
# Whoever asks whether the process lives would end it for being busy: so this waits for nothing that does.
_ALIVE = {is_last: _whole(JSONResponse(Health().model_dump()), is_last=is_last) for is_last in (False, True)}


def _has_large_body(scope: Any) -> bool:
    return scope["method"] != "GET" and any(
        name == b"transfer-encoding" or (name == b"content-length" and int(value) > SMALL_BODY)
        for name, value in scope["headers"]
    )
