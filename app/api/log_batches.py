"""A log whose lines of a moment are written together."""

import asyncio
import logging
from contextlib import nullcontext
from typing import TextIO

MOMENT_SECONDS = 0.05  # a process that is killed takes the lines of its last moment with it; one that ends does not
MOST_LINES = 1000


class BatchedHandler(logging.StreamHandler[TextIO]):
    """Writes to a stream once in a while instead of once per line, as long as an event loop runs.

    Each write to a pipe, which is what a container's output is, wakes up who reads it: for the access log that took a
    quarter of the event loop's time (`python -m faults --only overrun`, seen by a sampling profiler).
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record's line for the moment's end."""
        try:
            self._lines.append(self.format(record))
        except Exception:
            self.handleError(record)
        if len(self._lines) == 1:
            try:
                asyncio.get_running_loop().call_later(MOMENT_SECONDS, self.flush)
            except RuntimeError:  # there is none
                self.flush()
        elif len(self._lines) >= MOST_LINES:
            self.flush()

    def flush(self) -> None:
        """Write what has been kept; at the process's end `logging` asks for it."""
        with self.lock or nullcontext():
            lines, self._lines = self._lines, []
            if lines:
                self.stream.write("\n".join(lines) + "\n")
            super().flush()
