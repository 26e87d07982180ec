"""More than the API can do: requests come at ten times its capacity, whether it answers or not."""

import asyncio
import statistics
import time
from dataclasses import dataclass, field

from faults.client import Answer, Connection, ask
from faults.system import TOKEN
from faults.trial import Trial, experiment

PATH = "/products/?limit=50&sort=-price"
TIMES = 10
CONNECTIONS = 400  # of the load generator; past it, a request is not sent and counts as offered


@dataclass
class _Seen:
    """What came back while the overrun lasted."""

    offered: int = 0
    unsent: int = 0
    accepted: list[float] = field(default_factory=list)  # seconds
    idle: list[Connection] = field(default_factory=list)
    open: int = 0


@experiment("overrun", long_only=True, seconds=(20, 4), sized=True, recovers_in=1, answers_in=30)
async def overrun(trial: Trial) -> None:
    """Lists are asked for at ten times the rate that sixteen clients reach, over up to 400 connections.

    Expected: as many good answers as at capacity (0.95), each within 1 s, an immediate 503 for the others, liveness
    within 0.2 s, flat memory.
    """
    measured = [await _capacity(trial, seconds=trial.seconds / 4) for _ in range(3)]
    capacity = max(measured)  # the first finds connections that are not open yet
    before = _memory(trial)
    seen = _Seen()
    health = asyncio.create_task(_health(trial))
    load = asyncio.create_task(_offer(trial, TIMES * capacity, seen))
    most = before
    while not load.done():
        await asyncio.wait([load], timeout=0.5)
        most = max(most, _memory(trial))
    await load
    ended = time.monotonic()
    while (await ask(trial.system.api.url, "GET", PATH, headers=TOKEN, timeout=1)).status != 200:
        if time.monotonic() - ended > 60:
            break
    back = time.monotonic() - ended
    health.cancel()
    slowest = await health
    for connection in seen.idle:
        await connection.close()
    trial.notes.append(
        f"capacity {capacity:.0f} a second; offered {seen.offered / trial.seconds:.0f}, of which "
        f"{seen.unsent} not sent for want of connections"
    )
    trial.goal("goodput, of capacity", len(seen.accepted) / trial.seconds / capacity, at_least=0.95)
    if len(seen.accepted) > 1:
        trial.goal("p99 of the accepted, s", statistics.quantiles(seen.accepted, n=100)[-1], at_most=1)
    trial.goal("slowest liveness, s", slowest["/health/live"], at_most=0.2)
    trial.goal("slowest readiness, s", slowest["/health/ready"], at_most=2)
    trial.goal("memory at most, MiB more", most - before, at_most=64)
    trial.goal("back after, s", back, at_most=1)


async def _capacity(trial: Trial, *, seconds: float) -> float:
    """Return how many lists a second sixteen clients get."""
    end, answered = time.monotonic() + seconds, 0

    async def client() -> None:
        nonlocal answered
        connection = await Connection.open(trial.system.api.url)
        while time.monotonic() < end:
            answer = await connection.ask("GET", PATH, headers=TOKEN)
            answered += answer.status == 200
        await connection.close()

    await asyncio.gather(*(client() for _ in range(16)))
    return answered / seconds


async def _offer(trial: Trial, rate: float, seen: _Seen) -> None:
    """Send requests at a rate, over connections that are free or new ones."""
    started, tasks = time.monotonic(), set()
    while (now := time.monotonic() - started) < trial.seconds:
        due = int(now * rate) - seen.offered
        seen.offered += due
        for _ in range(due):
            if not seen.idle and seen.open >= CONNECTIONS:
                seen.unsent += 1
                continue
            # Taken here, not when the task runs: one that is late would open connections without a bound.
            connection = seen.idle.pop() if seen.idle else None
            seen.open += connection is None
            task = asyncio.create_task(_one(trial, seen, connection))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.sleep(0.005)
    await asyncio.gather(*tasks)


async def _one(trial: Trial, seen: _Seen, connection: Connection | None) -> None:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(30):
            connection = connection or await Connection.open(trial.system.api.url)
            answer = await connection.ask("GET", PATH, headers=TOKEN)
    except (OSError, EOFError, ValueError) as error:  # OSError: also what a timeout is
        answer = Answer(0, time.perf_counter() - started, why=f"{type(error).__name__} {error}")
    trial.clients.tally.enter(answer)
    if answer.status == 200:
        seen.accepted.append(answer.seconds)
    if connection is not None and answer.status and answer.headers.get("connection", "").lower() != "close":
        seen.idle.append(connection)
        return
    seen.open -= 1
    if connection is not None:
        await connection.close()


async def _health(trial: Trial) -> dict[str, float]:
    """Ask for liveness and readiness until cancelled; return the slowest answer of each."""
    slowest = {"/health/live": 0.0, "/health/ready": 0.0}
    try:
        while True:
            for path in slowest:
                answer = await ask(trial.system.api.url, "GET", path)
                trial.expect(answer.status == 200, f"{path} is answered {answer.status or answer.why}")
                slowest[path] = max(slowest[path], answer.seconds)
            await asyncio.sleep(0.2)
    except asyncio.CancelledError:
        return slowest


def _memory(trial: Trial) -> float:
    return sum(process.memory_info().rss for process in trial.system.api.processes()) / 2**20
