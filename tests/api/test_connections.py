"""The connections of single statements: what becomes of them when statements wait, end early or are many."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL, Integer, String, bindparam, func, literal, select, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.api.main import create_app
from app.api.prepared import Connections, NoConnectionError, Prepared
from app.api.settings import Settings
from testkit.database import libpq
from tests.api.conftest import connection, created, problem

LENGTH = Prepared(select(func.length(bindparam("text", type_=String))))
SLEEP = Prepared(select(literal("slept", String), func.pg_sleep(bindparam("seconds", type_=Integer))))


@pytest.fixture
def connections(postgres_url: URL) -> Connections:
    """Two connections."""
    return Connections(lambda: asyncpg.connect(libpq(postgres_url)), 2)


@contextmanager
def an_api(url: URL, **settings: Any) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(database_url=libpq(url), **settings)), raise_server_exceptions=False) as api:
        yield api


def test_each_statement_gets_its_own_answer(connections: Connections) -> None:
    async def run() -> list[Any]:
        lengths = (connections.rows(LENGTH, {"text": "x" * length}) for length in range(200))
        rows = await asyncio.gather(*lengths)
        connections.close()
        return [row[0] for (row,) in rows]

    assert asyncio.run(run()) == list(range(200))


def test_a_statement_longer_than_the_sockets_buffer_is_sent_whole(connections: Connections) -> None:
    async def run() -> Any:
        row = await connections.rows(LENGTH, {"text": "x" * 20_000_000})
        connections.close()
        return row

    assert asyncio.run(run()) == [(20_000_000,)]


def test_one_that_nobody_waits_for_any_more_leaves_its_answer_to_nobody(connections: Connections) -> None:
    async def run() -> list[Any]:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await connections.rows(SLEEP, {"seconds": 1})
        rows = [await connections.rows(LENGTH, {"text": "four"}) for _ in range(3)]
        connections.close()
        return rows

    assert asyncio.run(run()) == [[(4,)]] * 3


def test_who_finds_no_free_connection_waits_for_a_while(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.prepared.WAIT_SECONDS", 0.3)

    async def run() -> list[Any]:
        busy = [asyncio.create_task(connections.rows(SLEEP, {"seconds": 1})) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(PoolTimeoutError, match=r"no connection became free in 0\.3 s"):
            await connections.rows(LENGTH, {"text": "four"})
        await asyncio.gather(*busy)
        answer = await connections.rows(LENGTH, {"text": "four"})
        connections.close()
        return [answer]

    assert asyncio.run(run()) == [[(4,)]]


def test_a_server_that_does_not_answer_is_given_up() -> None:
    async def run() -> None:
        async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            silent = Connections(lambda: asyncpg.connect(host="127.0.0.1", port=port, timeout=0.3), 1)
            with pytest.raises(NoConnectionError):
                await silent.rows(LENGTH, {"text": "four"})

    asyncio.run(run())


def test_a_connection_that_the_server_ended_is_replaced(migrated_postgres_url: URL, product: dict[str, Any]) -> None:
    with an_api(migrated_postgres_url) as client, connection(migrated_postgres_url) as owner:
        path = f"/products/{created(client, product)['id']}"
        ended = owner.execute(
            text(
                "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
                "WHERE application_name = 'catalogue-api'"
            )
        ).scalar_one()
        assert ended >= 1
        assert client.get(path).status_code == 200


def test_connections_that_end_all_the_time_cost_no_slot_no_rest_and_no_product(
    migrated_postgres_url: URL, product: dict[str, Any]
) -> None:
    with (
        an_api(migrated_postgres_url, database_pool_size=4) as client,
        connection(migrated_postgres_url) as owner,
        ThreadPoolExecutor(8) as pool,
    ):
        path = f"/products/{created(client, product)['id']}"
        over = threading.Event()

        def use(number: int) -> list[Any]:
            answers = []
            while not over.is_set():
                answers.append(client.get(path if number % 2 else "/products/?q=geladeira"))
                answers.append(client.post("/products/", json=product | {"name": f"cut off {number} {len(answers)}"}))
            return answers

        using = [pool.submit(use, number) for number in range(8)]
        ended = 0
        while ended < 200 and not any(user.done() for user in using):
            ended += owner.execute(
                text(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE application_name = 'catalogue-api'"
                )
            ).scalar_one()
        over.set()
        answers = [answer for user in using for answer in user.result()]
        for answer in answers:
            unknown = answer.status_code == 500 and "may or may not" in answer.text
            assert answer.status_code in (200, 201, 503) or unknown, answer.text
        assert [answer.status_code for answer in pool.map(client.get, [path] * 40)] == [200] * 40
        stored = owner.execute(text("SELECT name FROM products WHERE name LIKE 'cut off %'")).scalars().all()
        assert {a.json()["name"] for a in answers if a.status_code == 201} <= set(stored)
        assert len(stored) == len(set(stored))
        used = time.process_time()
        threading.Event().wait(1)
        assert time.process_time() - used < 0.5  # seconds of processor: nothing spins


def test_a_migration_may_change_a_column_under_a_running_api(
    migrated_postgres_url: URL, product: dict[str, Any]
) -> None:
    with an_api(migrated_postgres_url) as client, connection(migrated_postgres_url) as owner:
        path = f"/products/{created(client, product)['id']}"
        for size in (255, 254):
            owner.execute(text(f"ALTER TABLE products ALTER COLUMN email_fornecedor TYPE varchar({size})"))
            assert client.get(path).status_code == 200
            assert client.put(path, json={"price": size}).json()["price"] == size


def test_a_change_waits_for_another_and_is_a_503_when_that_takes_too_long(
    migrated_postgres_url: URL, product: dict[str, Any]
) -> None:
    with an_api(migrated_postgres_url, statement_timeout_seconds=0.5) as client:
        made = created(client, product)
        path = f"/products/{made['id']}"
        with connection(migrated_postgres_url) as other:
            other.execute(text("BEGIN"))
            other.execute(text("UPDATE products SET price = 2 WHERE id = :id"), {"id": made["id"]})
            assert problem(client.put(path, json={"price": 3}), 503)["detail"].startswith("The database does not")
            assert client.get(path).json()["price"] == product["price"]
            other.execute(text("COMMIT"))
        assert client.put(path, json={"price": 3}).json()["price"] == 3


def test_those_who_wait_in_threads_keep_nobody_from_reading(
    migrated_postgres_url: URL, product: dict[str, Any]
) -> None:
    with (
        an_api(migrated_postgres_url, database_pool_size=4) as client,
        connection(migrated_postgres_url) as other,
        ThreadPoolExecutor(4) as pool,
    ):
        path = f"/products/{created(client, product)['id']}"
        other.execute(text("BEGIN; LOCK TABLE products_summary"))
        summaries = [pool.submit(client.get, "/products/summary") for _ in range(3)]
        assert [client.get(path).status_code for _ in range(20)] == [200] * 20
        assert not any(summary.done() for summary in summaries)
        other.execute(text("COMMIT"))
        assert [summary.result().status_code for summary in summaries] == [200] * 3
