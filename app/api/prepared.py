"""Prepared statements on PostgreSQL connections that the event loop waits for.

For what is one statement, and most of what is asked is. A thread for it, and handing the interpreter's lock to and fro
with it, takes as long as all the rest of such a request; parsing and planning, half of the server's time.
"""

import asyncio
import itertools
import select
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE
from sqlalchemy import Select, UpdateBase
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

WAIT_SECONDS = 5  # for a connection to become free, and for a new one to open
_DIALECT = PGDialect_psycopg2(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

Parameters = dict[str, Any]
Row = Sequence[Any]


class Prepared:
    """A statement of SQLAlchemy's, compiled once.

    `columns` are those that an insert or update sets, to parameters of the same names.
    """

    def __init__(self, statement: Select[Any] | UpdateBase, columns: Sequence[str] | None = None) -> None:
        self.statement = statement
        compiled: Any = statement.compile(dialect=_DIALECT, column_keys=columns)
        self.sql = str(compiled)
        self._names: list[str] = compiled.positiontup
        self._constants: Parameters = compiled.params
        self.placeholders = ", ".join(["%s"] * len(self._names))  # what psycopg2 puts the values in for

    def values(self, parameters: Parameters) -> list[Any]:
        """Return the values in the order of the statement's $1, $2 and so on."""
        return [parameters[name] if name in parameters else self._constants[name] for name in self._names]


class Connections:
    """At most `size` connections, each opened when it is first needed.

    `connect` begins to open one in psycopg2's asynchronous mode.
    """

    def __init__(self, connect: Callable[[], Any], size: int) -> None:
        self._connect = connect
        self._free = asyncio.Semaphore(size)
        self._idle: list[_Connection] = []

    async def first_row(self, statement: Prepared, parameters: Parameters) -> Row | None:
        """Run a statement as a transaction of its own, and return its first row.

        Raises:
            psycopg2.OperationalError: the database did not answer, or not in time.
            sqlalchemy.exc.TimeoutError: no connection became free in WAIT_SECONDS.
        """
        if self._free.locked():
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await self._free.acquire()
            except TimeoutError:
                raise PoolTimeoutError(f"no connection became free in {WAIT_SECONDS} s") from None
        else:
            await self._free.acquire()
        try:
            connection = await self._take()
            try:
                row = await connection.first_row(statement, parameters)
            except BaseException:  # also when nobody waits any more: its answer may be yet to come
                connection.close()
                raise
            self._idle.append(connection)
            return row
        finally:
            self._free.release()

    def close(self) -> None:
        """Close the connections; no statement is under way any more."""
        for connection in self._idle:
            connection.close()

    async def _take(self) -> "_Connection":
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
        # In a thread: looking up the server's name waits, whatever the mode.
        return _Connection(await asyncio.to_thread(_opened, self._connect))


class _Connection:
    """A connection and what is prepared on it. The event loop tells it whenever the server has said something."""

    def __init__(self, connection: Any) -> None:
        self.closed = False
        self._connection = connection
        self._cursor = connection.cursor()
        self._prepared: dict[Prepared, str] = {}
        self._numbers = itertools.count()
        self._answer: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._socket: int = connection.fileno()
        self._loop.add_reader(self._socket, self._proceed)

    async def first_row(self, statement: Prepared, parameters: Parameters) -> Row | None:
        values = statement.values(parameters)
        execute = self._prepared.get(statement) or await self._prepare(statement)
        try:
            await self._run(execute, values)
        except psycopg2.errors.FeatureNotSupported:
            # A migration changed a column's type since the statement was prepared; nothing has been done.
            await self._run(await self._prepare(statement), values)
        row: Row | None = self._cursor.fetchone()
        return row

    def close(self) -> None:
        """End it, also in the middle of a statement."""
        self.closed = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._connection.close()

    async def _prepare(self, statement: Prepared) -> str:
        name = f"statement_{next(self._numbers)}"
        await self._run(f"PREPARE {name} AS {statement.sql}")
        self._prepared[statement] = execute = f"EXECUTE {name} ({statement.placeholders})"
        return execute

    async def _run(self, sql: str, values: Sequence[Any] | None = None) -> None:
        self._cursor.execute(sql, values)  # sends it, and waits for nothing
        self._answer = self._loop.create_future()
        self._proceed()
        try:
            await self._answer
        finally:
            self._answer = None

    def _proceed(self) -> None:
        """Read or write what can be read or written now."""
        try:
            state = self._connection.poll()
        except psycopg2.Error as error:
            if self._answer is None:  # the server ended it while it lay idle
                self.close()
            elif not self._answer.done():
                self._answer.set_exception(error)
            return
        if self._answer is None or self._answer.done():
            return
        if state == POLL_WRITE:  # the statement is longer than what the socket takes at once
            self._loop.add_writer(self._socket, self._proceed)
            return
        self._loop.remove_writer(self._socket)
        if state == POLL_OK:
            self._answer.set_result(None)


def _opened(connect: Callable[[], Any]) -> Any:
    """Open a connection, waiting for it in this thread."""
    connection = connect()
    until = time.monotonic() + WAIT_SECONDS
    while (state := connection.poll()) != POLL_OK:
        readers, writers = [connection] * (state == POLL_READ), [connection] * (state == POLL_WRITE)
        if not any(select.select(readers, writers, [], max(0, until - time.monotonic()))):
            connection.close()
            raise psycopg2.OperationalError(f"no connection within {WAIT_SECONDS} s")
    return connection
