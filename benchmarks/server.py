"""A server process with one worker: the API, the UI, or another application run by the same Uvicorn as the API is."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
from sqlalchemy import URL

from benchmarks.database import API_ROLE, ROOT, libpq

# With the settings of app/api/main.py that are not for speed.
UVICORN = ["-m", "uvicorn", "--timeout-keep-alive", "75", "--no-server-header", "--timeout-graceful-shutdown", "20"]


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    url: str
    process: psutil.Process
    start_seconds: float


@contextmanager
def api(database: URL) -> Iterator[Server]:
    """Run the API on `database`, as the role it has there."""
    port = free_port()
    environment = {"DATABASE_URL": libpq(database.set(username=API_ROLE)), "API_PORT": str(port)}
    with _running(["-m", "app.api.main"], environment, port, "/health/ready") as server:
        yield server


@contextmanager
def floor() -> Iterator[Server]:
    """Run the API's routes without a database."""
    port = free_port()
    with _running(["-m", "benchmarks.floor"], {"API_PORT": str(port)}, port, "/products/1") as server:
        yield server


@contextmanager
def ui(api_url: str) -> Iterator[Server]:
    """Run the UI in front of an API."""
    port = free_port()
    environment = {"API_URL": api_url, "UI_PORT": str(port)}
    with _running(["-m", "app.ui.serve"], environment, port, "/_stcore/health") as server:
        yield server


@contextmanager
def application(name: str, path: str, database: URL, **environment: str) -> Iterator[Server]:
    """Run an application of this package, such as `benchmarks.tutorial:app`, until `path` answers."""
    port = free_port()
    arguments = [*UVICORN, "--port", str(port), name]
    with _running(arguments, {"DATABASE_URL": libpq(database), **environment}, port, path) as server:
        yield server


def free_port() -> int:
    """Return a TCP port nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running(arguments: list[str], environment: dict[str, str], port: int, path: str) -> Iterator[Server]:
    started = time.perf_counter()
    # The log goes the way a container's does: into a pipe or file that somebody else reads.
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            while not _answers(url + path):
                if process.poll() is not None or time.perf_counter() - started > 60:
                    raise RuntimeError(f"{' '.join(arguments)} did not start; run it by itself to see why")
                time.sleep(0.005)
            yield Server(url, psutil.Process(process.pid), time.perf_counter() - started)
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):  # noqa: S310 - our own address
            return True
    except HTTPError as error:
        raise RuntimeError(f"{url} answers {error.code}") from None
    except OSError:
        return False
