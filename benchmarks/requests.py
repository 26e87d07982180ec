"""Requests for one product and for pages of the list, one worker each: `python -m benchmarks.requests`.

The API against (a) what the FastAPI tutorial teaches (tutorial.py), (b) its own routes without a database (floor.py)
and (c) the same SQL sent by pgbench. They take turns, so that whatever else the machine does meets all of them.
"""

import statistics
from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy import URL

from app.api.schemas import ProductResponse
from benchmarks import cores
from benchmarks.load import Measured, pgbench, require_wrk, wrk
from benchmarks.report import Table, goal, show, spread
from benchmarks.server import application, floor
from testkit import server
from testkit.database import execute, make_database, postgres

ROWS = 100_000
CONNECTIONS = (1, 16, 64)
ROUNDS = 3
SECONDS = 2
AS_TAUGHT_SECONDS = 45  # longer than SQLAlchemy's wait for a connection, or a halt would be all that is seen
# The tutorial's engine has SQLAlchemy's default pool of 5 + 10 connections, which more than 40 clients can stop:
# FastAPI's 40 threads wait for a connection, and those who have one wait for a thread. One for each thread prevents it.
THREADS = 40
OPERATIONS = {
    "read": ("read", str(ROWS)),
    "create": ("create",),
    "update": ("update", str(ROWS)),
    "first page": ("get", "/products/"),
    "page of one category": ("get", "/products/?categoria=Roupas"),
    "page of a range of prices": ("get", "/products/?price_min=1000&price_max=2000"),
}
# The least rate, as a multiple of the tutorial's and of no database's.
GOALS: dict[tuple[str, int], tuple[float | None, float]] = {
    **{(name, connections): (3, 0.5) for name in ("read", "create") for connections in CONNECTIONS},
    **{(name, connections): (None, 0.6) for name in OPERATIONS if "page" in name for connections in CONNECTIONS},
    ("first page", 16): (6, 0.6),
}
COLUMNS = ", ".join(ProductResponse.model_fields)
SQL = {
    "read": f"""
\\set id random(1, {ROWS})
SELECT {COLUMNS} FROM products WHERE id = :id;""",
    "create": f"""
INSERT INTO products (name, description, price, categoria, email_fornecedor) VALUES
('Geladeira Frost Free 375 L', 'Branca, 110 V', 2899.9, 'Eletrodoméstico', 'vendas@fornecedor.example.com')
RETURNING {COLUMNS};""".replace("\n", " "),
    "update": f"""
\\set id random(1, {ROWS})
\\set price random(1, 9999)
UPDATE products SET price = :price, updated_at = now(), version = version + 1 WHERE id = :id RETURNING {COLUMNS};""",
    "first page": f"SELECT {COLUMNS} FROM products ORDER BY id LIMIT 51;",
    "page of one category": f"SELECT {COLUMNS} FROM products WHERE categoria = 'Roupas' ORDER BY id LIMIT 51;",
    "page of a range of prices": f"""
SELECT {COLUMNS} FROM products WHERE price BETWEEN 1000 AND 2000 ORDER BY id LIMIT 51;""",
}
TUTORIAL_TABLE = (
    """CREATE TABLE tutorial_products (
        id serial PRIMARY KEY, name varchar NOT NULL, description varchar, price float NOT NULL,
        categoria varchar NOT NULL, email_fornecedor varchar NOT NULL,
        created_at timestamp NOT NULL DEFAULT now(), updated_at timestamp NOT NULL DEFAULT now())""",
    """INSERT INTO tutorial_products
           (name, description, price, categoria, email_fornecedor, created_at, updated_at)
       SELECT name, description, price, categoria, email_fornecedor, created_at, updated_at
       FROM products ORDER BY id""",
    "VACUUM ANALYZE tutorial_products",
)


@dataclass(frozen=True)
class Round:
    """What everybody achieved in one round."""

    api: Measured
    tutorial: Measured
    floor: Measured
    sql_rate: float


