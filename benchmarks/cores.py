"""Which core does what: the server that is measured has one of its own, as on Fargate, whose database is elsewhere."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from testkit.server import Server


@contextmanager
def one_kept_free() -> Iterator[int | None]:
    """Have all that is started meanwhile run beside one core, and yield that core for `give`.

    Left to the kernel, a database's process runs as often as not on the core of the server that woke it, while
    another has nothing to do. None on a machine with one core, or whose system does not let processes choose (macOS).
    """
    if not hasattr(os, "sched_setaffinity") or len(allowed := os.sched_getaffinity(0)) < 2:
        yield None
        return
    core = min(allowed)
    os.sched_setaffinity(0, allowed - {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, allowed)


def give(core: int | None, server: Server) -> Server:
    """Move a server, with all its threads, to the core that was kept free for it; return the server."""
    if core is not None:
        for thread in server.process.threads():
            os.sched_setaffinity(thread.id, {core})
    return server
