"""What a person does in a browser: the UI and the API as processes, and Chromium in front of them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import running
from tests.end_to_end import browser
from tests.end_to_end.journey import create_find_change_delete
from tests.tools import require


@pytest.fixture
def ui_url(api_url: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a running UI, as `make run` starts it."""
    require("browser")
    command = [sys.executable, "-m", "app.ui.serve"]
    with running(command, "UI_PORT", "/_stcore/health", {"API_URL": api_url}, tmp_path / "ui.log") as url:
        yield url


def test_a_product_is_created_found_changed_and_deleted(ui_url: str, api_url: str, product: dict[str, Any]) -> None:
    create_find_change_delete(ui_url, api_url, product)


def test_streamlit_run_serves_it_too_and_the_language_is_part_of_the_address(api_url: str, tmp_path: Path) -> None:
    """Which is what people do who change the pages; no folder of ours is on Python's path then."""
    require("browser")
    command = [str(Path(sys.executable).with_name("streamlit")), "run", "app/ui/main.py"]
    environment, log = {"API_URL": api_url}, tmp_path / "ui.log"
    with running(command, "STREAMLIT_SERVER_PORT", "/_stcore/health", environment, log) as ui_url:
        _switch_language(ui_url)


def _switch_language(ui_url: str) -> None:
    def journey(page: Page) -> None:
        page.goto(ui_url)
        page.get_by_role("combobox").click()
        page.get_by_role("option", name="English").click()
        expect(page.get_by_role("heading", name="Products", exact=True)).to_be_visible()
        page.reload()
        expect(page.get_by_role("button", name="New product")).to_be_visible()

    browser.travel(journey)
