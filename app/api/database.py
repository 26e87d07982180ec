"""The connections to the database, and the ways to work on them: one statement, in a thread, or a transaction."""

import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from anyio import to_thread
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from app.api import search
from app.api.prepared import WAIT_SECONDS, Connections, Parameters, Prepared, Row
from app.api.settings import Settings


class Database:
    """The database as requests use it: half of its connections are for single statements, half for threads.

    So what takes long, an import or an export, keeps nobody from reading or changing a product.
    """

    def __init__(self, settings: Settings) -> None:
        single = settings.database_pool_size // 2
        self.threads = settings.database_pool_size - single
        self.engine = make_engine(settings, pool_size=self.threads)
        self._connections = None
        # On Windows no event loop that uvicorn runs on watches sockets for others.
        if self.engine.dialect.name == "postgresql" and sys.platform != "win32":
            connect = _connector(settings)
            self._connections = Connections(lambda: connect(async_=1), single)

    async def first_row(self, statement: Prepared, parameters: Parameters) -> Row | None:
        """Run a statement as a transaction of its own, and return its first row."""
        if self._connections is not None:
            return await self._connections.first_row(statement, parameters)
        return await to_thread.run_sync(self._in_thread, statement, parameters)

    def close(self) -> None:
        """Close all connections."""
        if self._connections is not None:
            self._connections.close()
        self.engine.dispose()

    def _in_thread(self, statement: Prepared, parameters: Parameters) -> Row | None:
        with self.engine.connect() as connection:
            return connection.execute(statement.statement, parameters).first()


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
    """
    level = "SERIALIZABLE" if engine.dialect.name == "sqlite" else "READ COMMITTED"  # each one's own default
    with engine.connect().execution_options(isolation_level=level) as connection, connection.begin():
        if timeout_seconds is not None and engine.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL statement_timeout = {round(timeout_seconds * 1000)}"))
        yield connection


def _connector(settings: Settings) -> Callable[..., Any]:
    """Return what opens a connection to PostgreSQL; psycopg2's own arguments may be added."""
    url = settings.sqlalchemy_database_url
    _, parameters = url.get_dialect()().create_connect_args(url)
    timeout_milliseconds = round(settings.statement_timeout_seconds * 1000)
    parameters = {
        **parameters,
        "application_name": "catalogue-api",
        "connect_timeout": WAIT_SECONDS,
        # A server that went away without a word is noticed within half a minute; Linux alone would wait for a quarter
        # of an hour, and with it all requests.
        "tcp_user_timeout": 10_000,  # milliseconds
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "client_encoding": "utf8",  # an export passes on what comes as it comes
        "options": f"-c timezone=utc -c statement_timeout={timeout_milliseconds}",
    }
    if settings.database_auth == "password":
        return lambda **more: psycopg2.connect(**parameters, **more)
    from app.api import iam  # only here: it brings the AWS libraries

    def connect(**more: Any) -> Any:
        token = iam.token(parameters["host"], int(parameters.get("port", 5432)), parameters["user"])
        return psycopg2.connect(**{**parameters, "password": token}, **more)

    return connect


def _replace_when_closed(connection: Any, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    """Have a connection replaced that the server closed while it lay in the pool.

    An idle connection has nothing to say; when it has, that is the server's good-bye. Looking costs microseconds,
    where the pool's own ping costs a round trip.
    """
    if record.info.setdefault("unused", True):  # just opened, and may have its session's first messages still to read
        record.info["unused"] = False
    elif connection.closed or select.select([connection], [], [], 0)[0]:
        raise DisconnectionError("the server closed the connection")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA busy_timeout=5000")
    search.teach_sqlite(connection)
