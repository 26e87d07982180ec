"""The connections to the database, and the ways to work on them: one statement, in a thread, or a transaction."""

import asyncio
import math
import select as polling
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import asyncpg
import psycopg2
from anyio import to_thread
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    ExceptionContext,
    RootTransaction,
    create_engine,
    event,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from app.api import database_faults, person, request_log, search
from app.api.deadlines import GRACE_SECONDS, DeadlineConnection
from app.api.errors import DatabaseUnavailableError, UnknownOutcomeError
from app.api.prepared import WAIT_SECONDS, Connections, Parameters, Prepared, Row
from app.api.revision import current_revision
from app.api.settings import Settings

STATE = """SELECT to_regclass('alembic_version') IS NOT NULL AS migrated,
    current_setting('transaction_read_only') = 'on' AS read_only"""
REVISION = "SELECT version_num FROM alembic_version"
DISK_FULL_SECONDS = 60  # for so long after a change that found the disk full, changes are taken to be impossible
# The event loop finds one row by its key, or goes through some in the order of an index. So the plans do not depend
# on values, and may be kept; guessing how many match, PostgreSQL would sort, or read the whole table.
IN_ORDER = dict.fromkeys(("enable_seqscan", "enable_bitmapscan", "enable_sort", "jit"), "off")
APPLICATION = "catalogue-api"  # by which name PostgreSQL lists the connections
# What libpq and asyncpg call by the same name; the rest of what a DATABASE_URL may say is about libpq's own sockets.
BOTH_KNOW = (
    *("host", "port", "dbname", "user", "password", "passfile", "service", "target_session_attrs"),
    *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "krbsrvname", "gsslib"),
)


@dataclass(frozen=True)
class State:
    """What the database says of itself; `refuses_changes` is a sentence, where it does."""

    revision: str | None
    refuses_changes: str | None


class Database:
    """The database as requests use it: half of its connections are for single statements, half for threads.

    So what takes long, an import or an export, keeps nobody from reading or changing a product.
    """

    def __init__(self, settings: Settings) -> None:
        single = settings.database_pool_size // 2
        self.threads = settings.database_pool_size - single
        self.engine = make_engine(settings, pool_size=self.threads)
        self._connections = None
        if self.engine.dialect.name == "postgresql":
            self._connect = _async_connector(settings)
            self._connections = Connections(self._connect, single)
        self._disk_full_at = -math.inf  # by the monotonic clock
        event.listen(self.engine, "handle_error", self._note)
        event.listen(self.engine, "before_cursor_execute", _note_start)
        event.listen(self.engine, "after_cursor_execute", _note_end)

    async def rows(self, statement: Prepared, parameters: Parameters) -> Sequence[Row]:
        """Run a statement as a transaction of its own, and return its rows.

        Raises:
            ApiError: the database did not do it, or nobody knows whether it did.
        """
        if self._connections is None:
            return await to_thread.run_sync(self._in_thread, statement, parameters)
        started, failure = time.perf_counter(), None
        try:
            rows = await self._connections.rows(statement, parameters)
        except database_faults.FAULTS as error:
            failure = error
            database_faults.leave_out_values(error)
            self._note_disk_full(error)
            raise database_faults.problem_of(error, changes=statement.changes) or error from error
        finally:
            request_log.count_statement(statement.sql, time.perf_counter() - started, failure)
        if statement.changes:
            self._disk_full_at = -math.inf
        return rows

    async def first_row(self, statement: Prepared, parameters: Parameters) -> Row | None:
        """Run a statement as `rows` does, and return its first row."""
        rows = await self.rows(statement, parameters)
        return rows[0] if rows else None

    async def state(self) -> State:
        """Ask the database how it is, on a new connection of its own.

        Raises:
            ApiError: it cannot be reached.
        """
        if self._connections is None:
            return await asyncio.to_thread(self._state_of_sqlite)
        try:
            connection = await self._connect()
            try:
                row = await connection.fetchrow(STATE)
                revision = await connection.fetchval(REVISION) if row["migrated"] else None
            finally:
                connection.terminate()
        except (OSError, TimeoutError, asyncpg.InterfaceError) as error:
            raise DatabaseUnavailableError from error
        except asyncpg.PostgresError as error:
            raise database_faults.problem_of(error) or error from error
        if row["read_only"]:
            return State(revision, database_faults.REASONS[database_faults.READ_ONLY])
        full = time.monotonic() - self._disk_full_at < DISK_FULL_SECONDS
        return State(revision, database_faults.REASONS[database_faults.DISK_FULL] if full else None)

    def close(self) -> None:
        """Close all connections."""
        if self._connections is not None:
            self._connections.close()
        self.engine.dispose()

    def _note(self, context: ExceptionContext) -> None:
        if isinstance(context.sqlalchemy_exception, DBAPIError):
            database_faults.leave_out_values(context.sqlalchemy_exception)
            self._note_disk_full(context.sqlalchemy_exception)
        if context.connection is not None and context.statement and "started" in context.connection.info:
            seconds = time.perf_counter() - context.connection.info.pop("started")
            request_log.count_statement(context.statement, seconds, context.original_exception)

    def _note_disk_full(self, error: Exception) -> None:
        if database_faults.sqlstate(error) == database_faults.DISK_FULL:
            self._disk_full_at = time.monotonic()

    def _state_of_sqlite(self) -> State:
        with self.engine.connect() as connection:
            return State(current_revision(connection), None)

    def _in_thread(self, statement: Prepared, parameters: Parameters) -> Sequence[Row]:
        with self.engine.connect() as connection:
            return connection.execute(statement.statement, parameters).all()


