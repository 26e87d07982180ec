"""`make migration-check`: how long each migration keeps readers and writers of a full table waiting, and what is left
of one that is killed.

A migration that has to keep them waiting says so in its docstring, in a line of its own, and is held to that:

    Blocks writers for up to 20 s at a million products.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Event

from alembic.script import Script, ScriptDirectory
from sqlalchemy import URL, Engine, TextClause, create_engine, text

from app.api.migrate import alembic_config, upgrade
from app.embedded_postgres import TOOLS, EmbeddedPostgresError, embedded_postgres

ROOT = Path(__file__).parent.parent
MILLION = 1_000_000
NOISE_SECONDS = 1.0  # the 0.3 s that a migration waits for a lock, and what a busy machine adds
WRITERS_SECONDS = 3.0
BLOCKS = re.compile(r"^Blocks (readers|writers) for up to (\d+) s at a million products\.$", re.MULTILINE)
FILL = text("""
INSERT INTO products (name, description, price, categoria, email_fornecedor)
SELECT 'Geladeira Frost Free ' || n || ' L',
       CASE WHEN n % 7 > 0 THEN 'Branca, 110 V, com garantia de ' || n % 36 || ' meses e entrega em todo o país' END,
       10 + n % 5000, (ARRAY['Eletrônico', 'Eletrodoméstico', 'Móveis', 'Roupas', 'Calçados'])[1 + n % 5],
       'vendas' || n % 500 || '@fornecedores.example.com'
