"""The database goes away, comes back, stands still, or takes no more."""

import asyncio
import contextlib
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg2

from faults.application import Server
from faults.client import ask
from faults.ledger import Ledger
from faults.load import Clients, Load, recovery
from faults.postgres import Postgres
from faults.system import API_ROLE, TOKEN
from faults.trial import NO_LOAD, Trial, experiment


@experiment("backends-terminated", load=Load(30, pause=0.02), seconds=(60, 5))
async def backends_terminated(trial: Trial) -> None:
    """Every connection to PostgreSQL is ended every one to two seconds, while each request brings a new socket.

    Expected: answers of 503 at most, nothing spins, no slot is lost.
    """
    end, ended = time.monotonic() + trial.seconds, 0
    while time.monotonic() < end:
        ended += await asyncio.to_thread(trial.postgres.terminate_backends, API_ROLE)
        await asyncio.sleep(1.5 if trial.seconds > 20 else 0.5)
    trial.notes.append(f"{ended} connections ended")


@experiment("postgres-restarted", long_only=True, load=Load(16), seconds=(20, 2))
async def postgres_restarted(trial: Trial) -> None:
    """PostgreSQL is stopped and started again, twice. Expected: 503 meanwhile, and well again at once."""
    for _ in range(2):
        await asyncio.to_thread(trial.postgres.stop)
        await asyncio.sleep(trial.seconds / 4)
        await asyncio.to_thread(trial.postgres.start)
        await asyncio.sleep(trial.seconds / 4)


@experiment("postgres-killed", load=Load(16), seconds=(20, 2))
async def postgres_killed(trial: Trial) -> None:
    """The postmaster is ended with SIGKILL and started again, twice.

    Expected: nothing that was acknowledged is lost.
    """
    for _ in range(2):
        await asyncio.to_thread(trial.postgres.kill)
        await asyncio.sleep(trial.seconds / 4)
        await asyncio.to_thread(trial.postgres.start)
        await asyncio.sleep(trial.seconds / 4)


@experiment("postgres-frozen", load=Load(16), seconds=(20, 5), answers_in=13)
async def postgres_frozen(trial: Trial) -> None:
    """PostgreSQL stands still for 20 s (SIGSTOP), its connections stay open.

    Expected: answers of 503 after a deadline of the API's own and not after the freeze; readiness says so within 3 s.
    """
    await asyncio.to_thread(trial.postgres.freeze)
    try:
        started = time.monotonic()
        await asyncio.sleep(0.5)
        ready = await trial.ask("GET", "/health/ready", timeout=trial.seconds - 1)
        trial.expect(ready.status == 503, f"readiness answers {ready.status or 'nothing'} while PostgreSQL is frozen")
        trial.goal("readiness, s", ready.seconds, at_most=3)
        live = await trial.ask("GET", "/health/live", timeout=5)
        trial.goal("liveness, s", live.seconds, at_most=0.5)
        await asyncio.sleep(max(0, trial.seconds - (time.monotonic() - started)))
    finally:
        await asyncio.to_thread(trial.postgres.resume)


@experiment("read-only", load=Load(16), seconds=(15, 3))
async def read_only(trial: Trial) -> None:
    """The database takes no writes for a while, as after a failover to a standby.

    Expected: writes are 503, readiness says so, and afterwards connections that were opened meanwhile are no trouble.
    """
    await asyncio.to_thread(trial.postgres.set, "default_transaction_read_only", "on")
    try:
        await asyncio.sleep(trial.seconds / 2)
        ready = await trial.ask("GET", "/health/ready")
        trial.expect(ready.status == 503, f"readiness answers {ready.status} while nothing can be written")
        await asyncio.to_thread(trial.postgres.terminate_backends, API_ROLE)
        await asyncio.sleep(trial.seconds / 2)
    finally:
        await asyncio.to_thread(_set_back, trial)


def _set_back(trial: Trial) -> None:
    connection = trial.postgres.connect(database="postgres")
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = off")
        cursor.execute("ALTER SYSTEM RESET default_transaction_read_only")
        cursor.execute("SELECT pg_reload_conf()")
    connection.close()