def make_engine(settings: Settings, *, pool_size: int = 1) -> Engine:
    """Make the engine for `settings`; no connection is opened before the first use.

    A connection of it is in autocommit: a statement is its own transaction, and costs one round trip instead of three.
    """
    url = settings.sqlalchemy_database_url
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    engine = create_engine(
        url,
        creator=_connector(settings),
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,  # products and their suppliers are nobody's business in a log
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
    )
    event.listen(engine, "checkout", _replace_when_closed)
    return engine


@contextmanager
def transaction(engine: Engine, *, timeout_seconds: float | None = None) -> Iterator[Connection]:
    """Open a connection whose statements are done all, or none when the block raises.

    PostgreSQL gives up on a statement after `timeout_seconds`, where they are not the settings' own.

    Raises:
        UnknownOutcomeError: the connection was lost while the transaction was committed.
    """
    level = "SERIALIZABLE" if engine.dialect.name == "sqlite" else "READ COMMITTED"  # each one's own default
    with engine.connect() as connection:
        connection.execution_options(isolation_level=level)
        driver: Any = connection.connection.dbapi_connection
        usual = getattr(driver, "deadline_seconds", None)
        begun = connection.begin()
        try:
            if engine.dialect.name == "postgresql":
                told: list[ColumnElement[str]] = []  # in one statement, as each is a way to the server and back
                if timeout_seconds is not None:
                    driver.deadline_seconds = timeout_seconds + GRACE_SECONDS
                    told.append(func.set_config("statement_timeout", str(round(timeout_seconds * 1000)), true()))
                if name := person.current():
                    told.append(person.told(literal(name)))
                if told:
                    connection.execute(select(*told))
            yield connection
            _commit(begun)
        finally:
            if usual is not None:
                driver.deadline_seconds = usual
            begun.close()  # rolls back what was not committed


def _commit(begun: RootTransaction) -> None:
    try:
        begun.commit()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise UnknownOutcomeError from error
        raise


