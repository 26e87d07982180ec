"""Statements of SQLAlchemy's, compiled once, on connections of asyncpg's, which wait for them in the event loop.

A thread for a statement, and handing the interpreter's lock to and fro with it, takes as long as all the rest of a
request for one product; parsing and planning, half of the server's time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy import CompoundSelect, Delete, Select, Update, UpdateBase, bindparam
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.api import person

WAIT_SECONDS = 5  # for a connection to become free, and for a new one to open
# Not asyncpg's own dialect, which has a cast around every parameter.
_DIALECT = PGDialect_psycopg2(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_FATAL = ("FATAL", "PANIC")

Parameters = dict[str, Any]
Row = Sequence[Any]
Connection: TypeAlias = "asyncpg.Connection[Any]"


class NoConnectionError(Exception):
    """The database took no connection, or not in time: nothing was sent."""


class LostConnectionError(Exception):
    """A connection ended, or its time did, before the answer was there: what was sent may have been done."""


class Prepared:
    """A statement of SQLAlchemy's, compiled once.

    `columns` are those that an insert or update sets, to parameters of the same names. An update or delete has one
    more column in its rows, which tells the triggers whose change it is: they are called after the rows are made.
    """

    def __init__(
        self, statement: Select[Any] | CompoundSelect[Any] | UpdateBase, columns: Sequence[str] | None = None
    ) -> None:
        self.statement = statement
        self.changes = isinstance(statement, UpdateBase)
        if isinstance(statement, Update | Delete):
            statement = statement.returning(person.told(bindparam("person")))
        compiled: Any = statement.compile(dialect=_DIALECT, column_keys=columns)
        self.sql = str(compiled)
        self._names: list[str] = compiled.positiontup
        self._constants: Parameters = compiled.params

    def values(self, parameters: Parameters) -> list[Any]:
        """Return the values in the order of the statement's $1, $2 and so on."""
        given = self._constants | {"person": person.current() or ""} | parameters
        return [given[name] for name in self._names]


class Connections:
    """At most `size` connections, each opened when it is first needed.

    asyncpg's own pool takes a quarter of a read's processor time (docs/decisions/event-loop-driver.md), and hands
    out connections that have to be waited for: here one that failed is ended, never waited for.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], size: int) -> None:
        self._connect = connect
        self._free = asyncio.Semaphore(size)
        self._idle: list[Connection] = []

    async def rows(self, statement: Prepared, parameters: Parameters) -> Sequence[Row]:
        """Run a statement as a transaction of its own, and return its rows.

        Raises:
            NoConnectionError: the database cannot be reached.
            LostConnectionError: the answer did not come.
            asyncpg.PostgresError: the database refused the connection or the statement, which did nothing.
            sqlalchemy.exc.TimeoutError: no connection became free in WAIT_SECONDS.
        """
        values = statement.values(parameters)
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
                rows: Sequence[Row] = await connection.fetch(statement.sql, *values)
            except BaseException as error:  # also when nobody waits any more: its answer may be yet to come
                connection.terminate()
                if _was_over(error):
                    raise NoConnectionError(_words(error)) from error
                if _is_lost(error):
                    self.close()  # whatever ended it, those that lie idle have met too
                    raise LostConnectionError(_words(error)) from error
                if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                    self.close()  # they lead to a server that is the primary no more
                raise
            self._idle.append(connection)
            return rows
        finally:
            self._free.release()

    def close(self) -> None:
        """End the connections that nobody uses."""
        while self._idle:
            self._idle.pop().terminate()

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            connection.terminate()  # the server ended it while it lay idle
        try:
            return await self._connect()
        except (OSError, TimeoutError, asyncpg.InterfaceError) as error:
            raise NoConnectionError(_words(error)) from error


def _was_over(error: BaseException) -> bool:
    """Say whether the connection had ended before anything was sent, which asyncpg has no error of its own for."""
    return isinstance(error, asyncpg.InternalClientError) and "cannot switch to state" in str(error)


def _is_lost(error: BaseException) -> bool:
    """Say whether the connection ended in the middle: asyncpg, the network, our deadline or the server did it."""
    if isinstance(error, asyncpg.PostgresError):
        return isinstance(error, asyncpg.PostgresConnectionError) or error.severity in _FATAL
    if isinstance(error, ValueError):  # asyncpg's word for a parameter of the wrong type: nothing was sent
        return False
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError)


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