def measure() -> list[Table]:
    """Run the rounds and return the ratios of rates, the rates, and the latencies."""
    require_wrk()
    with ExitStack() as stack:
        core = stack.enter_context(cores.one_kept_free())
        database = make_database(stack.enter_context(postgres()), ROWS)
        execute(database, *TUTORIAL_TABLE)
        tutorial, path = "benchmarks.tutorial:app", "/products/1"
        servers = (
            cores.give(core, stack.enter_context(server.api(database))).url,
            cores.give(core, stack.enter_context(application(tutorial, path, database, POOL_SIZE=str(THREADS)))).url,
            cores.give(core, stack.enter_context(floor())).url,
        )
        for url in servers:  # every code path once before it counts
            for operation in OPERATIONS.values():
                wrk(url, *operation, connections=16, seconds=1)
        rounds: dict[tuple[str, int], list[Round]] = {}
        for _ in range(ROUNDS):
            for name in OPERATIONS:
                for connections in CONNECTIONS:
                    rounds.setdefault((name, connections), []).append(_round(name, connections, servers, database))
        with application(tutorial, path, database) as default_pool:
            cores.give(core, default_pool)
            as_taught = wrk(
                default_pool.url, *OPERATIONS["read"], connections=max(CONNECTIONS), seconds=AS_TAUGHT_SECONDS
            )
    return [_ratios(rounds), _rates(rounds, as_taught), _latencies(rounds)]


def _round(name: str, connections: int, servers: tuple[str, str, str], database: URL) -> Round:
    api, tutorial, floor = (wrk(url, *OPERATIONS[name], connections=connections, seconds=SECONDS) for url in servers)
    return Round(api, tutorial, floor, pgbench(database, SQL[name], connections=connections, seconds=SECONDS))


def _ratios(measured: dict[tuple[str, int], list[Round]]) -> Table:
    table = Table(
        f"Requests: the API's rate as a multiple of the others' ({ROWS:,} products, one worker)",
        ("", "connections", "of the tutorial's", "goal", "of no database's", "goal", "of pgbench's, same SQL"),
        f"Median of {ROUNDS} rounds of {SECONDS} s, with the least and the largest; more is better. "
        "The tutorial's table has no index but its key, and its list no filters: it answers with its first page.",
    )
    for (name, connections), rounds in measured.items():
        of_tutorial = [r.api.rate / r.tutorial.rate for r in rounds]
        of_floor = [r.api.rate / r.floor.rate for r in rounds]
        least_of_tutorial, least_of_floor = GOALS.get((name, connections), (None, None))
        table.rows.append(
            (
                name,
                str(connections),
                spread(of_tutorial),
                _goal(of_tutorial, least_of_tutorial),
                spread(of_floor),
                _goal(of_floor, least_of_floor),
                spread([r.api.rate / r.sql_rate for r in rounds]),
            )
        )
    return table


def _goal(ratios: list[float], least: float | None) -> str:
    return "" if least is None else goal(statistics.median(ratios), at_least=least)


def _rates(measured: dict[tuple[str, int], list[Round]], as_taught: Measured) -> Table:
    table = Table(
        "Requests: answers per second",
        ("", "connections", "API", "tutorial", "no database", "pgbench", "failed: API, tutorial"),
        f"The tutorial has a pool of {THREADS} connections here, one for each of FastAPI's threads. With the default "
        f"pool, as it is taught, {max(CONNECTIONS)} clients who read got {as_taught.rate:,.0f} answers per second over "
        f"{AS_TAUGHT_SECONDS} s and {as_taught.failed} errors in this run; it can stand still for the 30 s a thread "
        "waits for a connection, and does not always. "
        "Where the machine has two cores or more, the servers have one of them; load and database share the others.",
    )
    for (name, connections), rounds in measured.items():
        rates = zip(*((r.api.rate, r.tutorial.rate, r.floor.rate, r.sql_rate) for r in rounds), strict=True)
        failed = f"{sum(r.api.failed for r in rounds)}, {sum(r.tutorial.failed for r in rounds)}"
        table.rows.append((name, str(connections), *(f"{statistics.median(rate):,.0f}" for rate in rates), failed))
    return table


def _latencies(measured: dict[tuple[str, int], list[Round]]) -> Table:
    table = Table(
        "Requests: latency in milliseconds",
        ("", "connections", "API p50", "p99", "tutorial p50", "p99", "API p99 / tutorial p50", "goal"),
    )
    for (name, connections), rounds in measured.items():
        times = zip(*((r.api.p50, r.api.p99, r.tutorial.p50, r.tutorial.p99) for r in rounds), strict=True)
        tail = [r.api.p99 / r.tutorial.p50 for r in rounds]
        has_goal = connections == max(CONNECTIONS)
        table.rows.append(
            (
                name,
                str(connections),
                *(f"{statistics.median(seconds) * 1000:,.2f}" for seconds in times),
                spread(tail),
                goal(statistics.median(tail), at_most=1) if has_goal else "",
            )
        )
    return table


if __name__ == "__main__":
    show(measure())
