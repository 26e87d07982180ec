"""A server process on a port of its own: the API, the UI, or any other that tests and benchmarks run."""

import itertools
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import psutil
from sqlalchemy import URL

from testkit.database import API_ROLE, libpq
from testkit.leaks import refuse_secrets
from testkit.tools import ROOT

API = [sys.executable, "-m", "app.api.main"]
UI = [sys.executable, "-m", "app.ui.serve"]
START_SECONDS = 60  # on a machine that does other things too
STOP_SECONDS = 30
_PORTS = itertools.cycle(random.sample(range(20_000, 32_000), 12_000))  # below Linux's own range, which starts at 32768
DIRECTLY = build_opener(ProxyHandler({}))  # a proxy has no way to this machine's own addresses


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    url: str
    process: psutil.Process
    start_seconds: float


@contextmanager
def api(database: URL, log: Path | None = None, **environment: str) -> Iterator[Server]:
    """Run the API on `database`, as the role it has there."""
    environment = {"DATABASE_URL": libpq(database.set(username=API_ROLE)), **environment}
    with serving(API, "API_PORT", "/health/ready", environment, log) as server:
        yield server


@contextmanager
def ui(api_url: str, log: Path | None = None, **environment: str) -> Iterator[Server]:
    """Run the UI in front of an API."""
    with serving(UI, "UI_PORT", "/_stcore/health", {"API_URL": api_url, **environment}, log) as server:
        yield server


@contextmanager
def running(
    command: Sequence[str],
    port_variable: str,
    health_path: str,
    environment: Mapping[str, str],
    log: Path,
    port: int | None = None,
) -> Iterator[str]:
    """Run a server as `serving` does and yield its URL."""
    with serving(command, port_variable, health_path, environment, log, port) as server:
        yield server.url


@contextmanager
def serving(
    command: Sequence[str],
    port_variable: str,
    health_path: str,
    environment: Mapping[str, str],
    log: Path | None = None,
    port: int | None = None,
) -> Iterator[Server]:
    """Run a server on a free port, given to it as `port_variable`; yield it once `health_path` answers with success.

    When it has ended its log is looked through for secrets.

    Without a log what it says is dropped: a container's goes into a pipe that somebody else reads, not to a disk.

    Raises:
        AssertionError: it ended or did not answer in time, and the message has its log; or its log holds a secret.
    """
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    env = {**os.environ, **environment, port_variable: str(port)}
    started = time.perf_counter()
    with (
        (log or Path(os.devnull)).open("wb") as output,
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output) as process,
    ):
        try:
            while not _answers(url + health_path):
                if process.poll() is not None:
                    raise AssertionError(f"{command} ended:\n{_said(log)}")
                if time.perf_counter() - started > START_SECONDS:
                    raise AssertionError(f"{command} is not healthy:\n{_said(log)}")
                time.sleep(0.01)
            yield Server(url, psutil.Process(process.pid), time.perf_counter() - started)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            if log:
                refuse_secrets(log.read_text(errors="replace"), environment, f"the log {log}")


def free_port() -> int:
    """Return a TCP port nothing listens on, which stays free until it is used.

    The system gives none of these to whoever asks for any port, nor to an outgoing connection; processes that ask at
    the same time begin at different ones.
    """
    for port in _PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")


def _answers(url: str) -> bool:
    try:
        with DIRECTLY.open(url, timeout=2):
            return True
    except HTTPError as error:
        error.close()
        return False
    except OSError:
        return False


def _said(log: Path | None) -> str:
    return log.read_text(errors="replace") if log else "(run it by itself to see why)"
