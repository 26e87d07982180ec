"""How many requests are refused: only as many as cost next to nothing.

A refusal takes 20 to 40 µs of a processor, a third of them the system's to receive and to send; a good answer takes
ten times as much. So at ten times the load refusals would take all that the good answers need. Past a rate, a
connection that was refused is not read for a moment: what its client sends meanwhile waits where it is, TCP holds up
who sends more, and nothing is closed, since a new connection would cost the most.
"""

import asyncio
import logging
import math
from collections import deque
from typing import Protocol

from app.api.room import Room

RATE = 250  # a second: a thirtieth of half a processor (`python -m faults --only overrun`)
# At most, so that who is let in then has an answer within a second; where that takes a higher rate, it is higher.
HELD_SECONDS = 0.7
TICK_SECONDS = 0.02  # less than it takes to do all that there is room for, or the process would have nothing to do
LINE_SECONDS = 1  # between lines in the log: one for each refusal would cost as much again

logger = logging.getLogger("uvicorn.error")


class PausableConnection(Protocol):
    """What can be held up."""

    def hold_up(self) -> None:
        """Read nothing more."""

    def read_on(self) -> None:
        """Read again."""


class Refusals:
    """The connections of a process that were refused and are not read for a moment, in the order of their refusals."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held: deque[PausableConnection] = deque()
        self._of_tick = 0
        self._untold = 0
        self._told_at = 0.0
        self._ticked_at = 0.0
        self._tick: asyncio.TimerHandle | None = None

    def add(self, connection: PausableConnection) -> None:
        """Count a refusal, and hold the connection up if there are many."""
        self._untold += 1
        self._of_tick += 1
        if self._held or self._of_tick > RATE * TICK_SECONDS:
            connection.hold_up()
            self._held.append(connection)
        if self._tick is None:
            loop = asyncio.get_running_loop()
            self._ticked_at = loop.time()
            self._tick = loop.call_later(TICK_SECONDS, self._release)

    def _release(self) -> None:
        """Read again from as many as may be refused, or as there is room for, whatever is more."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        rate = max(RATE, len(self._held) / HELD_SECONDS)
        may_be_refused = math.ceil(rate * (now - self._ticked_at))  # a busy process ticks late
        for _ in range(min(len(self._held), max(may_be_refused, self._room.free))):
            self._held.popleft().read_on()
        self._of_tick, self._ticked_at = 0, now
        if self._untold and now - self._told_at >= LINE_SECONDS:
            logger.warning("%d requests were refused: as many as can be are under way", self._untold)
            self._untold, self._told_at = 0, now
        goes_on = bool(self._held or self._untold)
        self._tick = loop.call_later(TICK_SECONDS, self._release) if goes_on else None
