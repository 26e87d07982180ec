"""An API in the process of its tests, which may change its limits, but on a real socket."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from sqlalchemy import URL

from app.api.main import create_app
from app.api.settings import Settings
from testkit.database import libpq


@contextmanager
def serving(url: URL, **settings: Any) -> Iterator[tuple[str, int]]:
    """Run an API of this process, whose limits a test may have changed, on a socket; yield its address."""
    config = uvicorn.Config(create_app(Settings(database_url=libpq(url), **settings)), port=0, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()
    finally:
        server.force_exit = server.should_exit = True
        thread.join(30)


def eventually(holds: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)
