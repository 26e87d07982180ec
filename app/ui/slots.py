"""Room for so many of something at once, given back however it ends."""

from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """Room for so many at once. Only the event loop takes and gives back, so there is nothing to lock."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.taken = 0

    @property
    def is_full(self) -> bool:
        """Whether the next one has to go away."""
        return self.taken >= self._size

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take one, and give it back however what it was for ends."""
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
