"""The engine (the connections to the database) and the session a request works in."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

from app.api import iam
from app.api.settings import Settings


def make_engine(settings: Settings) -> Engine:
    """Make the engine for `settings`; no connection is opened before the first use."""
    url = settings.sqlalchemy_database_url
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"check_same_thread": False})
        event.listen(engine, "connect", _let_sqlite_read_while_writing)
        return engine
    timeout_milliseconds = round(settings.statement_timeout_seconds * 1000)
    engine = create_engine(
        url,
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=True,  # a restarted or failed-over database costs no request its answer
        connect_args={
            "application_name": "catalogue-api",
            "connect_timeout": 5,
            "options": f"-c timezone=utc -c statement_timeout={timeout_milliseconds}",
        },
    )
    if settings.database_auth == "iam":
        iam.sign_in_by_token(engine)
    return engine


def make_session_factory(engine: Engine) -> sessionmaker[Session]:
    """Make the factory of sessions; a committed object stays readable, so answering needs no second SELECT."""
    return sessionmaker(engine, expire_on_commit=False)


def get_session(request: Request) -> Iterator[Session]:
    """Open a session for one request; what was not committed is rolled back."""
    session_factory: sessionmaker[Session] = request.app.state.session_factory
    with session_factory() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def _let_sqlite_read_while_writing(connection: object, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[attr-defined]
    connection.execute("PRAGMA busy_timeout=5000")  # type: ignore[attr-defined]
