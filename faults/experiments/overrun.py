"""More than the API can do: requests come at ten times its capacity, whether it answers or not."""

import asyncio
import statistics
import time
from collections.abc import Sequence

import psutil

from faults.client import ask
from faults.pulse import pulse
from faults.system import TOKEN
from faults.trial import Trial, experiment
from testkit.open_loop import offer

PATH = "/products/?limit=50&sort=-price"
TIMES = 10
CONNECTIONS = 400  # of the load generator; past it, a request is not sent and counts as offered
KINDS = {"200": "2xx", "503": "503", "500": "500", "0": "none"}


@experiment("overrun", long_only=True, seconds=(20, 4), sized=True, recovers_in=1, answers_in=30)
async def overrun(trial: Trial) -> None:
    """Lists are asked for at ten times the rate that sixteen clients reach, over up to 400 connections.

    Expected: as many good answers as at capacity (0.95), each within 1 s, an immediate 503 for the others, liveness
    within 0.2 s, flat memory.
    """
    url, seconds = trial.system.api.url, trial.seconds
    quiet = [await offer("closed", url, PATH, TOKEN, rate=0, seconds=seconds / 4, connections=16) for _ in range(4)]
    # The first finds connections that are not open yet.
    capacity = statistics.median(found.accepted_per_second for found in quiet[1:])
    processes = trial.system.api.processes()
    before = most = _memory(processes)
    async with pulse(url, "/health/live", "/health/ready") as health:
        rate = TIMES * capacity
        load = asyncio.create_task(offer("even", url, PATH, TOKEN, rate=rate, seconds=seconds, connections=CONNECTIONS))
        while not load.done():
            await asyncio.wait([load], timeout=0.5)
            most = max(most, _memory(processes))
        found = await load
        back = await _until_served(url)
    for status, count in found.statuses.items():
        trial.clients.tally.kinds[KINDS.get(status, "other")] += count
    trial.clients.tally.slowest = found.slowest
    for path, answer in health.failures.items():
        trial.expect(not answer, f"{path} is answered {answer}")
    trial.notes.append(
        f"capacity {capacity:.0f} a second; offered {found.offered / seconds:.0f}, of which {found.unsent} not sent "
        f"for want of connections; generator {found.late:.2f} s late at most"
    )
    trial.goal("goodput, of capacity", found.accepted_per_second / capacity, at_least=0.95)
    trial.goal("p99 of the accepted, s", found.accepted_within(0.99), at_most=1)
    trial.goal("slowest liveness, s", health.slowest["/health/live"], at_most=0.2)
    trial.goal("slowest readiness, s", health.slowest["/health/ready"], at_most=2)
    trial.goal("memory at most, MiB more", most - before, at_most=64)
    trial.goal("back after, s", back, at_most=1)


async def _until_served(url: str) -> float:
    """Return the seconds until a list is answered well."""
    ended = time.monotonic()
    while (await ask(url, "GET", PATH, headers=TOKEN, timeout=1)).status != 200:
        if time.monotonic() - ended > 60:
            break
    return time.monotonic() - ended


def _memory(processes: Sequence[psutil.Process]) -> float:
    return sum(process.memory_info().rss for process in processes) / 2**20
