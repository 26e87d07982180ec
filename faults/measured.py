"""What is measured beside an experiment, in a process of its own: a pulse (pulse.py)."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


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
