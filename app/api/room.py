"""How many requests are under way, and how many may be."""

from app.api.errors import OverloadedError


class Room:
    """How many requests may be under way at a time. Nobody waits for a place: a queue would only make all late."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.taken = 0

    @property
    def is_full(self) -> bool:
        """Whether the next request is one too many."""
        return self.taken >= self._size

    def require(self) -> None:
        """Raise OverloadedError when it is full."""
        if self.taken >= self._size:
            raise OverloadedError
