"""What is answered when the database fails: the right status, a true sentence, in time; and all is well afterwards."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psutil
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL, Connection, event, text

from app.api.main import create_app
from app.api.migrate import upgrade
from app.api.settings import Settings
from app.embedded_postgres import embedded_postgres
from testkit.database import API_ROLE, libpq, server_folder
from tests.api.conftest import connection, created, problem

Json = dict[str, Any]


@pytest.fixture
def owner(migrated_postgres_url: URL) -> Iterator[Connection]:
    with connection(migrated_postgres_url) as opened:
        yield opened


@pytest.fixture
def api(migrated_postgres_url: URL, owner: Connection) -> Iterator[TestClient]:
    url = libpq(migrated_postgres_url.set(username=API_ROLE))
    app = create_app(Settings(database_url=url, database_pool_size=4, statement_timeout_seconds=3))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def a_key() -> Json:
    """The header of a create that is made in a thread."""
    return {"Idempotency-Key": str(uuid4())}


@contextmanager
def creates_failing(owner: Connection, sqlstate: str) -> Iterator[None]:
    """Have PostgreSQL refuse every new product with this code."""
    owner.execute(
        text(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'refused by the test' USING ERRCODE = '{sqlstate}'; END $$"
        )
    )
    owner.execute(text("CREATE TRIGGER refuse BEFORE INSERT ON products FOR EACH ROW EXECUTE FUNCTION refuse()"))
    try:
        yield
    finally:
        owner.execute(text("DROP FUNCTION refuse CASCADE"))


@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize(
    ("sqlstate", "words"),
    [
        ("53100", "disk is full"),
        ("53200", "short of memory"),
        ("40001", "Another change came in between"),
        ("40P01", "Another change came in between"),
        ("55P03", "Another change holds"),
        ("57014", "does not get this done in time"),
        ("25006", "read-only"),
        ("58030", "cannot read or write its own files"),
    ],
)
def test_what_the_database_refuses_is_a_503_that_says_why(
    api: TestClient, owner: Connection, product: Json, sqlstate: str, words: str, in_thread: bool
) -> None:
    headers = a_key() if in_thread else {}
    with creates_failing(owner, sqlstate):
        response = api.post("/products/", json=product, headers=headers)
        assert words in problem(response, 503)["detail"]
        assert response.headers["retry-after"]
    assert api.post("/products/", json=product, headers=headers).status_code == 201


def test_a_mistake_of_ours_is_no_fault_of_the_database(api: TestClient, owner: Connection, product: Json) -> None:
    for headers in ({}, a_key()):
        with creates_failing(owner, "22012"):
            assert "on our side" in problem(api.post("/products/", json=product, headers=headers), 500)["detail"]


def test_a_full_disk_turns_readiness_red_until_a_change_works_again(
    api: TestClient, owner: Connection, product: Json
) -> None:
    assert api.get("/health/ready").status_code == 200
    with creates_failing(owner, "53100"):
        api.post("/products/", json=product)
        assert "disk is full" in problem(api.get("/health/ready"), 503)["detail"]
    created(api, product)
    assert api.get("/health/ready").status_code == 200


def test_a_read_only_database_is_a_503_and_its_connections_are_replaced(
    api: TestClient, owner: Connection, product: Json
) -> None:
    path = f"/products/{created(api, product)['id']}"
    owner.execute(text(f"ALTER ROLE {API_ROLE} SET default_transaction_read_only = on"))
    try:
        terminate(owner)
        for method, address in (("PUT", path), ("POST", "/products/"), ("DELETE", path)):
            body: Json = {} if method == "DELETE" else {"json": product}
            assert "read-only" in problem(api.request(method, address, **body), 503)["detail"]
        assert "read-only" in problem(api.post("/products/", json=product, headers=a_key()), 503)["detail"]
        assert "read-only" in problem(api.get("/health/ready"), 503)["detail"]
        assert api.get(path).status_code == 200
    finally:
        owner.execute(text(f"ALTER ROLE {API_ROLE} RESET default_transaction_read_only"))
    # Nobody ends the connections now: those of before would be read-only for ever.
    assert problem(api.put(path, json=product), 503)
    for _ in range(5):
        assert api.put(path, json=product).status_code == 200
    assert api.get("/health/ready").status_code == 200


def test_a_database_without_a_free_connection_says_so(api: TestClient, owner: Connection) -> None:
    owner.execute(text(f"ALTER ROLE {API_ROLE} CONNECTION LIMIT 0"))
    try:
        assert "no more connections" in problem(api.get("/products/1"), 503)["detail"]
        assert "no more connections" in problem(api.get("/health/ready"), 503)["detail"]
    finally:
        owner.execute(text(f"ALTER ROLE {API_ROLE} CONNECTION LIMIT -1"))
    assert api.get("/health/ready").status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_change_that_was_cut_off_is_not_offered_to_be_sent_again(
    api: TestClient, owner: Connection, migrated_postgres_url: URL, product: Json, method: str
) -> None:
    path = "/products/" if method == "POST" else f"/products/{created(api, product)['id']}"
    with connection(migrated_postgres_url) as other, ThreadPoolExecutor(1) as pool:
        other.execute(text("BEGIN; LOCK TABLE products"))
        body: Json = {} if method == "DELETE" else {"json": product}
        change = pool.submit(api.request, method, path, **body)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = :role AND wait_event_type = 'Lock'"
        while not owner.execute(text(waiting), {"role": API_ROLE}).scalar_one():
            assert not change.done()
        terminate(owner)
        response = change.result()
        other.execute(text("ROLLBACK"))
    assert "may or may not have been made" in problem(response, 500)["detail"]
    assert "retry-after" not in response.headers


def test_a_connection_that_ends_before_its_transaction_begins_is_a_503(
    api: TestClient, owner: Connection, product: Json
) -> None:
    engine = api.app.state.resources.database.engine  # type: ignore[attr-defined]

    def end(connection: Any, *_: object) -> None:
        ended = "SELECT pg_terminate_backend(:pid, 5000)"
        owner.execute(text(ended), {"pid": connection.info.backend_pid})

    assert api.post("/products/", json=product, headers=a_key()).status_code == 201
    event.listen(engine, "checkout", end)
    try:
        for _ in range(5):
            assert problem(api.post("/products/", json=product, headers=a_key()), 503)
            assert engine.pool.checkedout() == 0
    finally:
        event.remove(engine, "checkout", end)
    assert api.post("/products/", json=product, headers=a_key()).status_code == 201


def test_a_frozen_server_is_answered_for_in_time(product: Json) -> None:
    with server_folder() as folder, embedded_postgres(folder) as url:
        app = create_app(Settings(database_url=libpq(url), database_pool_size=4, statement_timeout_seconds=0.5))
        with TestClient(app, raise_server_exceptions=False) as client, ThreadPoolExecutor(16) as pool:
            upgrade(client.app.state.resources.database.engine)  # type: ignore[attr-defined]
            path = f"/products/{created(client, product)['id']}"
            addresses = [path, "/products/", "/products/summary", path, "/products/?sort=name", "/products/export"]
            assert [client.get(address).status_code for address in addresses] == [200] * len(addresses)
            with frozen(folder / "postmaster.pid"):
                started = time.monotonic()
                keyed = pool.submit(client.post, "/products/", json=product, headers=a_key())
                answers = [pool.submit(client.get, address) for address in addresses]
                change = pool.submit(client.post, "/products/", json=product)
                ready = pool.submit(client.get, "/health/ready")
                assert client.get("/health/live").status_code == 200
                assert problem(ready.result(), 503)["detail"] == "The database does not answer."
                assert time.monotonic() - started < 5
                assert [answer.result().status_code for answer in answers] == [503] * len(addresses)
                assert change.result().status_code in (500, 503)  # sent, or not even that
                assert keyed.result().status_code == 503  # it was not committed, and can be sent again
                assert time.monotonic() - started < 20
            assert client.get("/products/export").status_code == 200
            again = list(pool.map(client.get, addresses[:-1] * 4))
            assert [answer.status_code for answer in again] == [200] * len(again)
            assert client.get("/health/ready").status_code == 200


@contextmanager
def frozen(pid_file: Any) -> Iterator[None]:
    """Stop every process of a PostgreSQL server as a hung machine would, and let them go on afterwards."""
    postmaster = psutil.Process(int(pid_file.read_text().splitlines()[0]))
    processes = [postmaster, *postmaster.children()]
    for process in processes:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process.pid, signal.SIGCONT)


def terminate(owner: Connection) -> None:
    ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = :role"
    assert owner.execute(text(ended), {"role": API_ROLE}).all()
