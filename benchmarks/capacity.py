"""The queueing model of `make capacity` against a measured curve: `python -m benchmarks.capacity`.

Pages of the list, which take the API more time than the generator takes to ask for them. The model is told two things:
how many a second the API answers at most, and how long one takes without load; the rest it has to predict.
"""

from contextlib import ExitStack

from benchmarks.load import require_wrk, wrk
from benchmarks.open_loop import open_loop, quantile
from benchmarks.report import Table, show
from infra.cost.queueing import p95_seconds
from testkit import server
from testkit.database import make_database, postgres

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
        unloaded = quantile(_times(api.url, capacity * UNLOADED), 0.95)
        table = Table(
            "Capacity: the p95 that the queueing model predicts, and the measured one",
            ("load, of the capacity", "requests a second", "predicted, ms", "measured, ms", "predicted / measured"),
            f"One worker, {ROWS:,} products, first page; requests come at random for {SECONDS} s. The model "
            f"(infra/cost/queueing.py) is told the capacity, {capacity:,.0f} a second over {CONNECTIONS} connections, "
            f"and the p95 at {UNLOADED:.0%} of it, {unloaded * 1000:.2f} ms.",
        )
        for load in LOADS:
            rate = load * capacity
            measured, predicted = quantile(_times(api.url, rate), 0.95), p95_seconds(rate, capacity, unloaded)
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


def _times(url: str, rate: float) -> list[float]:
    found = open_loop(url, PATH, rate, SECONDS, at_random=True)
    if set(found.statuses) != {200}:
        raise RuntimeError(f"at {rate:.0f} requests a second: {dict(found.statuses)}")
    return found.good


if __name__ == "__main__":
    show(measure())
