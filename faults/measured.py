"""What is measured beside an experiment, in processes of their own: a load (open_loop.py) and a pulse (pulse.py)."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from faults.open_loop import Outcome


@dataclass
class Pulse:
    """The slowest answer of each health address in seconds, and what was no success; known when the block has ended."""

    slowest: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


async def offer(
    url: str, path: str, headers: dict[str, str], *, rate: float, seconds: float, connections: int
) -> Outcome:
    """Send requests at a rate per second, or with 0 as fast as they are answered."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    process = await _start("faults.open_loop", url, path, str(rate), str(seconds), str(connections), *lines)
    said, _ = await process.communicate(b"")
    return Outcome(**json.loads(said))


@asynccontextmanager
async def pulse(url: str, *paths: str) -> AsyncIterator[Pulse]:
    """Ask for a server's health while the block runs."""
    found = Pulse()
    process = await _start("faults.pulse", url, *paths)
    try:
        yield found
    finally:
        said, _ = await process.communicate(b"")
    document = json.loads(said)
    found.slowest, found.failures = document["slowest"], document["failures"]


async def _start(module: str, *arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdin=pipe, stdout=pipe)