@experiment("connections-exhausted", long_only=True, load=Load(16), seconds=(15, 3))
async def connections_exhausted(trial: Trial) -> None:
    """Somebody else takes all of PostgreSQL's connections, and the API's are ended.

    Expected: 503 until they are back.
    """

    def take_all() -> list[Any]:
        taken = []
        trial.postgres.execute("CREATE ROLE greedy LOGIN")
        end = time.monotonic() + trial.seconds
        while time.monotonic() < end:
            trial.postgres.terminate_backends(API_ROLE)
            try:
                while True:
                    taken.append(trial.postgres.connect(user="greedy"))
            except psycopg2.OperationalError:
                time.sleep(0.2)
        return taken

    taken = await asyncio.to_thread(take_all)
    trial.notes.append(f"{len(taken)} connections taken")
    for connection in taken:
        connection.close()
    await asyncio.to_thread(trial.postgres.execute, "DROP ROLE greedy")


@experiment("products-locked", long_only=True, load=Load(16), seconds=(25, 3), answers_in=13)
async def products_locked(trial: Trial) -> None:
    """Somebody holds a lock on the table of products, as a migration without a limit does.

    Expected: 503 once PostgreSQL has given up on the statements (10 s), liveness at once, and well again at once.
    """
    holder = await asyncio.to_thread(trial.postgres.connect, autocommit=False)
    try:
        holder.cursor().execute("LOCK TABLE products IN ACCESS EXCLUSIVE MODE")
        end = time.monotonic() + trial.seconds
        while time.monotonic() < end:
            live = await trial.ask("GET", "/health/live", timeout=10)
            trial.expect(live.status == 200, "liveness fails")
            await asyncio.sleep(0.5)
    finally:
        holder.close()


@experiment("disk-full", load=NO_LOAD, seconds=(20, 5), long_only=True, recovers_in=15)
async def disk_full(trial: Trial) -> None:
    """The disk of a second PostgreSQL fills up, with an API of its own in front of it; then there is room again.

    Expected: writes are 503 or 507 with a reason, reads go on while PostgreSQL does, readiness says so, and what was
    acknowledged is there.
    """
    system = trial.system
    folder = system.folder / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        trial.notes.append("not done: mounting a small file system needs root")
        return
    api = Server(system.checkout, "app.api.main", "API_PORT", "/health/ready", system.folder / "api-small.log")
    small, ledger = None, Ledger()
    try:
        small = await asyncio.to_thread(Postgres, folder / "postgres")
        await asyncio.to_thread(system.prepare_database, small)
        await asyncio.to_thread(api.start, system.api_environment(DATABASE_URL=small.url(API_ROLE)))
        clients = Clients(api.url, TOKEN, system.products, ledger)
        async with clients.holding(Load(16)):
            await asyncio.sleep(2)
            await asyncio.to_thread(_fill, folder / "filler")
            await asyncio.sleep(trial.seconds / 2)
            ready = await ask(api.url, "GET", "/health/ready", timeout=5)
            trial.expect(ready.status == 503, f"readiness answers {ready.status} while the disk is full")
            trial.notes.append(f"ready says: {ready.body[:200].decode()}")
            await asyncio.sleep(trial.seconds / 2)
            (folder / "filler").unlink()
            await asyncio.to_thread(small.start)  # as whoever made room would; it goes on where it is running
            recovered = await recovery(api.url, TOKEN, seconds=40)
        trial.expect(recovered is not None, "not recovered")
        found = await asyncio.to_thread(ledger.compare, small)
        trial.expect(not (found.missing or found.doubled), f"{found.missing} missing, {found.doubled} doubled")
        trial.expect(not found.denied, f"{found.denied} stored though the answer invited to try again")
        trial.notes.append(f"{found.acknowledged} acknowledged; recovery {recovered} s")
        trial.clients.tally.add(clients.tally)
    finally:
        await asyncio.to_thread(api.stop)
        if small is not None:
            await asyncio.to_thread(small.stop)
        subprocess.run(["umount", "--lazy", folder], check=False)


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(2**16))
    with file.open("ab", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(512))
