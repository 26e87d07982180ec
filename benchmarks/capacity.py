"""The queueing model of `make capacity` against a measured curve: `python -m benchmarks.capacity`.

Pages of the list, which take the API more time than the generator takes to ask for them. The model is told two things:
how many a second the API answers at most, and how long one takes without load; the rest it has to predict.
"""

import asyncio
from contextlib import ExitStack

from benchmarks.load import require_wrk, wrk
from benchmarks.report import Table, show
from infra.cost.queueing import p95_seconds
from testkit import server
from testkit.database import make_database, postgres
from testkit.open_loop import offer

ROWS = 100_000
PATH = "/products/"
CONNECTIONS = 16
CAPACITY_SECONDS, SECONDS = 4, 6
UNLOADED = 0.05  # of the capacity
LOADS = (0.1, 0.2, 0.3, 0.4, 0.5)  # beyond, the generator takes the API's CPUs on a machine of two


def measure() -> list[Table]:
    """Return predicted and measured p95 at five loads, side by side."""
    require_wrk()
    with ExitStack() as stack:
        database = make_database(stack.enter_context(postgres()), ROWS)
        # Refuses nobody: the model knows no end of the queue.
        api = stack.enter_context(server.api(database, REQUESTS_MAX="5000", CONNECTIONS_MAX="5000"))
        wrk(api.url, "get", PATH, connections=CONNECTIONS, seconds=1)
        capacity = wrk(api.url, "get", PATH, connections=CONNECTIONS, seconds=CAPACITY_SECONDS).rate
        unloaded = _p95(api.url, capacity * UNLOADED)
        table = Table(
            "Capacity: the p95 that the queueing model predicts, and the measured one",
            ("load, of the capacity", "requests a second", "predicted, ms", "measured, ms", "predicted / measured"),
            f"One worker, {ROWS:,} products, first page; requests come at random for {SECONDS} s. The model "
            f"(infra/cost/queueing.py) is told the capacity, {capacity:,.0f} a second over {CONNECTIONS} connections, "
            f"and the p95 at {UNLOADED:.0%} of it, {unloaded * 1000:.2f} ms.",
        )
        for load in LOADS:
            rate = load * capacity
            measured, predicted = _p95(api.url, rate), p95_seconds(rate, capacity, unloaded)
            table.rows.append(
                (
                    f"{load:.0%}",
                    f"{rate:,.0f}",
                    f"{predicted * 1000:.2f}",
                    f"{measured * 1000:.2f}",
                    f"{predicted / measured:.2f}",
                )
            )
        return [table]


def _p95(url: str, rate: float) -> float:
    found = asyncio.run(offer("random", url, PATH, {}, rate=rate, seconds=SECONDS, connections=600))
    if set(found.statuses) != {"200"}:
        raise RuntimeError(f"at {rate:.0f} requests a second: {found.statuses}")
    return found.accepted_within(0.95)


if __name__ == "__main__":
    show(measure())
