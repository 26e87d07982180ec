"""A headless Chromium that shows the UI, for the journeys and the screenshots."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal
from weakref import WeakKeyDictionary

from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Request,
    WebSocket,
    expect,
    sync_playwright,
)
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from testkit.tools import CHROMIUM
from testkit.visitor import FINISHED

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCALE = "pt-BR"
ROW_HEIGHT = 35  # pixels, of the table of products
# Pixels from the left edge of the table to the middle of a head.
HEADS = {"open": 66, "id": 142, "name": 244, "price": 684}
CELLS = {  # of the table that is edited: the number of a column, and pixels from the left edge to its middle
    "name": (1, 240),
    "price": (3, 590),
    "email_fornecedor": (4, 790),
}
BACKGROUNDS: dict[Literal["dark", "light"], str] = {"dark": "rgb(15, 24, 25)", "light": "rgb(255, 255, 255)"}
PATIENCE = 20_000  # milliseconds that a page may take on a busy machine
_SOCKETS: WeakKeyDictionary[Page, WebSocket] = WeakKeyDictionary()  # the newest of each page, to Streamlit


@contextmanager
def page(*, arguments: Sequence[str] = (), **context: Any) -> Iterator[Page]:
    """Open an empty page as a visitor in São Paulo; `context` is Playwright's, for example viewport or color_scheme.

    Its `locale` is the browser's own language too: how a field takes a number depends on that. `arguments` are further
    ones of Chromium's.

    At its end it fails when the browser refused anything that the pages asked for: their policy allows all they need.
    """
    expect.set_options(timeout=PATIENCE)
    refused: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            refused.append(message.text)

    with sync_playwright() as playwright:
        locale = context.get("locale", LOCALE)
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[*ARGUMENTS, *arguments, f"--lang={locale}"],
            env={**os.environ, "LANGUAGE": locale.replace("-", "_")},
        )
        try:
            opened = visitor(browser, **context)
            opened.context.on("console", note)
            yield opened
        finally:
            browser.close()
    if refused:
        raise AssertionError(refused)


def visitor(browser: Browser, **context: Any) -> Page:
    """Open an empty page as somebody who has nothing in common with who else uses the browser."""
    somebody = browser.new_context(**{"locale": LOCALE, "timezone_id": "America/Sao_Paulo", **context})
    somebody.set_default_timeout(PATIENCE)
    opened = somebody.new_page()
    opened.on("websocket", lambda socket: _SOCKETS.update({opened: socket}))
    return opened


def travel(journey: Callable[[Page], None], **context: Any) -> None:
    """Run a journey in a browser of its own, and once more from its start if the machine's network changed meanwhile.

    Chromium drops what it is loading whenever a network interface comes or goes, as those of containers do.
    """
    for attempts_left in (2, 1, 0):
        disturbed: list[str] = []

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


@contextmanager
def run(page: Page) -> Iterator[None]:
    """Do what makes the page run, and wait for the end of that run.

    Until then Streamlit shows what is about to go beside what has come: a field of a form twice, with two values.
    """

    def is_end_of_run(frame: str | bytes) -> bool:
        if not isinstance(frame, bytes):
            return False
        message = ForwardMsg.FromString(frame)
        is_end: bool = message.WhichOneof("type") == "script_finished"
        return is_end and message.script_finished in FINISHED

    settled(page)
    with _SOCKETS[page].expect_event("framereceived", is_end_of_run):
        yield
    settled(page)


def close_dialog(page: Page) -> None:
    """Close the dialog that is open, and wait until the page has run for it: the table may be drawn anew then."""
    with run(page):
        page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_attached()


def both_themes(page: Page) -> Iterator[str]:
    """Show the page in the dark theme and then in the light one; yield the name of each while it is shown."""
    settled(page)  # a theme that changes before Streamlit has told the page its colours is Streamlit's own
    page.add_style_tag(content="* { transition: none !important }")  # or colours are on their way for a while
    for theme, background in BACKGROUNDS.items():
        page.emulate_media(color_scheme=theme)
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", background)
        yield theme


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
    with run(page):
        found.click(position={"x": 16, "y": ROW_HEIGHT * (row + 1.5)})
    expect(found.locator("tbody tr").nth(row)).to_have_attribute("aria-selected", "true")


def open_row(page: Page, row: int) -> None:
    """Click a row's own button, which opens the product's page."""
    settled(page)
    table(page).click(position={"x": HEADS["open"], "y": ROW_HEIGHT * (row + 1.5)})


def sort_by(page: Page, column: str) -> None:
    """Click the head of a column of the table of products."""
    settled(page)
    table(page).click(position={"x": HEADS[column], "y": ROW_HEIGHT / 2})


def edit_cell(page: Page, column: str, row: int, text: str, *, shows: str = "") -> None:
    """Write into a cell of the table that is edited, once the page has nothing else to do."""
    expect(cell_of(page, CELLS["name"][0], 0)).to_have_attribute("aria-readonly", "false")
    settled(page)
    write_cell(page, column, row, text, shows=shows)


def write_cell(page: Page, column: str, row: int, text: str, *, shows: str = "") -> None:
    """Write into a cell of the table that is edited, as from a keyboard; rows are counted from 0.

    `shows` is what the cell has then, if that is not the text.
    """
    cell = select_cell(page, column, row)
    page.keyboard.press("Enter")
    field = page.locator("#portal").locator("input, textarea")
    field.fill(text)
    # The editor takes what it has drawn: Enter in the same moment as the last key would be too early.
    page.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    page.keyboard.press("Enter")
    expect(field).to_have_count(0)
    expect(cell).to_have_text(shows or text)


def select_cell(page: Page, column: str, row: int) -> Locator:
    """Select a cell of the table that is edited, as before a paste, and return it."""
    number, x = CELLS[column]
    cell = cell_of(page, number, row)
    expect(cell).to_be_attached()
    if cell.get_attribute("aria-selected") != "true":  # a click on the selected one opens it
        table(page).click(position={"x": x, "y": ROW_HEIGHT * (row + 1.5)})
    expect(cell).to_have_attribute("aria-selected", "true")
    return cell


def first_name(page: Page) -> Locator:
    """Return the first cell with a name, of the table to look at."""
    return cell_of(page, 3, 0)


def cell_of(page: Page, column: int, row: int) -> Locator:
    """Return a cell of the table as assistive technology reads it."""
    return table(page).locator(f"#glide-cell-{column}-{row}")
