"""The same requests at 1,000, 100,000 and 1,000,000 products: `python -m benchmarks.scale`."""

import math
import statistics
from contextlib import ExitStack
from datetime import timedelta
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from urllib.request import urlopen

from sqlalchemy import URL, create_engine, text

from benchmarks.load import require_wrk, wrk
from benchmarks.report import Table, goal, show, spread
from testkit import server
from testkit.database import make_database, postgres
from testkit.lists import REQUESTS
from testkit.products import DAYS, FIRST_DAY

SIZES = (1_000, 100_000, 1_000_000)
ROUNDS = 3
SECONDS = 1
PAGE, SEARCH = 1.3, 3.0  # how many times longer a request may take at the largest size than at the smallest
SUMMARY_MILLISECONDS = 50
HALF_TIME = (FIRST_DAY + timedelta(days=DAYS / 2)).isoformat()


def measure() -> list[Table]:
    """Return how long each request takes by the number of products, and the curve of the summary."""
    require_wrk()
    with ExitStack() as stack:
        postgresql = stack.enter_context(postgres())
        databases = {size: make_database(postgresql, size) for size in SIZES}
        urls = {size: stack.enter_context(server.api(database)).url for size, database in databases.items()}
        paths = {name: dict.fromkeys(SIZES, _path(parameters)) for name, parameters in REQUESTS.items()}
        goals = {name: SEARCH if "q" in parameters else PAGE for name, parameters in REQUESTS.items()}
        for order in ("id", "price"):
            name = f"a page in the middle, by {order}"
            paths[name] = {size: _middle(url, order) for size, url in urls.items()}
            goals[name] = PAGE
        table = Table(
            "Scale: milliseconds a request takes, by the number of products",
            ("", *(f"{size:,}" for size in SIZES), f"{SIZES[-1]:,} / {SIZES[0]:,}", "goal", "products in the answers"),
            f"Medians of {ROUNDS} rounds over one connection; ratios are of one round, with the least and the largest.",
        )
        for name, by_size in paths.items():
            found = "/".join(str(_count(urls[size] + path)) for size, path in by_size.items())
            times = _times(urls, by_size)
            ratios = [large / small for large, small in zip(times[SIZES[-1]], times[SIZES[0]], strict=True)]
            cells = [f"{statistics.median(seconds) * 1000:.2f}" for seconds in times.values()]
            table.rows.append(
                (name, *cells, spread(ratios), goal(statistics.median(ratios), at_most=goals[name]), found)
            )
        return [table, _summary(urls, databases)]


def _path(parameters: dict[str, object]) -> str:
    return f"/products/?{urlencode(parameters, doseq=True, quote_via=quote)}" if parameters else "/products/"


def _middle(url: str, order: str) -> str:
    """Return the address of a page in the middle: a filter finds the place, `Link` has its cursor, the filter goes."""
    start = {"created_after": HALF_TIME} if order == "id" else {"price_min": 300}
    with urlopen(url + _path({**start, "sort": order, "limit": 1})) as answer:  # noqa: S310 - our own address
        link = next(link for link in answer.headers["Link"].split(", ") if 'rel="next"' in link)
    after = parse_qs(urlsplit(link[1 : link.index(">")]).query)["after"][0]
    return _path({"sort": order, "after": after})


def _count(url: str) -> int:
    with urlopen(url) as answer:  # noqa: S310 - our own address
        return int(answer.read().count(b'"email_fornecedor"'))


def _times(urls: dict[int, str], paths: dict[int, str]) -> dict[int, list[float]]:
    """Return the median seconds of each round, by the number of products."""
    seconds: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(ROUNDS):
        for size, url in urls.items():
            measured = wrk(url, "get", paths[size], connections=1, seconds=SECONDS)
            if measured.failed:
                raise RuntimeError(f"{paths[size]} at {size} products: {measured.failed} requests failed")
            # Not one answer in that time would be told as a latency of 0.
            seconds[size].append(measured.p50 if measured.rate else math.inf)
    return seconds


def _summary(urls: dict[int, str], databases: dict[int, URL]) -> Table:
    table = Table(
        "Scale: GET /products/summary",
        ("products", "answer, ms", "goal", "age stated, s", "computing it, ms"),
        "A large catalogue's summary is a snapshot, whose age the answer states (`Age`, `as_of`).",
    )
    times = _times(urls, dict.fromkeys(SIZES, "/products/summary"))
    for size, url in urls.items():
        with urlopen(f"{url}/products/summary") as answer:  # noqa: S310 - our own address
            age = answer.headers["Age"]
        engine = create_engine(databases[size])
        with engine.connect() as connection:
            computing = connection.scalar(text("SELECT seconds FROM products_summary"))
        engine.dispose()
        milliseconds = [seconds * 1000 for seconds in times[size]]
        met = (
            goal(statistics.median(milliseconds), at_most=SUMMARY_MILLISECONDS, unit=" ms") if size == SIZES[-1] else ""
        )
        table.rows.append(
            (
                f"{size:,}",
                spread(milliseconds),
                met,
                str(age),
                f"{computing * 1000:,.1f}" if computing is not None else "",
            )
        )
    return table


if __name__ == "__main__":
    show(measure())
