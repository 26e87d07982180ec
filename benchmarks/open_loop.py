"""Requests at a rate that does not depend on the answers, as people and not as connections send them.

`python -m benchmarks.open_loop URL PATH RATE SECONDS [CONNECTIONS] [fresh]` prints what came back as one line of JSON;
`fresh`: a connection for every request.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SPARE = 5.0  # seconds that the last answers may take


@dataclass
class Outcome:
    """What became of the requests: how many by status (0: none), and the seconds that good and refused ones took."""

    statuses: Counter[int] = field(default_factory=Counter)
    good: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def add(self, status: int, seconds: float) -> None:
        """Count an answer."""
        self.statuses[status] += 1
        if status == 200:
            self.good.append(seconds)
        elif status:
            self.refused.append(seconds)


class _Client(asyncio.Protocol):
    """A connection for one request at a time."""

    def __init__(self, load: "_Load") -> None:
        self.load = load
        self.left = -1  # bytes of the body; -1 while the head arrives
        self.data = b""
        self.status = 0
        self.began: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def send(self, began: float) -> None:
        self.began, self.data, self.left = began, b"", -1
        self.transport.write(self.load.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if self.left < 0:
            self.data += data
            head, found, body = self.data.partition(b"\r\n\r\n")
            if not found:
                return
            self.status = int(head[9:12])
            self.left = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0]) - len(body)
        else:
            self.left -= len(data)
        if self.left <= 0 and self.began is not None:
            self.load.outcome.add(self.status, time.perf_counter() - self.began)
            self.began = None
            if self.load.keep_alive:
                self.load.idle.append(self)
            else:
                self.transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if self.began is not None:
            self.load.outcome.add(0, 0)
            self.began = None
        self.load.open -= 1
        if self in self.load.idle:
            self.load.idle.remove(self)


class _Load:
    def __init__(self, url: str, path: str, *, keep_alive: bool, connections: int) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port or 80
        close = "" if keep_alive else "Connection: close\r\n"
        self.request = f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n{close}\r\n".encode()
        self.keep_alive, self.connections = keep_alive, connections
        self.outcome = Outcome()
        self.idle: list[_Client] = []
        self.open = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def one(self, began: float) -> None:
        try:
            loop = asyncio.get_running_loop()
            _, client = await loop.create_connection(lambda: _Client(self), self.host, self.port)
            client.send(began)
        except OSError:
            self.open -= 1
            self.outcome.add(0, 0)

    async def run(self, rate: float, seconds: float, *, at_random: bool = False) -> Outcome:
        started = time.perf_counter()
        due = 0.0
        while (now := time.perf_counter() - started) < seconds:
            while due < now:
                began = started + due
                due += random.expovariate(rate) if at_random else 1 / rate
                if self.idle:
                    self.idle.pop().send(began)
                elif self.open < self.connections:
                    self.open += 1
                    self.tasks.add(task := asyncio.ensure_future(self.one(began)))
                    task.add_done_callback(self.tasks.discard)
                else:
                    self.outcome.add(-1, 0)  # nothing to send it on: the server holds all connections
            await asyncio.sleep(0.002)
        await asyncio.sleep(min(SPARE, seconds))
        return self.outcome


def open_loop(
    url: str,
    path: str,
    rate: float,
    seconds: float,
    *,
    keep_alive: bool = True,
    connections: int = 600,
    at_random: bool = False,
) -> Outcome:
    """Send GET requests for `path` at `rate` per second for so long, evenly or as independent people would."""

    async def run() -> Outcome:
        load = _Load(url, path, keep_alive=keep_alive, connections=connections)
        return await load.run(rate, seconds, at_random=at_random)

    return asyncio.run(run())


def quantile(values: list[float], share: float) -> float:
    """Return the value that this share of them does not exceed; 0 of none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


if __name__ == "__main__":
    url, path, rate, seconds, *rest = sys.argv[1:]
    connections = next((int(word) for word in rest if word.isdigit()), 600)
    found = open_loop(url, path, float(rate), float(seconds), keep_alive="fresh" not in rest, connections=connections)
    print(
        json.dumps(
            {
                "statuses": dict(found.statuses),
                "good_per_second": round(len(found.good) / float(seconds), 1),
                "good_p50_p99": [round(quantile(found.good, q), 3) for q in (0.5, 0.99)],
                "refused_p50_p99": [round(quantile(found.refused, q), 3) for q in (0.5, 0.99)],
            }
        )
    )
