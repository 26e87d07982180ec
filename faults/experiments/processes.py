"""The API's own process ends, and the migration's: killed, twice, or asked to stop."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import psutil

from faults.application import migrate
from faults.client import Connection
from faults.load import Load
from faults.postgres import Postgres
from faults.trial import Trial, experiment

ROWS = (150_000, 20_000)  # in the long version, and in the short one
# The revisions as the code has them, and bringing a database to one of them, by Alembic's own means.
STEP = """
import sys
from alembic import command
from sqlalchemy import create_engine
from app.api.migrate import alembic_config
engine = create_engine(sys.argv[1].replace("postgresql://", "postgresql+psycopg2://"))
with engine.connect() as connection:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, sys.argv[2])
    connection.commit()
"""
FILL = """
INSERT INTO products (name, description, price, categoria, email_fornecedor)
SELECT 'seed ' || n, 'palavra ' || n, n, 'Móveis', 'a@example.com' FROM generate_series(1, %s) n
"""
AT_WORK = """
SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state = 'active' AND pid <> pg_backend_pid()
AND query ~* '^\\s*(ALTER TABLE|CREATE INDEX|CREATE UNIQUE|UPDATE|CREATE TABLE|INSERT)'
AND clock_timestamp() - query_start > interval '20 ms'
"""


@experiment("api-killed", load=Load(16), seconds=(20, 3), recovers_in=3)
async def api_killed(trial: Trial) -> None:
    """The API is ended with SIGKILL in the middle of its work and started again, twice.

    Expected: what was acknowledged is there once; clients with an Idempotency-Key who try again create nothing twice.
    """
    api = trial.system.api
    for _ in range(2):
        await asyncio.sleep(trial.seconds / 4)
        await asyncio.to_thread(api.kill)
        await asyncio.sleep(trial.seconds / 4)
        await asyncio.to_thread(api.start, api.environment)


@experiment("api-frozen", long_only=True, load=Load(16), seconds=(20, 3), answers_in=25)
async def api_frozen(trial: Trial) -> None:
    """The API's process stands still (SIGSTOP) under load, as on a machine that has no time for it, and goes on.

    Expected: what was sent meanwhile is done once, or refused; well again at once.
    """
    for process in trial.system.api.processes():
        process.suspend()
    await asyncio.sleep(trial.seconds)
    for process in trial.system.api.processes():
        process.resume()


@experiment("descriptors-exhausted", long_only=True, load=Load(4), seconds=(20, 3), answers_in=25)
async def descriptors_exhausted(trial: Trial) -> None:
    """The API may open 100 files, and strangers hold 150 connections that ask for nothing; then they leave.

    Expected: no spinning, no flood of log, and well again at once.
    """
    (process, *_) = trial.system.api.processes()
    limits = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (100, limits[1]))
    connections: list[Connection] = []
    logged = trial.system.api.log_size()
    try:
        connections += [await Connection.open(trial.system.api.url) for _ in range(150)]
        cpu = sum(process.cpu_times()[:2])
        await asyncio.sleep(trial.seconds)
        used = (sum(process.cpu_times()[:2]) - cpu) / trial.seconds
        trial.expect(used < 0.5, f"{used:.2f} cores are used while nothing can be opened")
        written = (trial.system.api.log_size() - logged) / trial.seconds
        trial.expect(written < 100_000, f"{written / 1000:.0f} kB of log a second while nothing can be opened")
    finally:
        for connection in connections:
            await connection.close()
        process.rlimit(psutil.RLIMIT_NOFILE, limits)


@experiment("api-stopped", long_only=True, load=Load(16), seconds=(10, 2), recovers_in=3)
async def api_stopped(trial: Trial) -> None:
    """The API gets SIGTERM under load, as in every deployment, and is started again.

    Expected: it ends within its grace period, and every request that it took is answered: what fails is refused or
    reset at the door.
    """
    api = trial.system.api
    await asyncio.sleep(trial.seconds / 2)
    took = await asyncio.to_thread(api.stop)
    trial.goal("stopping, s", took, at_most=22)
    await asyncio.to_thread(api.start, api.environment)
    await asyncio.sleep(trial.seconds / 2)
    said = trial.clients.tally.said
    broken = {why: times for why, times in said.items() if "IncompleteRead" in why or "within" in why}
    trial.expect(not broken, f"taken and not answered: {broken}")


@experiment("migrations-killed", seconds=(60, 10))
async def migrations_killed(trial: Trial) -> None:
    """Each migration is killed with SIGKILL in the middle, twice, on a database of the version before; then it runs.

    Expected: the third run brings the schema to the newest revision, whatever the first two left.
    """
    rows = ROWS[trial.short]
    revisions = sorted(path.name.partition("_")[0] for path in _versions(trial).glob("[0-9]*.py"))
    postgres, checkout = trial.postgres, trial.system.checkout
    log = trial.system.folder / "migrations.log"
    for number, revision in enumerate(revisions[1:], start=1):
        database = f"killed_at_{revision}"
        await asyncio.to_thread(postgres.execute, f"CREATE DATABASE {database}")
        url = postgres.url(database=database)
        await asyncio.to_thread(_step, trial, url, revisions[number - 1])
        await asyncio.to_thread(postgres.execute, FILL, (rows,), database=database)
        environment = {"DATABASE_URL": url, "DATABASE_API_USER": "catalogue_api"}
        killed = 0
        for moment in (1, 2):
            running = await asyncio.to_thread(migrate, checkout, environment, log)
            killed += await asyncio.to_thread(_kill_at_work, postgres, database, running, moment)
        final = await asyncio.to_thread(migrate, checkout, environment, log)
        code = await asyncio.to_thread(final.wait, 120)
        last = log.read_text().strip().splitlines()[-1]
        trial.expect(code == 0, f"{revision} does not continue after kill -9: {last}")
        trial.notes.append(f"{revision}: killed {killed} times, then exit code {code}")
        await asyncio.to_thread(postgres.execute, f"DROP DATABASE {database} WITH (FORCE)")


def _versions(trial: Trial) -> Path:
    return trial.system.checkout / "app/api/migrations/versions"


def _step(trial: Trial, url: str, revision: str) -> None:
    command = [sys.executable, "-c", STEP, url, revision]
    done = subprocess.run(command, cwd=trial.system.checkout, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"no database at revision {revision}: {done.stderr[-500:]}")


def _kill_at_work(postgres: Postgres, database: str, running: "subprocess.Popen[bytes]", moment: int) -> bool:
    """Kill a migration once it is seen in a long statement, the `moment`th time that another one begins."""
    seen = 0
    was_at_work = False
    while running.poll() is None:
        at_work = bool(postgres.execute(AT_WORK, (database,), database="postgres")[0][0])
        seen += at_work and not was_at_work
        was_at_work = at_work
        if seen == moment:
            running.kill()
            running.wait()
            return True
        time.sleep(0.005)
    return False
