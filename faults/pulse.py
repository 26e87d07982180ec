"""A server's health asked for again and again: `python -m faults.pulse URL PATH …`, until its stdin ends.

A process of its own, so that no answer waits for what else an experiment does. It prints the slowest answer of each
path in seconds, and what was no success, as JSON. The first path is asked for ten times as often as the others.
"""

import asyncio
import itertools
import json
import select
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

PAUSE_SECONDS = 0.1
TIMEOUT = 30.0  # seconds


@dataclass
class Pulse:
    """The slowest answer of each health address in seconds, and what was no success; known when the block has ended."""

    slowest: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def pulse(url: str, *paths: str) -> AsyncIterator[Pulse]:
    """Ask for a server's health while the block runs."""
    found = Pulse()
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "faults.pulse", url, *paths, stdin=pipe, stdout=pipe
    )
    try:
        yield found
    finally:
        said, _ = await process.communicate(b"")
    document = json.loads(said)
    found.slowest, found.failures = document["slowest"], document["failures"]


def main(url: str, *paths: str) -> None:
    """Ask until stdin ends, then print."""
    slowest, failures = dict.fromkeys(paths, 0.0), dict.fromkeys(paths, "")
    for turn in itertools.count():
        if select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
            break
        for path in paths if turn % 10 == 0 else paths[:1]:  # readiness opens a connection to the database
            started = time.perf_counter()
            answered = _status(url, path)
            slowest[path] = max(slowest[path], time.perf_counter() - started)
            failures[path] = failures[path] or ("" if answered == "200" else answered)
    print(json.dumps({"slowest": slowest, "failures": failures}))


def _status(url: str, path: str) -> str:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        return str(connection.getresponse().status)
    except (OSError, HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
