"""Files: imports and exports that somebody abandons, or hardly moves."""

import asyncio

from faults.client import Connection
from faults.system import API_ROLE, TOKEN
from faults.trial import Trial, experiment

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
    csv = b"name,price,categoria,email_fornecedor\nimported,1,M\xc3\xb3veis,a@example.com\n"
    imported = await trial.ask("POST", "/products/import", headers={"Content-Type": "text/csv"}, body=csv, timeout=20)
    trial.expect(imported.status == 200, "imports do not go on")
