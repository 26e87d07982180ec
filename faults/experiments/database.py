"""The database goes away, comes back, stands still, or takes no more."""

import asyncio
import time

from faults.load import Load
from faults.system import API_ROLE
from faults.trial import Trial, experiment


@experiment("backends-terminated", load=Load(30, pause=0.02), seconds=(60, 5))
async def backends_terminated(trial: Trial) -> None:
    """Every connection to PostgreSQL is ended every one to two seconds, while each request brings a new socket.

    Expected: answers of 503 at most, nothing spins, no slot is lost.
    """
    end, ended = time.monotonic() + trial.seconds, 0
    while time.monotonic() < end:
        ended += await asyncio.to_thread(trial.postgres.terminate_backends, API_ROLE)
        await asyncio.sleep(1.5 if trial.seconds > 20 else 0.5)
    trial.notes.append(f"{ended} connections ended")


@experiment("postgres-restarted", load=Load(16), seconds=(20, 2))
async def postgres_restarted(trial: Trial) -> None:
    """PostgreSQL is stopped and started again, twice. Expected: 503 meanwhile, and well again at once."""
    for _ in range(2):
        await asyncio.to_thread(trial.postgres.stop)
        await asyncio.sleep(trial.seconds / 4)
        await asyncio.to_thread(trial.postgres.start)
        await asyncio.sleep(trial.seconds / 4)
