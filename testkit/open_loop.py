"""GET requests at a rate that does not depend on the answers, as people and not as connections send them.

`python -m testkit.open_loop PACE URL PATH RATE SECONDS CONNECTIONS [HEADER …]`, a process of its own, so that what it
takes is not taken for the server's; it prints what came back as one line of JSON. PACE is one of:

- `random`: as independent people come. Times are from the moment that a request was due.
- `even`: for more than the server can do, and perhaps more than this process can send: times are from the sending.
- `closed`: over each connection the next request goes when the last is answered, which finds what the server can do
  (RATE is ignored).

A request that finds all connections waiting for answers is not sent, and counts as offered.
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Literal, cast
from urllib.parse import urlsplit

import uvloop

STEP_SECONDS = 0.002
LAST_SECONDS = 10.0  # that the last answers may take

Pace = Literal["random", "even", "closed"]


@dataclass(frozen=True)
class Outcome:
    """What became of the requests; times are in seconds."""

    offered: int
    unsent: int
    statuses: dict[str, int]  # "0": the connection ended, or no answer came
    accepted: list[float]  # what each of the answers of 200 took, in ascending order
    accepted_per_second: float  # of those that came while requests were sent
    slowest: float
    late: float  # how far the generator itself fell behind, at most: what it says means little when that is much

    def accepted_within(self, share: float) -> float:
        """Return the time that this share of the answers of 200 did not exceed; 0 of none."""
        return self.accepted[min(len(self.accepted) - 1, int(len(self.accepted) * share))] if self.accepted else 0.0


async def offer(
    pace: Pace, url: str, path: str, headers: dict[str, str], *, rate: float, seconds: float, connections: int
) -> Outcome:
    """Send requests at a pace, in a process of their own."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    arguments = [pace, url, path, str(rate), str(seconds), str(connections), *lines]
    with tempfile.TemporaryFile() as said:  # of a pipe, asyncio once lost what came after the first 128 KiB
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "testkit.open_loop", *arguments, stdout=said
        )
        if await process.wait():
            raise RuntimeError(f"the load generator ended with {process.returncode}")
        said.seek(0)
        return Outcome(**json.load(said))


class _Client(asyncio.Protocol):
    """A connection for one request at a time."""

    def __init__(self, load: "_Load") -> None:
        self.load = load
        self.left = -1  # bytes of the body; -1 while the head arrives
        self.data = b""
        self.status = 0
        self.sent: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def send(self, since: float | None = None) -> None:
        self.sent, self.data, self.left = time.perf_counter() if since is None else since, b"", -1
        self.transport.write(self.load.request)

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
        if self.left <= 0 and self.sent is not None:
            self.load.answered(self.status, time.perf_counter() - self.sent)
            self.sent = None
            self.load.next(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self.load.open -= 1
        if self.sent is not None:
            self.load.answered(0, time.perf_counter() - self.sent)
        elif self in self.load.idle:
            self.load.idle.remove(self)


class _Load:
    def __init__(self, url: str, path: str, connections: int, headers: list[str]) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.request = "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", *headers, "", ""]).encode()
        self.connections = connections
        self.idle: list[_Client] = []
        self.open = self.offered = self.unsent = 0
        self.statuses: Counter[str] = Counter()
        self.accepted: list[float] = []
        self.slowest = self.late = 0.0
        self.is_closed_loop = self.is_over = False
        self._tasks: set[asyncio.Task[None]] = set()

    def answered(self, status: int, seconds: float) -> None:
        self.statuses[str(status)] += 1
        self.slowest = max(self.slowest, seconds)
        if status == 200:
            self.accepted.append(seconds)

    def next(self, client: _Client) -> None:
        if self.is_closed_loop and not self.is_over:
            self.offered += 1
            client.send()
        else:
            self.idle.append(client)

    async def run(self, pace: Pace, rate: float, seconds: float) -> Outcome:
        self.is_closed_loop = pace == "closed"
        started = last = time.perf_counter()
        due = started
        while (now := time.perf_counter()) - started < seconds:
            self.late, last = max(self.late, now - last - STEP_SECONDS), now
            while self.offered < self.connections if self.is_closed_loop else due < now:
                self.offered += 1
                self._send(due if pace == "random" else None)
                if rate:
                    due += random.expovariate(rate) if pace == "random" else 1 / rate
            await asyncio.sleep(STEP_SECONDS)
        goodput, ended, self.is_over = len(self.accepted) / seconds, time.perf_counter(), True
        while self.open > len(self.idle) and time.perf_counter() - ended < LAST_SECONDS:
            await asyncio.sleep(STEP_SECONDS)
        self.statuses["0"] += self.open - len(self.idle)
        accepted = sorted(self.accepted)
        return Outcome(self.offered, self.unsent, dict(+self.statuses), accepted, goodput, self.slowest, self.late)

    def _send(self, since: float | None) -> None:
        if self.idle:
            self.idle.pop().send(since)
        elif self.open < self.connections:
            self.open += 1
            self._tasks.add(task := asyncio.ensure_future(self._send_over_a_new_one(since)))
            task.add_done_callback(self._tasks.discard)
        else:
            self.unsent += 1

    async def _send_over_a_new_one(self, since: float | None) -> None:
        try:
            loop = asyncio.get_running_loop()
            _, client = await loop.create_connection(lambda: _Client(self), self.host, self.port)
            client.send(since)
        except OSError:
            self.open -= 1
            self.answered(0, 0)


def main(pace: Pace, url: str, path: str, rate: str, seconds: str, connections: str, *headers: str) -> None:
    """Send the requests and print what became of them."""
    load = _Load(url, path, int(connections), list(headers))
    print(json.dumps(asdict(uvloop.run(load.run(pace, float(rate), float(seconds))))))


if __name__ == "__main__":
    main(*cast("tuple[Pace, str, str, str, str, str]", tuple(sys.argv[1:])))
