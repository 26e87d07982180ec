"""What stands for RDS speaks TLS alone, with a certificate that only the rehearsal's own authority vouches for."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import asyncpg
import psycopg2
import pytest
import trustme
from sqlalchemy import URL

from infra.rehearsal.launcher import database_tls
from testkit.server import free_port


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def port(postgres_url: URL, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("tls")
    issued = authority.issue_cert("localhost")
    issued.cert_chain_pems[0].write_to_path(str(folder / "crt"))
    issued.private_key_pem.write_to_path(str(folder / "key"))
    listening, socket_folder = free_port(), postgres_url.query["host"]
    connect = partial(asyncio.open_unix_connection, f"{socket_folder}/.s.PGSQL.{postgres_url.query['port']}")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    files = str(folder / "crt"), str(folder / "key")
    serving = asyncio.run_coroutine_threadsafe(database_tls.serve(listening, connect, *files), loop)
    try:
        asyncio.run_coroutine_threadsafe(_answers(listening), loop).result(10)
        yield listening
    finally:
        serving.cancel()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


async def _answers(port: int) -> None:
    while True:
        try:
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return


def test_who_trusts_the_authority_is_served(
    port: int, postgres_url: URL, authority: trustme.CA, tmp_path: Path
) -> None:
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    address = f"host=localhost port={port} dbname={postgres_url.database} user={postgres_url.username}"
    with psycopg2.connect(f"{address} sslmode=verify-full sslrootcert={trusted}") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT repeat('a', 10000000)")
        assert cursor.fetchone() == ("a" * 10_000_000,)
    connection.close()

    async def ask() -> int:
        context = ssl.create_default_context(cafile=str(trusted))
        connected = await asyncpg.connect(
            host="localhost", port=port, database=postgres_url.database, user=postgres_url.username, ssl=context
        )
        try:
            return int(await connected.fetchval("SELECT 42"))
        finally:
            await connected.close()

    assert asyncio.run(ask()) == 42


def test_who_trusts_others_or_wants_no_tls_is_not(port: int, postgres_url: URL, tmp_path: Path) -> None:
    other = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    address = f"host=localhost port={port} dbname={postgres_url.database} user={postgres_url.username}"
    with pytest.raises(psycopg2.OperationalError, match="certificate verify failed"):
        psycopg2.connect(f"{address} sslmode=verify-full sslrootcert={other}")
    with pytest.raises(psycopg2.OperationalError, match="no encryption"):
        psycopg2.connect(f"{address} sslmode=disable")