FROM generate_series(1, :rows) AS n
""")
READ = text("SELECT name, price FROM products WHERE id = :id")
WRITE = text("UPDATE products SET price = price + 1 WHERE id = :id")
WAITING = text(
    "SELECT pid, extract(epoch FROM clock_timestamp() - query_start) FROM pg_stat_activity "
    "WHERE pid = ANY(:pids) AND wait_event_type = 'Lock'"
)
FILES = text(
    "SELECT relname, pg_relation_filenode(oid) AS file FROM pg_class WHERE relkind = 'r' AND reltuples > 0 "
    "AND relnamespace = 'public'::regnamespace"
)
CONTENT = text("SELECT count(*), md5(string_agg(md5(p::text), '' ORDER BY id)) FROM products p")


@dataclass(frozen=True)
class Measured:
    """How long one migration took, and the longest that a reader and a writer waited for its locks, in seconds."""

    revision: str
    title: str
    seconds: float
    readers: float
    writers: float
    rewritten: list[str]  # tables that nobody could read meanwhile, however few their rows are here
    declared: dict[str, float]

    def problems(self, rows: int) -> Iterator[str]:
        """Say what it may not do; a wait is told as it would be at a million products."""
        for who, waited, allowed in (
            ("readers", self.readers, NOISE_SECONDS),
            ("writers", self.writers, WRITERS_SECONDS),
        ):
            expected = waited * max(1, MILLION / rows) if waited > NOISE_SECONDS else waited
            if expected > self.declared.get(who, allowed):
                yield (
                    f"{self.revision} keeps {who} waiting for {expected:.0f} s at a million products. Do it as "
                    "app/api/migrations/online.py does, or say in its docstring: "
                    f"Blocks {who} for up to {expected * 1.5:.0f} s at a million products."
                )
        if self.rewritten and "readers" not in self.declared:
            yield (
                f"{self.revision} writes all of {', '.join(self.rewritten)} anew, which nobody can read meanwhile. Add "
                "a column without a value and fill it with online.update_in_batches, or say in its docstring how long: "
                "Blocks readers for up to 60 s at a million products."
            )


def check(rows: int, kills: int, killed_rows: int) -> list[str]:
    """Measure and kill the migrations, print what was seen, and return what is wrong."""
    with (
        tempfile.TemporaryDirectory(prefix="catalogue-") as folder,
        embedded_postgres(Path(folder) / "data") as server,
    ):
        first, *others = _revisions()
        with _database(server, "measured", first.revision, rows) as engine:
            measured = [_measure(engine, script, rows) for script in others]
        print(f"\nOn {rows:,} products, in seconds; the longest that a reader and a writer waited for a lock:\n")
        print("revision   took   readers   writers")
        for one in measured:
            print(f"{one.revision:8} {one.seconds:6.1f} {one.readers:9.2f} {one.writers:9.2f}   {one.title}")
        problems = [problem for one in measured for problem in one.problems(rows)]
        return problems + _kill(server, first.revision, kills, killed_rows)


def declared(script: Script) -> dict[str, float]:
    """Return how long a migration says it blocks readers or writers, in seconds."""
    return {who: float(seconds) for who, seconds in BLOCKS.findall(script.module.__doc__ or "")}


def _revisions() -> list[Script]:
    return list(ScriptDirectory.from_config(alembic_config()).walk_revisions())[::-1]


@contextmanager
def _database(server: URL, name: str, revision: str, rows: int) -> Iterator[Engine]:
    """An engine of a new database at `revision` with so many products."""
    _execute(server, f"CREATE DATABASE {name}")
    engine = create_engine(server.set(database=name), isolation_level="AUTOCOMMIT", pool_size=4)
    try:
        upgrade(engine, target=revision)
        with engine.connect() as connection:
            connection.execute(FILL, {"rows": rows})
            connection.exec_driver_sql("VACUUM ANALYZE products")
        yield engine
    finally:
        engine.dispose()


def _measure(engine: Engine, script: Script, rows: int) -> Measured:
    done = Event()
    before = _files(engine)
    with ThreadPoolExecutor(3) as pool:
        reader, writer = _Client(engine, READ, rows), _Client(engine, WRITE, rows)
        try:
            working = [pool.submit(client.work, done) for client in (reader, writer)]
            watching = pool.submit(_longest_waits, engine, [reader.pid, writer.pid], done)
            started = time.monotonic()
            upgrade(engine, target=script.revision)
            seconds = time.monotonic() - started
        finally:
            done.set()
        for work in working:
            work.result()
        waits = watching.result()
    after = _files(engine)
    rewritten = [table for table in before if after.get(table, before[table]) != before[table]]
    title = script.doc.partition(":")[0]
    return Measured(script.revision, title, seconds, waits[reader.pid], waits[writer.pid], rewritten, declared(script))


class _Client:
    """One that reads or writes one product after the other."""

    def __init__(self, engine: Engine, statement: TextClause, rows: int) -> None:
        self._connection, self._statement, self._rows = engine.connect(), statement, rows
        self.pid: int = self._connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()

    def work(self, done: Event) -> None:
        with self._connection as connection:
            for number in count(1):
                connection.execute(self._statement, {"id": number * 7919 % self._rows + 1})
                if done.wait(0.002):
                    return


def _longest_waits(engine: Engine, pids: list[int], done: Event) -> dict[int, float]:
    """Return how long each waited for a lock at most; what a busy machine takes besides does not count."""
    longest = dict.fromkeys(pids, 0.0)
    with engine.connect() as connection:
        while not done.wait(0.01):
            for pid, seconds in connection.execute(WAITING, {"pids": pids}):
                longest[pid] = max(longest[pid], float(seconds))
    return longest


def _files(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {row.relname: row.file for row in connection.execute(FILES)}


def _kill(server: URL, revision: str, kills: int, rows: int) -> list[str]:
    """Kill migrators at random points, two in a row each time, and see that the next one gets to the same end."""
    with _database(server, "filled", revision, rows):
        pass
    started = time.monotonic()
    with _copy(server) as url:
        expected, _ = _end(url)
    whole = time.monotonic() - started
    problems = []
    for number in range(1, kills + 1):
        points = [random.uniform(0.1, 1) * whole for _ in range(2)]  # noqa: S311 - no secret
        with _copy(server) as url:
            for point in points:
                with _migrator(url) as process:
                    time.sleep(point)
                    process.kill()
            end, said = _end(url)
        if end != expected:
            at = " and ".join(f"{point:.1f} s" for point in points)
            problems.append(f"Two migrators that are killed after {at} do not lead to the same end: {said}")
        print(f"killed two migrators of {rows:,} products, and another one finished: {number} of {kills} times")
    return problems


def _end(url: URL) -> tuple[object, str]:
    """Migrate, and return the schema and content it leads to, and what the migrator said."""
    with _migrator(url) as process:
        said, _ = process.communicate()
    dump = [str(TOOLS / "pg_dump"), "--schema-only", _libpq(url)]
    lines = subprocess.run(dump, capture_output=True, text=True, check=True).stdout.splitlines()
    schema = [line for line in lines if "restrict" not in line]  # which has another key in every dump
    engine = create_engine(url)
    with engine.connect() as connection:
        unfinished = connection.scalar(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid"))
        content = tuple(connection.execute(CONTENT).one())
    engine.dispose()
    return (process.returncode, schema, unfinished, content), said[-2000:]


def _migrator(url: URL) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "app.api.migrate"]
    environment = {**os.environ, "DATABASE_URL": _libpq(url), "DATABASE_API_USER": ""}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


@contextmanager
def _copy(server: URL) -> Iterator[URL]:
    _execute(server, "CREATE DATABASE copied TEMPLATE filled")
    try:
        yield server.set(database="copied")
    finally:
        _execute(server, "DROP DATABASE copied WITH (FORCE)")


def _execute(server: URL, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def main(arguments: list[str]) -> int:
    """Check the migrations; exit code 1 and a sentence for each that does what it may not."""
    parser = argparse.ArgumentParser(prog="make migration-check")
    parser.add_argument("--rows", type=int, default=MILLION, help="products that readers and writers are measured on")
    parser.add_argument("--kills", type=int, default=10, help="times that two migrators are killed in a row")
    parser.add_argument("--killed-rows", type=int, default=100_000, help="products that killed migrators work on")
    chosen = parser.parse_args(arguments)
    try:
        problems = check(chosen.rows, chosen.kills, chosen.killed_rows)
    except EmbeddedPostgresError as error:
        problems = [str(error)]
    for problem in problems:
        print(f"make migration-check: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
