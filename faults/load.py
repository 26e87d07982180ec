"""A load that is held while something breaks, and the question whether all is well again."""

import asyncio
import itertools
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from faults.client import Answer, Connection, ask, json_body
from faults.ledger import Ledger

UNKNOWN_OUTCOME = b"may or may not have been made"  # the truth about a change whose connection was lost
KINDS = ("2xx", "4xx", "503", "500", "other", "none")
GOOD_IN_A_ROW = 50
PROBE_SECONDS = 5.0  # an answer that takes longer is no good one
KEYED_SECONDS = 20.0  # how long a client with an Idempotency-Key tries again


@dataclass(frozen=True)
class Load:
    """So many clients, each asking again `pause` seconds after an answer; `fresh`: a connection for every request."""

    clients: int
    pause: float = 0.05
    fresh: bool = True

    def __str__(self) -> str:
        """Say it as the table does."""
        return f"{self.clients} clients, {'fresh' if self.fresh else 'kept'} connections" if self.clients else "none"


@dataclass
class Tally:
    """The answers of a load, by kind; `slowest` in seconds, and some of what the bad ones said."""

    kinds: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    unexplained: int = 0  # 500 that say nothing but that something went wrong
    said: Counter[str] = field(default_factory=Counter)

    def enter(self, answer: Answer) -> None:
        """Count an answer."""
        self.kinds[answer.kind] += 1
        self.slowest = max(self.slowest, answer.seconds)
        self.unexplained += answer.status == 500 and UNKNOWN_OUTCOME not in answer.body
        if answer.kind != "2xx":
            self.said[f"{answer.status} {answer.why or _detail(answer)}"[:160]] += 1

    def add(self, other: "Tally") -> None:
        """Count what another load was answered too."""
        self.kinds += other.kinds
        self.unexplained += other.unexplained
        self.said += other.said
        self.slowest = max(self.slowest, other.slowest)


def _detail(answer: Answer) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.body[:100].decode("utf-8", "replace")


class Clients:
    """Clients of the API that create, read, list and change products."""

    def __init__(self, url: str, headers: Mapping[str, str], products: int, ledger: Ledger) -> None:
        self.url = url
        self.tally = Tally()
        self._headers, self._products, self._ledger = headers, products, ledger
        self._stopping = asyncio.Event()

    def unledgered(self) -> dict[str, object]:
        """Return a product that nobody will ask for again, for a client that does not wait for its answer."""
        return {**self._ledger.product(), "name": f"left {uuid.uuid4()}"}

    @asynccontextmanager
    async def holding(self, load: Load) -> AsyncIterator[None]:
        """Hold the load while the block runs; what is under way at its end is waited for."""
        tasks = [asyncio.create_task(self._client(load, number)) for number in range(load.clients)]
        try:
            yield
        finally:
            self._stopping.set()
            await asyncio.gather(*tasks)

    async def _client(self, load: Load, number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - no secret
        kept: list[Connection] = []
        for turn in itertools.count(number):
            if self._stopping.is_set():
                break
            await self._step(turn % 5, chance, None if load.fresh else kept)
            await asyncio.sleep(load.pause * chance.uniform(0.5, 1.5))
        for connection in kept:
            await connection.close()

    async def _step(self, step: int, chance: random.Random, kept: list[Connection] | None) -> None:
        some = f"/products/{chance.randint(1, self._products)}"
        match step:
            case 0:
                product = self._ledger.product()
                answer = await self._ask(kept, "POST", "/products/", product)
                self._ledger.enter(product, answer, keyed=False)
            case 1:
                await self._create_with_key(kept)
            case 2:
                await self._ask(kept, "GET", some)
            case 3:
                await self._ask(kept, "GET", "/products/?limit=20&sort=-price")
            case 4:
                await self._ask(kept, "PATCH", some, {"price": round(chance.uniform(1, 999), 2)})

    async def _create_with_key(self, kept: list[Connection] | None) -> None:
        product, key = self._ledger.product(), {"Idempotency-Key": str(uuid.uuid4())}
        deadline = time.monotonic() + KEYED_SECONDS
        while True:
            answer = await self._ask(kept, "POST", "/products/", product, key)
            if answer.status and answer.status < 500:
                break
            if self._stopping.is_set() or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.2)
        self._ledger.enter(product, answer, keyed=True)

    async def _ask(
        self,
        kept: list[Connection] | None,
        method: str,
        path: str,
        value: object = None,
        more: Mapping[str, str] | None = None,
    ) -> Answer:
        headers, body = json_body(value) if value is not None else ({}, b"")
        if method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        headers = {**headers, **self._headers, **(more or {})}
        if kept is None:
            answer = await ask(self.url, method, path, headers=headers, body=body)
        else:
            answer = await self._ask_kept(kept, method, path, headers, body)
        self.tally.enter(answer)
        return answer

    async def _ask_kept(
        self, kept: list[Connection], method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(30):
                if not kept:
                    kept.append(await Connection.open(self.url))
                answer = await kept[0].ask(method, path, headers=headers, body=body)
            if answer.headers.get("connection", "").lower() == "close":
                await kept.pop().close()
        except (OSError, EOFError, ValueError) as error:  # OSError: also what a timeout is
            for connection in kept:
                await connection.close()
            kept.clear()
            return Answer(0, time.perf_counter() - started, why=f"{type(error).__name__}: {error}")
        return answer


async def recovery(url: str, headers: Mapping[str, str], *, seconds: float) -> float | None:
    """Return after how many seconds fifty good answers in a row began; None when they did not in time.

    Readiness, a list, a product's page, a create and a small export are asked for in turn.
    """
    started = time.monotonic()
    began, good = started, 0
    product = json.dumps(
        {"name": "probe", "price": 1, "categoria": "Móveis", "email_fornecedor": "a@example.com"}
    ).encode()
    asked = itertools.cycle(
        [
            ("GET", "/health/ready", b"", 200),
            ("GET", "/products/?limit=5", b"", 200),
            ("GET", "/products/1", b"", 200),
            ("POST", "/products/", product, 201),
            ("GET", "/products/export?q=probe", b"", 200),
        ]
    )
    while good < GOOD_IN_A_ROW:
        method, path, body, expected = next(asked)
        more = {"Content-Type": "application/json"} if body else {}
        answer = await ask(url, method, path, headers={**headers, **more}, body=body, timeout=PROBE_SECONDS)
        if answer.status == expected:
            good += 1
        else:
            good = 0
            if time.monotonic() - started > seconds:
                return None
            await asyncio.sleep(0.05)
            began = time.monotonic()
    return began - started
