"""A deadline for whatever psycopg2 waits for in a thread: a server that is frozen, or just gone, says nothing.

PostgreSQL's own `statement_timeout` ends what takes too long while the server lives; the deadline is a little later.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from psycopg2 import extensions

GRACE_SECONDS = 2  # what a statement may take beyond the time after which PostgreSQL gives up on it
_TICK_SECONDS = 0.5  # how often deadlines are looked at, while something is waited for


class _Watch:
    """Ends the connections whose time is over, in a thread that sleeps while nothing is waited for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._until: dict[DeadlineConnection, float] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, connection: "DeadlineConnection") -> Iterator[None]:
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="database-deadlines", daemon=True)
                self._thread.start()
            if not self._until:
                self._changed.notify()
            self._until[connection] = time.monotonic() + connection.deadline_seconds
        try:
            yield
        finally:
            with self._changed:
                self._until.pop(connection, None)

    def _watch(self) -> None:
        while True:
            with self._changed:
                while not self._until:
                    self._changed.wait()
                now = time.monotonic()
                for connection in [c for c, until in self._until.items() if until < now]:
                    del self._until[connection]
                    connection.hang_up()
            time.sleep(_TICK_SECONDS)


_WATCH = _Watch()


class DeadlineConnection(extensions.connection):
    """A connection of psycopg2's; what takes longer than `deadline_seconds` ends it with an OperationalError."""

    deadline_seconds: float = 10 + GRACE_SECONDS

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        # A duplicate: libpq may close its own at any time, and the number may then be somebody else's.
        self._socket = socket.socket(fileno=socket.dup(self.fileno()))

    def hang_up(self) -> None:
        """Have whoever waits for the server meet the end of the connection."""
        with suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_RDWR)

    def cursor(self, *args: Any, **named: Any) -> Any:
        """Return a cursor whose statements have the deadline."""
        return super().cursor(*args, **{"cursor_factory": _Cursor, **named})

    def set_isolation_level(self, level: Any) -> None:
        """Set the isolation level within the deadline: leaving autocommit, psycopg2 asks the server."""
        with _WATCH.over(self):
            super().set_isolation_level(level)

    def commit(self) -> None:
        """Commit, within the deadline."""
        with _WATCH.over(self):
            super().commit()

    def rollback(self) -> None:
        """Roll back, within the deadline; the server has done it for a connection that is closed."""
        if not self.closed:
            with _WATCH.over(self):
                super().rollback()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
        super().close()


class _Cursor(extensions.cursor):
    connection: DeadlineConnection

    def execute(self, *args: Any, **named: Any) -> None:
        with _WATCH.over(self.connection):
            super().execute(*args, **named)

    def executemany(self, *args: Any, **named: Any) -> None:
        with _WATCH.over(self.connection):
            super().executemany(*args, **named)

    def fetchone(self) -> Any:
        with _WATCH.over(self.connection):
            return super().fetchone()

    def fetchmany(self, *args: Any, **named: Any) -> Any:
        with _WATCH.over(self.connection):
            return super().fetchmany(*args, **named)

    def fetchall(self) -> Any:
        with _WATCH.over(self.connection):
            return super().fetchall()

    def copy_expert(self, *args: Any, **named: Any) -> None:
        with _WATCH.over(self.connection):
            super().copy_expert(*args, **named)
