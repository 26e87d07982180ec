"""An embedded PostgreSQL with databases of products, and its own command-line tools."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, create_engine, text

from app.embedded_postgres import TOOLS, embedded_postgres
from testkit.products import DATED_FIELDS, write_dated_csv
from testkit.tools import ROOT

API_ROLE = "catalogue_api"
# Connections for the pools of several servers and pgbench at once; the memory that RDS gives prod's db.t4g.small, a
# quarter of its 2 GiB. The rest is PostgreSQL's default.
SETTINGS = {"max_connections": "200", "shared_buffers": "512MB"}


@contextmanager
def server_folder() -> Iterator[Path]:
    """A new folder for a PostgreSQL server's data.

    Not below pytest's own folder: every session of root closes that to other users, and the server runs as one.
    """
    with tempfile.TemporaryDirectory(prefix="catalogue-testkit-") as folder:
        yield Path(folder) / "postgres"


@contextmanager
def postgres() -> Iterator[URL]:
    """Start a server whose data goes when it stops; yield the URL of an empty database of it, as its owner."""
    with server_folder() as data:
        with embedded_postgres(data) as url:
            execute(url, *(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in SETTINGS.items()))
        with embedded_postgres(data) as url:  # it takes effect with a start
            yield url


def make_database(server: URL, rows: int) -> URL:
    """Make a database with `rows` products on the newest schema, vacuumed and analysed, and return its owner's URL."""
    name = f"rows_{rows}"
    execute(server, f"CREATE DATABASE {name}")
    url = server.set(database=name)
    migrate(url)
    if rows:
        _load(url, rows)
    execute(url, "VACUUM ANALYZE")
    return url


def migrate(url: URL) -> None:
    """Bring a database to the newest schema, with the API's role."""
    environment = {**os.environ, "DATABASE_URL": libpq(url), "DATABASE_API_USER": API_ROLE}
    command = [sys.executable, "-m", "app.api.migrate"]
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)


def _load(url: URL, rows: int) -> None:
    """Load the products first and index them then, which takes half as long."""
    with tempfile.TemporaryDirectory(prefix="catalogue-testkit-") as folder:
        file = Path(folder, "products.csv")
        write_dated_csv(file, rows)
        indexes = _rows(url, "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'products_by_%'")
        execute(url, *(f"DROP INDEX {name}" for name, _ in indexes))
        copy_in(url, f"products ({', '.join(DATED_FIELDS)})", file)
        execute(url, *(definition for _, definition in indexes))


def copy_in(url: URL, into: str, file: Path) -> None:
    """Load a CSV file into a table with psql's \\copy."""
    run_tool("psql", "--quiet", "--command", f"\\copy {into} FROM '{file}' WITH (FORMAT csv, HEADER)", libpq(url))


def execute(url: URL, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def _rows(url: URL, query: str) -> list[Any]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = list(connection.execute(text(query)))
    engine.dispose()
    return rows


def run_tool(name: str, *arguments: str) -> str:
    """Run one of the server's tools (psql, pgbench) and return what it printed."""
    return subprocess.run([TOOLS / name, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def libpq(url: URL) -> str:
    """Return the URL as libpq and the settings take it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
