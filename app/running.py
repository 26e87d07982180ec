"""The application that `make run` runs in this folder: one at a time, and where it is."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

LOCK = Path(__file__).parent.parent / ".data" / "run.lock"  # who holds it runs; its lines: process, API, database


class AlreadyRunningError(Exception):
    """Another process runs the application of this folder; the argument is its id."""


@contextmanager
def alone() -> Iterator[IO[str]]:
    """Be the only one that runs the application of this folder; `announce` may be called with what is yielded.

    Raises:
        AlreadyRunningError: somebody else is.
        OSError: the folder cannot be written to.
    """
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the system gives it back, however we end
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunningError(lock.readline().strip()) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield lock


def announce(lock: IO[str], api_url: str, database_url: str) -> None:
    """Let other commands know where the API is, and the database where it is our own ("" otherwise)."""
    lock.write(f"{api_url}\n{database_url}\n")
    lock.flush()


def api_url() -> str:
    """Return the address of the API that runs in this folder, else the one that API_PORT means."""
    return _announced(0) or f"http://127.0.0.1:{os.environ.get('API_PORT') or 8000}"


def database_url() -> str:
    """Return the URL of the embedded database that runs in this folder, or ""."""
    return _announced(1)


def _announced(line: int) -> str:
    with suppress(OSError), LOCK.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            _, *announced = lock.read().splitlines()
            return announced[line] if line < len(announced) else ""
    return ""
