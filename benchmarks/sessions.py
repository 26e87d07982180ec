"""Many people with the UI at once: what a session takes, and whether one task of the UI holds 50 of them."""

import asyncio
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psutil

from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import CATEGORIES
from app.ui.products.filters import order_text
from app.ui.texts import PORTUGUESE as WORDS
from benchmarks.containers import Watch, composition, engine_answers
from benchmarks.report import Table, goal
from testkit.products import write_csv
from testkit.server import Server
from testkit.visitor import PATIENCE, LostError, PageError, Visitor, visiting

MEBIBYTE = 2**20
IDLE = (0, 1, 10, 50)
SETTLE_SECONDS = 2

PRODUCTS = 10_000
SESSIONS = 50
SECONDS = 60
THINKING = (3, 7)  # seconds between an answer and what somebody does next

Step = Callable[[Visitor], Awaitable[float]]


def memory(ui: Server) -> Table:
    """Return what a process that nobody has visited yet takes with more and more visitors, who do nothing."""
    mebibytes = asyncio.run(_idle(ui))
    table = Table(
        "UI: resident memory of its process, in MiB",
        ("idle sessions that have opened Products", "MiB", "per session beyond the first"),
        "The first one brings what is only imported then.",
    )
    for sessions, taken in mebibytes.items():
        each = (taken - mebibytes[1]) / (sessions - 1) if sessions > 1 else None
        table.rows.append((str(sessions), f"{taken:.0f}", f"{each:.2f}" if each is not None else ""))
    return table


async def _idle(ui: Server) -> dict[int, float]:
    mebibytes = {}
    async with AsyncExitStack() as stack:
        opened = 0
        for sessions in IDLE:
            for _ in range(sessions - opened):
                await (await stack.enter_async_context(visiting(ui.url))).open()
            opened = sessions
            await asyncio.sleep(SETTLE_SECONDS)
            mebibytes[sessions] = ui.process.memory_info().rss / MEBIBYTE
    return mebibytes


@dataclass
class _Held:
    """What the visitors met."""

    opening: list[float] = field(default_factory=list)  # seconds
    answers: list[float] = field(default_factory=list)  # seconds
    errors: Counter[str] = field(default_factory=Counter)
    lost: int = 0


def held() -> Table:
    """Return whether the container of the UI, of the size that docker-compose.yml gives it, holds SESSIONS."""
    table = Table(
        f"UI: {SESSIONS} sessions in one container of its size",
        ("", "measured", "goal"),
        f"All open Products ({PRODUCTS:,}) at the same moment. For {SECONDS} s they turn pages, filter, sort and "
        f"search, {THINKING[0]} to {THINKING[1]} s after the answer to what they did before. The API and its database "
        f"are in containers of their sizes too. An error is what a page shows as one, no answer within {PATIENCE} s, "
        "or a lost connection.",
    )
    if not engine_answers():
        table.rows.append(("no container engine answers here (`docker info`)", "", ""))
        return table
    with composition() as containers:
        _load(containers.api_url)
        own = psutil.Process()
        with Watch(containers.ids["ui"]) as watch:
            started, before = time.perf_counter(), sum(own.cpu_times()[:2])
            met = asyncio.run(_visit_all(containers.ui_url))
            generating = (sum(own.cpu_times()[:2]) - before) / (time.perf_counter() - started)
        container = containers.state("ui")
    size, state = container["HostConfig"], container["State"]
    errors = sum(met.errors.values())
    said = "".join(f"; {times} × {error}" for error, times in met.errors.most_common(3))
    table.rows.extend(
        [
            ("size", f"{size['NanoCpus'] / 1e9:g} CPU, {size['Memory'] / MEBIBYTE:.0f} MiB", ""),
            ("sessions open to the end", str(SESSIONS - met.lost), goal(SESSIONS - met.lost, at_least=SESSIONS)),
            ("interactions", f"{len(met.answers):,}", ""),
            ("errors", f"{errors}{said}", goal(errors, at_most=0)),
            ("an interaction, seconds", _median_and_p95(met.answers), ""),
            ("opening Products, seconds", _median_and_p95(met.opening), ""),
            (
                "memory, MiB at most",
                f"{max(watch.mebibytes):.0f}",
                goal(max(watch.mebibytes), at_most=size["Memory"] / MEBIBYTE),
            ),
            ("CPU, median", f"{statistics.median(watch.cpus):.2f}", ""),
            (
                "killed for its memory, restarts, health",
                f"{state['OOMKilled']}, {container['RestartCount']}, {state['Health']['Status']}",
                "",
            ),
            ("CPU of the load generator", f"{generating:.2f}", ""),
        ]
    )
    return table


def _load(api_url: str) -> None:
    with tempfile.TemporaryDirectory(prefix="catalogue-bench-") as folder:
        file = Path(folder, "products.csv")
        write_csv(file, PRODUCTS)
        ApiClient(api_url).import_products([file.read_bytes()], skip_refused=False)


async def _visit_all(url: str) -> _Held:
    met = _Held()
    await asyncio.gather(*(_visit(url, number, met) for number in range(SESSIONS)))
    return met


async def _visit(url: str, number: int, met: _Held) -> None:
    """Be one visitor; `met` takes what happens."""
    chance = random.Random(number)  # noqa: S311 - when somebody presses a button is no secret
    try:
        async with visiting(url) as visitor:
            met.opening.append(await visitor.open())
            end = time.perf_counter() + SECONDS
            for step in _steps(number):
                await asyncio.sleep(chance.uniform(*THINKING))
                if time.perf_counter() > end:
                    break
                try:
                    met.answers.append(await step(visitor))
                except PageError as error:
                    met.errors[str(error)] += 1
    except (LostError, PageError) as error:
        met.errors[str(error)] += 1
        met.lost += 1


def _choosing(category: str) -> Step:
    return lambda visitor: visitor.choose_all(WORDS.categoria, [category])


def _steps(number: int) -> Iterator[Step]:
    """Return what a visitor does, one thing after the other; each of them brings other products."""
    for turn in count(number):
        category = CATEGORIES[turn % len(CATEGORIES)]
        yield lambda visitor: visitor.press(WORDS.next)
        yield _choosing(category)
        yield lambda visitor: visitor.press(WORDS.next)
        yield lambda visitor: visitor.choose(WORDS.sort, order_text("price", WORDS))
        yield lambda visitor: visitor.press(WORDS.next)
        yield lambda visitor: visitor.choose_all(WORDS.categoria, [])
        yield lambda visitor: visitor.choose(WORDS.q, "garantia")
        yield lambda visitor: visitor.choose(WORDS.sort, order_text("-id", WORDS))
        yield lambda visitor: visitor.choose(WORDS.q, "")


def _median_and_p95(seconds: list[float]) -> str:
    if len(seconds) < 2:
        return "too few"
    return f"{statistics.median(seconds):.2f}, p95 {statistics.quantiles(seconds, n=20)[-1]:.2f}"
