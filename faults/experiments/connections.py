"""Clients that hold connections without asking, or leave when it suits them."""

import asyncio
import contextlib
import random
import time

from faults.client import Connection, json_body
from faults.load import Load
from faults.system import TOKEN
from faults.trial import Trial, experiment


@experiment("slow-headers", long_only=True, load=Load(4), seconds=(45, 4), answers_in=3)
async def slow_headers(trial: Trial) -> None:
    """Three hundred connections send a header line every five seconds and never end their request.

    Expected: others are served as always; a connection that does not say what it wants is ended within half a minute.
    """
    await _held(trial, b"GET /products/1 HTTP/1.1\r\nHost: x\r\n", b"X-More: 1\r\n")


@experiment("slow-bodies", long_only=True, load=Load(4), seconds=(45, 4), answers_in=3)
async def slow_bodies(trial: Trial) -> None:
    """Three hundred connections send a product's body a byte every five seconds.

    Expected: others are served as always; a body that does not come is given up within half a minute.
    """
    head = f"POST /products/ HTTP/1.1\r\nHost: x\r\nAuthorization: {TOKEN['Authorization']}\r\n"
    await _held(trial, f"{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{".encode(), b" ")


@experiment("clients-leaving", load=Load(4), seconds=(60, 5))
async def clients_leaving(trial: Trial) -> None:
    """Twenty clients leave at random points: in the header, in the body, before the answer, within an export.

    Expected: no slot, transaction or connection is left behind, and nothing is created twice.
    """
    end = time.monotonic() + trial.seconds
    left = await asyncio.gather(*(_leave(trial, random.Random(n), end) for n in range(20)))  # noqa: S311 - no secret
    trial.notes.append(f"{sum(left)} times somebody left")
    sql = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'catalogue_api' AND state ~ '^idle in transaction'"
    end = time.monotonic() + 10
    while left_open := (await asyncio.to_thread(trial.postgres.execute, sql))[0][0]:
        if time.monotonic() > end:
            break
        await asyncio.sleep(0.2)
    trial.expect(not left_open, f"{left_open} transactions are left open")


async def _held(trial: Trial, head: bytes, more: bytes) -> None:
    connections = []
    for _ in range(300):
        connection = await Connection.open(trial.system.api.url)
        connection.writer.write(head)
        connections.append(connection)
    end = time.monotonic() + trial.seconds
    while time.monotonic() < end:
        await asyncio.sleep(min(5, trial.seconds / 3))
        for connection in connections:
            connection.writer.write(more)
    ended = sum(connection.reader.at_eof() or connection.writer.is_closing() for connection in connections)
    for connection in connections:
        await connection.close()
    trial.notes.append(f"{ended} of {len(connections)} were ended by the API")
    if not trial.short:
        trial.expect(ended == len(connections), f"{len(connections) - ended} of {len(connections)} are held for ever")


async def _leave(trial: Trial, chance: random.Random, end: float) -> int:
    left = 0
    while time.monotonic() < end:
        left += 1
        headers, body = json_body(trial.clients.unledgered())
        connection = None
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            connection = await Connection.open(trial.system.api.url, receive_buffer=2**14)
            asked = chance.choice(["create", "read", "list", "export", "import"])
            match asked:
                case "create":
                    length = {"Content-Length": str(len(body))}
                    request = connection.head("POST", "/products/", {**TOKEN, **headers, **length}) + body
                case "import":
                    more = {**TOKEN, "Content-Type": "text/csv", "Content-Length": "5000"}
                    request = connection.head("POST", "/products/import", more) + b"name,price\n" + b"x" * 1000
                case _:
                    path = {"read": "/products/1", "list": "/products/?limit=50", "export": "/products/export"}[asked]
                    request = connection.head("GET", path, TOKEN)
            cut = chance.choice([len(request), chance.randint(1, len(request))])
            connection.writer.write(request[:cut])
            await connection.writer.drain()
            async with asyncio.timeout(chance.uniform(0, 0.1)):
                await connection.reader.readexactly(chance.randint(1, 2**17))
        if connection is not None:
            await connection.close()
        await asyncio.sleep(chance.uniform(0, 0.05))
    return left
