"""Files: imports and exports that somebody abandons, or hardly moves."""

import asyncio
import contextlib
import time

from faults.client import Connection
from faults.system import API_ROLE, TOKEN
from faults.trial import Trial, experiment

CSV_HEADER = b"name,price,categoria,email_fornecedor\n"
STALLED = 75  # seconds; the API gives a download up that nobody takes for 60
EXPORTING = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = %s AND query ~ 'FETCH'"


@experiment("downloads-abandoned", seconds=(STALLED, 2), recovers_in=2)
async def downloads_abandoned(trial: Trial) -> None:
    """Three exports are begun, 64 kB of each read, then nothing for 75 s, then closed.

    In the short version PostgreSQL ends their connections at once, as it does after a minute. Expected: exports and
    imports go on.
    """
    connections = []
    for _ in range(3):
        connection = await Connection.open(trial.system.api.url, receive_buffer=2**15)
        connection.writer.write(connection.head("GET", "/products/export", TOKEN))
        await connection.reader.readexactly(2**16)
        connections.append(connection)
    await asyncio.sleep(trial.seconds)
    if trial.short:
        await asyncio.to_thread(trial.postgres.execute, EXPORTING, (API_ROLE,))
    for connection in connections:
        await connection.close()
    await asyncio.sleep(1)
    exports = await asyncio.gather(*(trial.ask("GET", "/products/export?q=seed", timeout=20) for _ in range(3)))
    trial.expect(all(answer.status == 200 for answer in exports), "exports do not go on")
    csv = CSV_HEADER + "imported,1,Móveis,a@example.com\n".encode()
    imported = await trial.ask("POST", "/products/import", headers={"Content-Type": "text/csv"}, body=csv, timeout=20)
    trial.expect(imported.status == 200, "imports do not go on")


@experiment("downloads-left", seconds=(30, 6), sized=True, recovers_in=2)
async def downloads_left(trial: Trial) -> None:
    """Eight at a time begin an export and leave when it has begun, again and again.

    Expected: what was read for them leaves with them. Each held 7 MB until Python searched for garbage.
    """

    async def leave() -> None:
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            async with asyncio.timeout(15):
                connection = await Connection.open(trial.system.api.url, receive_buffer=2**14)
                try:
                    connection.writer.write(connection.head("GET", "/products/export", TOKEN))
                    await connection.reader.readexactly(200)
                finally:
                    await connection.close()

    end, left = time.monotonic() + trial.seconds, 0
    while time.monotonic() < end:
        await asyncio.gather(*(leave() for _ in range(8)))
        left += 8
    trial.notes.append(f"{left} exports were left")


@experiment("uploads-dripping", seconds=(45, 6), answers_in=12)
async def uploads_dripping(trial: Trial) -> None:
    """Eight imports send a byte a second and never end. Expected: others get their file or a 503, not silence."""
    dripping = [asyncio.create_task(_drip_up(trial)) for _ in range(8)]
    await _others(trial, dripping, "uploads")


@experiment("downloads-dripping", long_only=True, seconds=(45, 6), answers_in=12)
async def downloads_dripping(trial: Trial) -> None:
    """Eight exports are read at a kilobyte a second. Expected: others get their file or a 503, not silence."""
    dripping = [asyncio.create_task(_drip_down(trial)) for _ in range(8)]
    await _others(trial, dripping, "downloads")


async def _others(trial: Trial, dripping: list[asyncio.Task[float]], what: str) -> None:
    """Ask for files while others hold the slots, and for lists; and end the drips."""
    try:
        await asyncio.sleep(1)
        end, silent, served = time.monotonic() + trial.seconds, 0, 0
        while time.monotonic() < end:
            file = await trial.ask("GET", "/products/export?q=seed&sort=id", timeout=15)
            silent += file.status == 0
            served += file.status == 200
            products = await trial.ask("GET", "/products/?limit=5", timeout=5)
            trial.expect(products.status == 200, f"a list is answered {products.status or 'by nothing'} meanwhile")
            await asyncio.sleep(1)
        trial.expect(not silent, f"{silent} × no answer to an export within 15 s while {what} drip")
        held = [task.result() for task in dripping if task.done() and not task.exception()]
        trial.notes.append(f"{served} exports served meanwhile; {len(held)} of {len(dripping)} drips were ended")
    finally:
        for task in dripping:
            task.cancel()
        await asyncio.gather(*dripping, return_exceptions=True)


async def _drip_up(trial: Trial) -> float:
    """Send an import a byte a second; return after how many seconds the server ended it."""
    started = time.monotonic()
    connection = await Connection.open(trial.system.api.url)
    headers = {**TOKEN, "Content-Type": "text/csv", "Content-Length": "100000"}
    connection.writer.write(connection.head("POST", "/products/import", headers) + CSV_HEADER)
    answer = asyncio.create_task(connection.answer_head())
    try:
        while not answer.done():
            connection.writer.write(b"x")
            await asyncio.wait([answer], timeout=1)
    finally:
        answer.cancel()
        await asyncio.gather(answer, return_exceptions=True)
        await connection.close()
    return time.monotonic() - started


async def _drip_down(trial: Trial) -> float:
    """Read an export a kilobyte a second; return after how many seconds the server ended it."""
    started = time.monotonic()
    connection = await Connection.open(trial.system.api.url, receive_buffer=2**12)
    try:
        connection.writer.write(connection.head("GET", "/products/export", TOKEN))
        with contextlib.suppress(OSError):
            while await connection.reader.read(1024):
                await asyncio.sleep(1)
    finally:
        await connection.close()
    return time.monotonic() - started
