"""One experiment done: the load that is held, what is looked at before and after, and the verdict."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import psycopg2

from faults.client import Answer, ask, json_body
from faults.ledger import Comparison, Ledger
from faults.load import Clients, Load, Tally, recovery
from faults.postgres import Postgres
from faults.rest import Rest, Usage, rest
from faults.system import API_ROLE, TOKEN, System

NO_LOAD = Load(0)
SPINNING = 0.15  # cores, above what it took before
# MiB, above what it took before. A heap keeps its high-water mark: the whole short version takes 96 to 113.
LEAKED = 60
NOISY = 20_000  # bytes of log a second
QUIET_SECONDS = 15  # what the load left to do is done by then: a checkpoint, statistics
SLOT_REQUESTS = 30


@dataclass(frozen=True)
class Experiment:
    """`inflict` does the harm; its docstring says what it does and what is expected."""

    name: str
    inflict: "Callable[[Trial], Awaitable[None]]"
    load: Load
    seconds: tuple[float, float]  # how long the fault lasts: in the long version, and in the short one
    recovers_in: float  # seconds
    answers_in: float  # seconds that no answer may take longer than
    sized: bool  # in a container of its compose size, where an engine answers
    long_only: bool
    environment: Mapping[str, str]

    @property
    def what(self) -> str:
        """Return its sentences."""
        return " ".join((self.inflict.__doc__ or "").split())


REGISTERED: list[Experiment] = []


def experiment(
    name: str,
    *,
    load: Load = NO_LOAD,
    seconds: tuple[float, float] = (30, 3),
    recovers_in: float = 5,
    answers_in: float = 15,
    sized: bool = False,
    long_only: bool = False,
    environment: Mapping[str, str] | None = None,
) -> "Callable[[Callable[[Trial], Awaitable[None]]], Callable[[Trial], Awaitable[None]]]":
    """Register the function below as an experiment."""

    def register(inflict: "Callable[[Trial], Awaitable[None]]") -> "Callable[[Trial], Awaitable[None]]":
        known = Experiment(
            name, inflict, load, seconds, recovers_in, answers_in, sized, long_only, dict(environment or {})
        )
        REGISTERED.append(known)
        return inflict

    return register


@dataclass
class Trial:
    """What an experiment works with, and where it says what it found."""

    system: System
    seconds: float
    short: bool
    clients: Clients
    failures: list[str] = field(default_factory=list)  # the verdict is bad, and so is the exit code
    missed: list[str] = field(default_factory=list)  # goals of time: they say as much about the machine
    notes: list[str] = field(default_factory=list)

    @property
    def postgres(self) -> Postgres:
        """The database's server."""
        return self.system.postgres

    def expect(self, holds: bool, failure: str) -> None:
        """Note a failure unless it holds."""
        if not holds:
            self.failures.append(failure)

    def goal(self, what: str, value: float, *, at_most: float | None = None, at_least: float | None = None) -> None:
        """Note a measurement, and whether it is within its bound."""
        met = (at_most is None or value <= at_most) and (at_least is None or value >= at_least)
        bound = f"≤ {at_most:g}" if at_most is not None else f"≥ {at_least:g}"
        (self.notes if met else self.missed).append(f"{what} {value:.2f} ({bound})")

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        signed_in: bool = True,
        timeout: float = 30,
    ) -> Answer:
        """Send one request to the API, and count its answer."""
        token = TOKEN if signed_in else {}
        url = self.system.api.url
        answer = await ask(url, method, path, headers={**token, **(headers or {})}, body=body, timeout=timeout)
        self.clients.tally.enter(answer)
        return answer


@dataclass
class Result:
    """A row of the table."""

    name: str
    what: str
    load: str
    answers: dict[str, int]
    slowest: float
    said: dict[str, int]
    recovery: float | None
    ledger: Comparison
    before: Rest
    after: Rest
    slots: tuple[int, int]  # statements of one product that the API does at a time, before and after
    failures: list[str]
    missed: list[str]
    notes: list[str]
    seconds: float

    @property
    def verdict(self) -> str:
        """Return "holds", or what is wrong."""
        return "; ".join([*self.failures, *(f"slow: {goal}" for goal in self.missed)]) or "holds"


