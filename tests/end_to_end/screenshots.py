"""Photograph a running UI for the README: python -m tests.end_to_end.screenshots <UI's URL> <folder>."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from testkit import browser

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


def products(page: Page, url: str) -> None:
    page.goto(url)
    browser.select_row(page, 2)
    page.get_by_text("Selecionado:").wait_for()


def cards(page: Page, url: str) -> None:
    page.goto(url)
    page.locator(".st-key-cards a").first.wait_for()


def overview(page: Page, url: str) -> None:
    page.goto(f"{url}/resumo")
    page.locator("[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas").first.wait_for()


SHOTS: dict[str, tuple[Callable[[Page, str], None], dict[str, Any]]] = {
    "products": (products, {"viewport": DESKTOP, "color_scheme": "light"}),
    "products-dark": (products, {"viewport": DESKTOP, "color_scheme": "dark"}),
    "products-phone": (cards, {"viewport": PHONE, "color_scheme": "light", "has_touch": True, "is_mobile": True}),
    "overview": (overview, {"viewport": {"width": 1280, "height": 1000}, "color_scheme": "light"}),
}


def main(url: str, folder: Path) -> None:
    """Write one PNG for each of SHOTS; the catalogue must hold the example products."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (show, context) in SHOTS.items():

        def take(page: Page, show: Callable[[Page, str], None] = show, file: Path = folder / f"{name}.png") -> None:
            show(page, url)
            browser.settled(page)
            page.mouse.move(0, 0)  # the table's own tools show only under the pointer
            page.screenshot(path=file, animations="disabled")
            print(file)

        browser.travel(take, **context)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m tests.end_to_end.screenshots <UI's URL> <folder>")
    main(sys.argv[1], Path(sys.argv[2]))
