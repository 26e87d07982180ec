"""A connection from the network: how long it may take to say what it wants, and how many there may be."""

import asyncio
import time
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 15.0  # from the first connection, or from the first byte of a later request, to the end of its headers
CLOSING_SECONDS = 10.0  # for the other side to take what was sent last
LOOK_SECONDS = 1.0  # between two looks at a connection
CONNECTIONS = 1000  # at once and without a session; a browser has six


class BoundedProtocol(H11Protocol):
    """Uvicorn's protocol with an end to every wait of a connection that is not in a request.

    Requests have theirs from the middleware, and WebSockets from their pings. When there are too many connections, the
    one that has been idle for longest gives way, so that a health check always finds room.
    """

    max_connections: ClassVar[int] = CONNECTIONS
    header_seconds: ClassVar[float] = HEADER_SECONDS
    _idle: ClassVar[dict["BoundedProtocol", None]] = {}  # the one idle for longest first

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: float | None = None
        self._closing_since: float | None = None
        self._look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._waits()
        self._look = self.loop.call_later(LOOK_SECONDS, self._looks)
        if len(self.connections) > self.max_connections and self._idle:
            next(iter(self._idle))._end()

    def data_received(self, data: bytes) -> None:
        """Take bytes in; with the last one of its headers a request begins."""
        if self._is_idle() and self._deadline is None:
            self._deadline = time.monotonic() + self.header_seconds
        super().data_received(data)
        if not self._is_idle():
            self._deadline = None
            self._idle.pop(self, None)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; a request under way, in whose body it was, gets no other answer."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.abort()
                return
        super().send_400_response(msg)

    def on_response_complete(self) -> None:
        """Be idle again, until the next request."""
        super().on_response_complete()
        if self._is_idle() and not self.transport.is_closing():
            self._idle[self] = None
            if self.conn.their_state is h11.SEND_BODY:  # of which nobody wanted the rest
                self._deadline = time.monotonic() + self.header_seconds

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Leave the connection to the protocol of WebSockets."""
        self._forget()
        super().handle_websocket_upgrade(event)

    def _waits(self) -> None:
        self._deadline = time.monotonic() + self.header_seconds
        self._idle[self] = None

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _forget(self) -> None:
        self._idle.pop(self, None)
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _looks(self) -> None:
        """End the connection if it has been waited for too long."""
        now = time.monotonic()
        if self.transport.is_closing():
            self._closing_since = self._closing_since or now
            if now - self._closing_since > CLOSING_SECONDS:
                self.transport.abort()
                return
        elif self._deadline is not None and self._is_idle() and now > self._deadline:
            self._end()
            return
        self._look = self.loop.call_later(LOOK_SECONDS, self._looks)

    def _end(self) -> None:
        self._idle.pop(self, None)
        self.transport.abort()
