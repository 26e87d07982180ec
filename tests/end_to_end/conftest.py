"""A UI process for the journeys of a module, and an empty catalogue for each."""

import sys
from collections.abc import Iterator

import pytest

from testkit.server import running
from testkit.tools import require

UI = [sys.executable, "-m", "app.ui.serve"]


@pytest.fixture(scope="module")
def _running_ui(_running_api: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    require("browser")
    log = tmp_path_factory.mktemp("ui") / "ui.log"
    with running(UI, "UI_PORT", "/_stcore/health", {"API_URL": _running_api}, log) as url:
        yield url
        assert "Traceback" not in log.read_text()


@pytest.fixture
def ui_url(api_url: str, _running_ui: str) -> str:
    """The URL of a running UI, as `make run` starts it, whose catalogue holds no products."""
    return _running_ui
