"""Requests that start: a few in each turn of the event loop, so that a turn stays short.

Who asks for the health waits for two or three turns. All requests that there is room for, started in one turn, take a
tenth of a second of half a processor, and meet again in the turns after it (`python -m faults --only overrun`).
"""

import asyncio
from collections import deque
from collections.abc import Callable

OF_TURN = 4


class Starts:
    """The requests that were let in and have not started, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], object]] = deque()
        self._of_turn = 0

    def add(self, start: Callable[[], object]) -> None:
        """Start at once, or in one of the next turns."""
        if self._of_turn == 0:
            asyncio.get_running_loop().call_soon(self._next_turn)
        if self._of_turn < OF_TURN:
            self._of_turn += 1
            start()
        else:
            self._waiting.append(start)

    def _next_turn(self) -> None:
        self._of_turn = min(len(self._waiting), OF_TURN)
        if self._of_turn:
            asyncio.get_running_loop().call_soon(self._next_turn)
        for _ in range(self._of_turn):
            self._waiting.popleft()()
