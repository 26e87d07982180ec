"""How many pages are put together at a time: the others wait their turn, instead of all of them for each other."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 3
"""Pages. A second one while the first waits for the API, a third for one that takes long."""
PATIENCE_SECONDS = 3.0
"""After so long a page goes on without a turn: whoever has one may be waiting for an API that does not answer."""

_turns = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def turn() -> Iterator[None]:
    """Wait for a turn, and have it in the block.

    Fifty threads that want the interpreter's lock and Streamlit's at once finish together, last of all, and the event
    loop, which answers for the process's health, waits for the same lock as one of them.
    """
    has_one = _turns.acquire(timeout=PATIENCE_SECONDS)
    try:
        yield
    finally:
        if has_one:
            _turns.release()
