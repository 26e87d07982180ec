"""Photograph a running UI for the README: python -m tests.end_to_end.screenshots <UI's URL> <folder>."""

import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.end_to_end import browser

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
SHOTS: dict[str, dict[str, Any]] = {
    "products": {"viewport": DESKTOP, "color_scheme": "light"},
    "products-dark": {"viewport": DESKTOP, "color_scheme": "dark"},
    "products-phone": {"viewport": PHONE, "color_scheme": "light", "has_touch": True},
}


def main(url: str, folder: Path) -> None:
    """Write one PNG for each of SHOTS; the catalogue must hold at least three products."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, context in SHOTS.items():

        def take(page: Page, file: Path = folder / f"{name}.png") -> None:
            page.goto(url)
            browser.select_row(page, 2)
            page.get_by_text("Selecionado:").wait_for()
            browser.settled(page)
            page.mouse.move(0, 0)  # the table's own tools show only under the pointer
            page.screenshot(path=file, animations="disabled")
            print(file)

        browser.travel(take, **context)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m tests.end_to_end.screenshots <UI's URL> <folder>")
    main(sys.argv[1], Path(sys.argv[2]))
