"""How many requests are under way, and how many may be."""

from app.api.errors import OverloadedError


class Room:
    """Places for requests. Nobody waits for one: a queue would only make everybody late."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._expected = 0  # of those that the server has let in, and that have not come here yet

    @property
    def free(self) -> int:
        """How many requests the server may let in; none when it is 0 or less."""
        return self._size - self._taken - self._expected

    def expect(self) -> None:
        """Keep a place for a request that the server lets in."""
        self._expected += 1

    def meet(self) -> None:
        """Know that an expected request has come; it takes its place later, when all of it has."""
        self._expected -= 1

    def require(self) -> None:
        """Raise OverloadedError when there is no place."""
        if self._taken >= self._size:
            raise OverloadedError

    def take(self) -> None:
        """Take a place, to be given back by `leave`."""
        self._taken += 1

    def leave(self) -> None:
        """Give a place back."""
        self._taken -= 1
