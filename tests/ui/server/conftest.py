"""Running UIs: one that people sign in to, and one that is open to everybody."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from testkit.server import Server, ui
from tests.ui.visiting import VALUES

NO_API = "http://127.0.0.1:9"  # nothing listens there
Serve = Callable[..., AbstractContextManager[Server]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Run a UI with more settings, and find no traceback in its log."""

    @contextmanager
    def run(**environment: str) -> Iterator[Server]:
        log = tmp_path / "ui.log"
        with ui(NO_API, log, **environment) as server:
            yield server
        assert "Traceback" not in log.read_text(), log.read_text()

    return run


@pytest.fixture
def private(serve: Serve) -> Iterator[Server]:
    """A UI that people sign in to."""
    with serve(**VALUES) as server:
        yield server


@pytest.fixture(scope="module")
def open_ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A UI that is open to everybody, for tests that leave nothing behind."""
    log = tmp_path_factory.mktemp("ui") / "ui.log"
    with ui(NO_API, log) as server:
        yield server
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture
def anyio_backend() -> str:
    """Run the asynchronous tests in the event loop that Uvicorn has."""
    return "asyncio"
