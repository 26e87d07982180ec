"""The servers that the API is measured against, each a process with one worker."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL

from testkit.database import libpq
from testkit.server import Server, serving

# With the settings of app/api/main.py that are not for speed.
UVICORN = ["-m", "uvicorn", "--timeout-keep-alive", "75", "--no-server-header", "--timeout-graceful-shutdown", "20"]


@contextmanager
def floor() -> Iterator[Server]:
    """Run the API's routes without a database."""
    with serving([sys.executable, "-m", "benchmarks.floor"], "API_PORT", "/products/1", {}) as server:
        yield server


@contextmanager
def application(name: str, path: str, database: URL, **environment: str) -> Iterator[Server]:
    """Run an application of this package, such as `benchmarks.tutorial:app`, as the API is, until `path` answers."""
    command = [sys.executable, *UVICORN, name]
    with serving(command, "UVICORN_PORT", path, {"DATABASE_URL": libpq(database), **environment}) as server:
        yield server