async def carry_out(experiment: Experiment, system: System, *, short: bool) -> Result:
    """Do one experiment and judge it."""
    started = time.monotonic()
    await asyncio.to_thread(system.clean)
    ledger = Ledger()
    clients = Clients(system.api.url, TOKEN, system.products, ledger)
    trial = Trial(system, experiment.seconds[short], short, clients)
    look = 0.5 if short else 2.0
    if system.slots is None:
        system.slots = await slots(system)
    before = await rest(system.api, system.ui, system.postgres, seconds=look)
    recovered = None
    async with clients.holding(experiment.load):
        await asyncio.sleep(0.3)
        try:
            async with asyncio.timeout(experiment.seconds[short] * 3 + 120):
                await experiment.inflict(trial)
        except TimeoutError:
            trial.failures.append("the experiment itself did not end")
        if system.api.is_running():
            recovered = await recovery(system.api.url, TOKEN, seconds=experiment.recovers_in * 3 + 5)
    trial.expect(system.api.is_running(), "the API ended")
    trial.expect(system.ui.is_running(), "the UI ended")
    after = await _at_rest(system, before, look)
    slots_after = await slots(system) if recovered is not None else 0
    comparison = await _compared(ledger, system)
    _judge(trial, experiment, clients.tally, recovered, comparison, before, after, (system.slots, slots_after))
    return Result(
        name=experiment.name,
        what=experiment.what,
        load=str(experiment.load),
        answers=dict(clients.tally.kinds),
        slowest=round(clients.tally.slowest, 2),
        said=dict(clients.tally.said.most_common(6)),
        recovery=None if recovered is None else round(recovered, 1),
        ledger=comparison,
        before=before,
        after=after,
        slots=(system.slots, slots_after),
        failures=trial.failures,
        missed=trial.missed,
        notes=trial.notes,
        seconds=round(time.monotonic() - started, 1),
    )


async def slots(system: System) -> int:
    """Return how many changes of one product the API has under way at a time, when each has to wait for a lock."""
    _, body = json_body({"price": 1})
    headers = {**TOKEN, "Content-Type": "application/merge-patch+json"}
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND wait_event_type = 'Lock'"

    def look() -> int:
        most = 0
        for _ in range(10):
            most = max(most, int(system.postgres.execute(waiting, (API_ROLE,))[0][0]))
            time.sleep(0.05)
        return most

    holder = await asyncio.to_thread(system.postgres.connect, autocommit=False)
    try:
        holder.cursor().execute("SELECT id FROM products WHERE id = 1 FOR UPDATE")
        url = system.api.url
        asked = [
            asyncio.create_task(ask(url, "PATCH", "/products/1", headers=headers, body=body))
            for _ in range(SLOT_REQUESTS)
        ]
        most = await asyncio.to_thread(look)
    finally:
        holder.close()
    await asyncio.gather(*asked)
    return most


async def _at_rest(system: System, before: Rest, seconds: float) -> Rest:
    """Look until the processes are as quiet as before; what spins never is."""
    deadline = time.monotonic() + QUIET_SECONDS
    while True:
        found = await rest(system.api, system.ui, system.postgres, seconds=seconds)
        if not _complaints(before, found) or time.monotonic() > deadline:
            return found


async def _compared(ledger: Ledger, system: System) -> Comparison:
    deadline = time.monotonic() + 20
    while True:
        try:
            return await asyncio.to_thread(ledger.compare, system.postgres)
        except psycopg2.OperationalError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)


def _complaints(before: Rest, after: Rest) -> list[str]:
    said = []
    pairs: list[tuple[str, Usage, Usage]] = [
        ("API", before.api, after.api),
        ("UI", before.ui, after.ui),
        ("PostgreSQL", before.postgres, after.postgres),
    ]
    for who, was, is_now in pairs:
        if is_now.cores > was.cores + SPINNING:
            said.append(f"{who} spins: {is_now.cores:.2f} cores at rest")
        if is_now.mebibytes > was.mebibytes + LEAKED:
            said.append(f"{who} keeps {is_now.mebibytes - was.mebibytes:.0f} MiB more")
    if after.logged > NOISY:
        said.append(f"the API logs {after.logged / 1000:.0f} kB a second at rest")
    return said


def _judge(
    trial: Trial,
    experiment: Experiment,
    tally: Tally,
    recovered: float | None,
    ledger: Comparison,
    before: Rest,
    after: Rest,
    slots: tuple[int, int],
) -> None:
    trial.expect(recovered is not None, "not recovered")
    trial.expect(not ledger.missing, f"{ledger.missing} acknowledged and missing")
    trial.expect(not ledger.doubled, f"{ledger.doubled} doubled")
    trial.expect(not ledger.denied, f"{ledger.denied} stored though the answer invited to try again")
    trial.expect(not tally.unexplained, f"{tally.unexplained} × 500 without a reason")
    trial.expect(not tally.kinds["other"], f"{tally.kinds['other']} × another status")
    if recovered is not None:
        trial.expect(slots[1] >= slots[0], f"{slots[0] - slots[1]} of {slots[0]} slots lost")
        trial.goal("recovery", recovered, at_most=experiment.recovers_in)
    trial.failures += _complaints(before, after)
    if tally.kinds:
        trial.goal("slowest answer", tally.slowest, at_most=experiment.answers_in)
