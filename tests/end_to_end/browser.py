"""A headless Chromium that shows the UI, for the journeys and the screenshots."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Error, Locator, Page, Request, expect, sync_playwright

from tests.tools import CHROMIUM

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROW_HEIGHT = 35  # pixels, of the table of products
PATIENCE = 20_000  # milliseconds that a page may take on a busy machine


@contextmanager
def page(**context: Any) -> Iterator[Page]:
    """Open an empty page as a visitor in São Paulo; `context` is Playwright's, for example viewport or color_scheme."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            visitor = browser.new_context(locale="pt-BR", timezone_id="America/Sao_Paulo", **context)
            visitor.set_default_timeout(PATIENCE)
            yield visitor.new_page()
        finally:
            browser.close()


def travel(journey: Callable[[Page], None], **context: Any) -> None:
    """Run a journey in a browser of its own, and once more from its start if the machine's network changed meanwhile.

    Chromium drops what it is loading whenever a network interface comes or goes, as those of containers do.
    """
    for attempts_left in (2, 1, 0):
        disturbed = []

        def note(request: Request, disturbed: list[str] = disturbed) -> None:
            if "ERR_NETWORK_CHANGED" in (request.failure or ""):
                disturbed.append(request.url)

        with page(**context) as opened:
            opened.on("requestfailed", note)
            try:
                journey(opened)
            except (AssertionError, Error):
                if not (disturbed and attempts_left):
                    raise
            else:
                return


def settled(page: Page) -> None:
    """Wait until the page has nothing more to draw."""
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible()
    page.evaluate("document.fonts.ready")


def table(page: Page) -> Locator:
    """Return the table of products, once it is the only one: while it is replaced there may be two."""
    found = page.get_by_test_id("stDataFrame")
    expect(found).to_have_count(1)
    return found


def select_row(page: Page, row: int) -> None:
    """Select a row of the table of products, counted from 0, by its check box; the table is drawn on a canvas."""
    settled(page)
    found = table(page)
    found.scroll_into_view_if_needed()
    found.click(position={"x": 16, "y": ROW_HEIGHT * (row + 1.5)})
