"""What somebody at a browser waits for, with 1,000 and 1,000,000 products, and many people at once.

`python -m benchmarks.ui`; the people at once are in sessions.py.
"""

import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC

from playwright.sync_api import Page

from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import Product
from app.ui.products.filters import order_text
from app.ui.products.list_view import ListView
from app.ui.products.product_table import VISIBLE_ROWS
from app.ui.texts import PORTUGUESE as WORDS
from benchmarks import sessions
from benchmarks.report import Table, goal, show, spread
from testkit import browser, server
from testkit.database import make_database, postgres
from testkit.tools import CHROMIUM

SIZES = (1_000, 1_000_000)
ROUNDS = 7
RATIO = 1.3  # how many times longer the first paint may take at the larger size
CATEGORY, WORD, ORDER = "Roupas", "garantia", "price"
FIRST_PAINT, AGAIN = "first paint of Products", "and again, with the page's files in the browser's cache"
START = ListView()

# The table is drawn on a canvas: this notes when a text was first drawn on one since the last click or key, or since
# the page was asked for, which is where the browser's clock starts.
NOTE_TEXTS = """(() => {
  const drawn = new Map();
  let acted = 0;
  for (const kind of ["click", "keydown"])
    addEventListener(kind, (event) => { acted = event.timeStamp; drawn.clear(); }, true);
  const fillText = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    if (!drawn.has(text)) drawn.set(text, performance.now());
    return fillText.call(this, text, ...rest);
  };
  window.secondsUntilDrawn = (text) => drawn.has(text) && (drawn.get(text) - acted) / 1000;
})()"""


@dataclass(frozen=True)
class Action:
    """Something to do on the first page of the list, and the view that it leads to."""

    name: str
    act: Callable[[Page], None]
    leads_to: ListView


@dataclass(frozen=True)
class Site:
    """A UI, what is on its first page, and for each action a product that is to be seen only after it."""

    url: str
    first: Product
    actions: dict[Action, Product]


def measure() -> list[Table]:
    """Return the times in a browser, the memory of a session, and what a container of the UI's size holds."""
    with ExitStack() as stack:
        postgresql = stack.enter_context(postgres())
        apis = {size: stack.enter_context(server.api(make_database(postgresql, size))).url for size in SIZES}
        uis = {size: stack.enter_context(server.ui(api)) for size, api in apis.items()}
        memory = sessions.memory(uis[SIZES[0]])  # before a browser comes, while nobody has been there
        waits = _waits({size: _site(uis[size].url, api) for size, api in apis.items()})
    return [waits, memory, sessions.held()]


def _waits(sites: dict[int, Site]) -> Table:
    small, large = SIZES
    table = Table(
        "UI: seconds until a browser has drawn the products, by their number",
        ("", *(f"{size:,}" for size in SIZES), f"{large:,} / {small:,}", "goal"),
        f"Medians of {ROUNDS} rounds in turns, with the least and the largest; each is a new Chromium that has nothing "
        "in its cache. From the start of the navigation, the click or the key; ratios are of one round.",
    )
    if not CHROMIUM:
        table.rows.append(("no Chromium or Chrome is installed", "", "", "", ""))
        return table
    rounds: dict[int, list[dict[str, float]]] = {size: [] for size in SIZES}
    for _ in range(ROUNDS + 1):  # the first one fills the caches of the machine and of the servers
        for size, site in sites.items():
            rounds[size].append(_visit(site))
    measured = {size: found[1:] for size, found in rounds.items()}
    for name in measured[small][0]:
        times = {size: [found[name] for found in measured[size]] for size in SIZES}
        ratios = [after / before for before, after in zip(times[small], times[large], strict=True)]
        verdict = goal(statistics.median(ratios), at_most=RATIO) if name == FIRST_PAINT else ""
        table.rows.append((name, *(spread(seconds) for seconds in times.values()), spread(ratios), verdict))
    return table


def _visit(site: Site) -> dict[str, float]:
    """Do everything once in a new browser; return the seconds by name."""
    seconds: dict[str, float] = {}

    def journey(page: Page) -> None:
        page.add_init_script(NOTE_TEXTS)
        for name in (FIRST_PAINT, AGAIN):
            page.goto(site.url, wait_until="commit")
            seconds[name] = _seconds_until(site.first, page)
        for action, product in site.actions.items():
            page.goto(site.url)
            _seconds_until(site.first, page)
            browser.settled(page)
            action.act(page)
            seconds[action.name] = _seconds_until(product, page)

    browser.travel(journey, viewport={"width": 1280, "height": 800})
    return seconds


def _seconds_until(product: Product, page: Page) -> float:
    """Wait until a product's id is drawn, and return how long that took."""
    found = page.wait_for_function("(id) => secondsUntilDrawn(id)", arg=str(product.id)).json_value()
    return float(found)


def _site(url: str, api_url: str) -> Site:
    client = ApiClient(api_url)
    start = _products(client, START)
    ids = {product.id for product in start[: VISIBLE_ROWS + 1]}  # a row more than is drawn whole
    seen_after = {
        action: next(product for product in _products(client, action.leads_to)[:VISIBLE_ROWS] if product.id not in ids)
        for action in _actions(client)
    }
    return Site(url, start[0], seen_after)


def _actions(client: ApiClient) -> Iterator[Action]:
    def choose(field: str, option: str) -> Callable[[Page], None]:
        def act(page: Page) -> None:
            page.get_by_role("combobox", name=field, exact=True).click()
            page.get_by_role("option", name=option, exact=True).click()

        return act

    def search(page: Page) -> None:
        page.get_by_role("searchbox", name=WORDS.q).fill(WORD)
        page.keyboard.press("Enter")

    def turn(page: Page) -> None:
        page.get_by_role("button", name=WORDS.next).click()

    second = client.list_products(START.filter(UTC), sort=START.sort, limit=START.limit).after
    yield Action("next page", turn, replace(START, after=second or ""))
    yield Action("filter: one category", choose(WORDS.categoria, CATEGORY), replace(START, categoria=(CATEGORY,)))
    yield Action("search: one word", search, replace(START, q=WORD))
    yield Action("sort: by price", choose(WORDS.sort, order_text(ORDER, WORDS)), replace(START, sort=ORDER))


def _products(client: ApiClient, view: ListView) -> tuple[Product, ...]:
    page = client.list_products(view.filter(UTC), sort=view.sort, limit=view.limit, after=view.after or None)
    return page.products


if __name__ == "__main__":
    show(measure())
