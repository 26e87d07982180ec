"""How many requests are refused: only as many as cost next to nothing.

A refusal takes a tenth of a millisecond of a processor, half of it the system's to receive and to send; a good answer
takes ten times as much. So at ten times the load refusals would take all that the good answers need. Past a rate, a
connection that was refused is not read for a moment: what its client sends meanwhile waits where it is, TCP holds up
who sends more, and nothing is closed, since a new connection would cost the most.

When there is room again, who was held up last is read first, and who has been for long is refused: that way whoever is
let in has an answer soon, however long the others are held up.
"""

import asyncio
import logging
import math
from collections import deque
from typing import Protocol

from app.api.room import Room

RATE = 150  # a second: a thirtieth of half a processor (`python -m faults --only overrun`)
LATE_SECONDS = 0.5  # a request that may have waited for longer is refused
HELD_SECONDS = 2  # at most; where that takes a higher rate, it is higher
TICK_SECONDS = 0.02  # less than it takes to do all that there is room for, or the process would have nothing to do
LINE_SECONDS = 1  # between lines in the log: one for each refusal would cost as much again

logger = logging.getLogger("uvicorn.error")


class PausableConnection(Protocol):
    """What can be held up."""

    def hold_up(self) -> None:
        """Read nothing more."""

    def read_on(self, *, refuse: bool) -> None:
        """Read again; refuse what has been waiting."""


class Refusals:
    """The connections of a process that were refused and are not read for a moment, in the order of their refusals."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held: deque[tuple[float, PausableConnection]] = deque()
        self._of_tick = 0
        self._untold = 0
        self._told_at = 0.0
        self._ticked_at = 0.0
        self._tick: asyncio.TimerHandle | None = None

    def add(self, connection: PausableConnection) -> None:
        """Count a refusal, and hold the connection up if there are many."""
        self._untold += 1
        self._of_tick += 1
        loop = asyncio.get_running_loop()
        if self._held or self._of_tick > RATE * TICK_SECONDS:
            connection.hold_up()
            self._held.append((loop.time(), connection))
        if self._tick is None:
            self._ticked_at = loop.time()
            self._tick = loop.call_later(TICK_SECONDS, self._release)

    def _release(self) -> None:
        """Read from as many as there is room for, the last first, and as many as may be refused, the first first."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        rate = max(RATE, len(self._held) / HELD_SECONDS)
        may_be_refused = math.ceil(rate * (now - self._ticked_at))  # a busy process ticks late
        for released, take in ((self._room.free, self._held.pop), (may_be_refused, self._held.popleft)):
            for _ in range(min(len(self._held), released)):
                since, connection = take()
                connection.read_on(refuse=now - since > LATE_SECONDS)
        self._of_tick, self._ticked_at = 0, now
        if self._untold and now - self._told_at >= LINE_SECONDS:
            logger.warning("%d requests were refused: as many as can be are under way", self._untold)
            self._untold, self._told_at = 0, now
        goes_on = bool(self._held or self._untold)
        self._tick = loop.call_later(TICK_SECONDS, self._release) if goes_on else None