def _connector(settings: Settings) -> Callable[[], Any]:
    """Return what opens a connection to PostgreSQL with psycopg2, for a thread."""
    parameters = _parameters(settings)
    parameters |= {
        "application_name": APPLICATION,
        "connect_timeout": WAIT_SECONDS,
        # A server that went away without a word is noticed within half a minute; Linux alone would wait for a quarter
        # of an hour, and with it all requests.
        "tcp_user_timeout": 10_000,  # milliseconds
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "client_encoding": "utf8",  # an export passes on what comes as it comes
        "options": f"{parameters.get('options', '')} -c timezone=utc -c statement_timeout={_milliseconds(settings)}",
        "connection_factory": DeadlineConnection,
    }
    token = _token_source(settings, parameters)

    def connect() -> Any:
        connection: Any = psycopg2.connect(**({**parameters, "password": token()} if token else parameters))
        connection.deadline_seconds = settings.statement_timeout_seconds + GRACE_SECONDS
        return connection

    return connect


def _async_connector(settings: Settings) -> Callable[[], Awaitable[Any]]:
    """Return what opens a connection to PostgreSQL with asyncpg, for the event loop."""
    parameters = _parameters(settings)
    token = _token_source(settings, parameters)
    known = {name: parameters[name] for name in BOTH_KNOW if parameters.get(name)}
    if "host" in known:
        known["host"] = ",".join(map(_bracketed, known["host"].split(",")))
    address = "postgresql://?" + urlencode(known)
    more: dict[str, Any] = {} if token is None else {"password": lambda: asyncio.to_thread(token)}

    def connect() -> Awaitable[Any]:
        return asyncpg.connect(
            address,
            timeout=WAIT_SECONDS,
            command_timeout=settings.statement_timeout_seconds + GRACE_SECONDS,
            max_cached_statement_lifetime=0,  # seconds; for ever: there are few statements, and asyncpg has its bound
            server_settings={
                "application_name": APPLICATION,
                "timezone": "utc",
                "statement_timeout": str(_milliseconds(settings)),
                **IN_ORDER,
                **({"options": parameters["options"]} if parameters.get("options") else {}),
            },
            **more,
        )

    return connect


def _bracketed(host: str) -> str:
    """Return a host as asyncpg wants it, which takes a colon for the beginning of a port."""
    return f"[{host}]" if ":" in host and not host.startswith("/") else host


def _parameters(settings: Settings) -> dict[str, Any]:
    """Return what the settings say of the connection, in libpq's words."""
    url = settings.sqlalchemy_database_url
    _, parameters = url.get_dialect()().create_connect_args(url)
    return dict(parameters)


def _token_source(settings: Settings, parameters: dict[str, Any]) -> Callable[[], str] | None:
    """Return what makes the password of each new connection, where that is a token."""
    if settings.database_auth == "password":
        return None
    from app.api import iam  # only here: it brings the AWS libraries

    return lambda: iam.token(parameters["host"], int(parameters.get("port", 5432)), parameters["user"])


def _milliseconds(settings: Settings) -> int:
    return round(settings.statement_timeout_seconds * 1000)


def _note_start(connection: Connection, *_others: object) -> None:
    connection.info["started"] = time.perf_counter()


def _note_end(connection: Connection, _cursor: object, sql: str, *_others: object) -> None:
    request_log.count_statement(sql, time.perf_counter() - connection.info.pop("started"))


def _replace_when_closed(connection: Any, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    """Have a connection replaced that the server closed while it lay in the pool.

    An idle connection has nothing to say; when it has, that is the server's good-bye. Looking costs microseconds,
    where the pool's own ping costs a round trip.
    """
    if record.info.setdefault("unused", True):  # just opened, and may have its session's first messages still to read
        record.info["unused"] = False
    elif connection.closed or polling.select([connection], [], [], 0)[0]:
        raise DisconnectionError("the server closed the connection")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA busy_timeout=5000")
    search.teach_sqlite(connection)
    connection.create_function("catalogue_person", 0, person.current)
