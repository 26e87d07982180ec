"""The engine (the connections to the database) and the two ways to work on one: a statement alone, or a transaction."""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from app.api import search
from app.api.settings import Settings


def make_engine(settings: Settings) -> Engine:
    """Make the engine for `settings`; no connection is opened before the first use.

    A connection of it is in autocommit: a statement is its own transaction, and costs one round trip instead of three.
    """
    url = settings.sqlalchemy_database_url
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    timeout_milliseconds = round(settings.statement_timeout_seconds * 1000)
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=5,
        connect_args={
            "application_name": "catalogue-api",
            "connect_timeout": 5,
            "options": f"-c timezone=utc -c statement_timeout={timeout_milliseconds}",
        },
    )
    event.listen(engine, "checkout", _replace_when_closed)
    if settings.database_auth == "iam":
        from app.api import iam  # only here: it brings the AWS libraries

        iam.sign_in_by_token(engine)
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Open a connection whose statements are done all, or none when the block raises."""
    level = "SERIALIZABLE" if engine.dialect.name == "sqlite" else "READ COMMITTED"  # each one's own default
    with engine.connect().execution_options(isolation_level=level) as connection, connection.begin():
        yield connection


async def get_engine(request: Request) -> Engine:
    """Return the application's engine; `async`, so that it costs no thread."""
    engine: Engine = request.app.state.engine
    return engine


EngineDep = Annotated[Engine, Depends(get_engine)]


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
