"""An import is there once or not at all, whatever becomes of connections and processes, and can be asked about."""

import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL, text

from app.api.import_log import _lock, new_id
from testkit.database import API_ROLE
from testkit.server import free_port
from testkit.tools import ROOT
from tests.api.conftest import Json, connection, problem
from tests.api.serving import eventually, serving
from tests.api.test_import import HEADER, SOFA, listed, outcome, send

ROWS = 3000
FILE = (HEADER + SOFA * ROWS).encode()
CSV = {"content-type": "text/csv"}
LATER = CSV | {"prefer": "respond-async"}
COUNT = "SELECT count(*) FROM products"


def keyed(key: str, headers: dict[str, str] | None = None) -> dict[str, str]:
    return (headers or CSV) | {"idempotency-key": key}


def head(key: str) -> bytes:
    """The beginning of a request that has FILE behind it."""
    return (
        "POST /products/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
        f"Content-Length: {len(FILE)}\r\nIdempotency-Key: {key}\r\n\r\n"
    ).encode()


@pytest.fixture
def empty_url(migrated_postgres_url: URL) -> URL:
    with connection(migrated_postgres_url) as owner:
        owner.exec_driver_sql("TRUNCATE products, imports")
    return migrated_postgres_url


def created_in(url: URL) -> int:
    with connection(url) as owner:
        count: int = owner.exec_driver_sql(COUNT).scalar_one()
    return count


class Api:
    """An API in a process of its own, which can be killed."""

    def __init__(self, url: URL, log: Path) -> None:
        self.port = port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        database = url.set(username=API_ROLE).render_as_string(hide_password=False)
        environment = {**os.environ, "DATABASE_URL": database, "API_PORT": str(port)}
        with log.open("ab") as output:
            command = [sys.executable, "-m", "app.api.main"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        eventually(self._answers, 60)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/live").is_success
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)


@contextmanager
def held_up(url: URL) -> Iterator[Callable[[], object]]:
    """Let nobody write products until the yielded function is called."""
    with connection(url) as owner:
        owner.exec_driver_sql("BEGIN")
        owner.exec_driver_sql("LOCK TABLE products IN SHARE MODE")
        try:
            yield lambda: owner.exec_driver_sql("ROLLBACK")
        finally:
            owner.exec_driver_sql("ROLLBACK")


def by_key(api: str, key: str) -> Json:
    [found] = httpx.get(f"{api}/products/imports", params={"idempotency_key": key}).json()
    one: Json = found
    return one


def state(api: str, key: str) -> str:
    found = httpx.get(f"{api}/products/imports", params={"idempotency_key": key}).json()
    return str(found[0]["state"]) if found else ""


def test_an_import_can_be_asked_about(client: TestClient) -> None:
    answer = client.post("/products/import", content=FILE, headers=keyed("asked"))
    assert answer.json() == outcome(created=ROWS)
    found = client.get(answer.headers["location"]).json()
    assert (found["state"], found["idempotency_key"], found["result"]) == ("done", "asked", answer.json())
    assert (found["received_bytes"], found["rows_read"], found["rows_written"]) == (len(FILE), ROWS, ROWS)
    assert client.get("/products/imports").json() == [found]
    assert client.get("/products/imports?idempotency_key=other").json() == []
    assert "over" in problem(client.delete(answer.headers["location"]), 409)["detail"]


def test_who_does_not_want_to_wait_is_told_where_the_result_will_be(client: TestClient) -> None:
    answer = client.post("/products/import", content=FILE, headers=LATER)
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "respond-async")
    assert answer.headers["location"] == f"/products/imports/{answer.json()['id']}"
    eventually(lambda: client.get(answer.headers["location"]).json()["state"] == "done")
    wrong = client.post("/products/import", content=FILE + b"x", headers=LATER)
    assert problem(wrong, 422)["refused"] == 1


def test_a_file_that_is_sent_again_with_its_key_is_imported_once(client: TestClient) -> None:
    first, second = (client.post("/products/import", content=FILE, headers=keyed("once")) for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers["location"] == second.headers["location"]
    other = client.post("/products/import", content=FILE + SOFA.encode(), headers=keyed("once"))
    assert "another file" in problem(other, 422)["detail"]
    assert client.post("/products/import", content=FILE, headers=keyed("once", LATER)).status_code == 202
    assert client.get("/products/?count=exact").headers["x-total-count"] == str(ROWS)


def test_a_file_that_was_refused_can_be_mended_and_sent_with_its_key(client: TestClient) -> None:
    wrong = client.post("/products/import", content=FILE + b"x", headers=keyed("mended"))
    [found] = client.get("/products/imports?idempotency_key=mended").json()
    assert (found["state"], found["problem"], found["result"]) == ("refused", problem(wrong, 422), None)
    assert client.post("/products/import", content=FILE, headers=keyed("mended")).json()["created"] == ROWS
    assert client.get(f"/products/imports/{found['id']}").json()["state"] == "done"


def test_nobody_sees_the_imports_of_others(client: TestClient) -> None:
    with client.app.state.resources.database.engine.begin() as database:  # type: ignore[attr-defined]
        database.execute(
            text(
                "INSERT INTO imports (id, caller, attempt, state, received_bytes, rows_read, rows_written) "
                "VALUES (:id, 'person somebody', 1, 'done', 0, 0, 0)"
            ),
            {"id": uuid.UUID(int=7).hex},
        )
    for method in ("GET", "DELETE"):
        problem(client.request(method, f"/products/imports/{uuid.UUID(int=7)}"), 404)
    assert client.get("/products/imports").json() == []


def test_what_became_of_an_import_is_kept_for_a_day(empty_url: URL) -> None:
    with serving(empty_url) as (host, port), connection(empty_url) as owner:
        api = f"http://{host}:{port}"
        for number in range(20):
            answer = httpx.post(f"{api}/products/import", content=HEADER + SOFA, headers=keyed(f"old{number}"))
            assert answer.status_code == 200
        owner.exec_driver_sql("UPDATE imports SET created_at = created_at - interval '25 hours'")
        problem(httpx.get(api + answer.headers["location"]), 404)
        again = httpx.post(f"{api}/products/import", content=HEADER + SOFA, headers=keyed("old19"))
        assert again.status_code == 200
        for number in range(2):
            httpx.post(f"{api}/products/import", content=HEADER + SOFA, headers=keyed(f"new{number}"))
        assert owner.exec_driver_sql("SELECT count(*) FROM imports").scalar_one() == 3
        assert created_in(empty_url) == 23


def test_the_same_file_from_two_clients_at_once_is_imported_once(empty_url: URL) -> None:
    with ExitStack() as stack:
        apis = ["http://{}:{}".format(*stack.enter_context(serving(empty_url))) for _ in range(2)]
        pool = stack.enter_context(ThreadPoolExecutor(6))

        def post(number: int) -> Any:
            return httpx.post(f"{apis[number % 2]}/products/import", content=FILE, headers=keyed("two"), timeout=60)

        answers = list(pool.map(post, range(6)))
        assert {answer.status_code for answer in answers} <= {200, 409}
        assert {answer.json()["created"] for answer in answers if answer.status_code == 200} == {ROWS}
        assert post(0).json()["created"] == ROWS
    assert created_in(empty_url) == ROWS


def test_a_file_whose_connection_is_cut_at_its_end_is_imported_once(empty_url: URL) -> None:
    with serving(empty_url) as (host, port), held_up(empty_url) as go_on:
        api = f"http://{host}:{port}"
        with socket.create_connection((host, port)) as client:
            client.sendall(head("cut") + FILE)
            eventually(lambda: state(api, "cut") == "writing")
        again = httpx.post(f"{api}/products/import", content=FILE, headers=keyed("cut", LATER))
        assert again.status_code == 202
        go_on()
        eventually(lambda: state(api, "cut") == "done")
        assert httpx.post(f"{api}/products/import", content=FILE, headers=keyed("cut")).json()["created"] == ROWS
    assert created_in(empty_url) == ROWS


def test_a_file_whose_connection_is_cut_in_its_middle_can_be_sent_again(empty_url: URL) -> None:
    with serving(empty_url) as (host, port):
        api = f"http://{host}:{port}"
        with socket.create_connection((host, port)) as client:
            client.sendall(head("middle") + FILE[:-100])
            eventually(lambda: state(api, "middle") == "receiving")
            problem(httpx.post(f"{api}/products/import", content=FILE, headers=keyed("middle")), 409)
        eventually(lambda: state(api, "middle") == "failed")
        assert by_key(api, "middle")["problem"]["status"] == 400
        assert httpx.post(f"{api}/products/import", content=FILE, headers=keyed("middle")).json()["created"] == ROWS
    assert created_in(empty_url) == ROWS


@pytest.mark.parametrize("stage", ["receiving", "writing"])
def test_a_killed_process_leaves_an_import_that_was_interrupted(empty_url: URL, tmp_path: Path, stage: str) -> None:
    """Twice in a row; another process sees it, and does it when it is sent again."""
    other = Api(empty_url, tmp_path / "other.log")
    try:
        for _ in range(2):
            api = Api(empty_url, tmp_path / "killed.log")
            with held_up(empty_url) as go_on, socket.create_connection(("127.0.0.1", api.port)) as client:
                client.sendall(head("killed") + (FILE if stage == "writing" else FILE[:-100]))
                eventually(lambda: state(other.url, "killed") == stage)
                api.kill()
                go_on()
            eventually(lambda: state(other.url, "killed") == "interrupted")
            assert created_in(empty_url) == 0
        answer = httpx.post(f"{other.url}/products/import", content=FILE, headers=keyed("killed"), timeout=60)
        assert answer.json()["created"] == ROWS
        assert state(other.url, "killed") == "done"
    finally:
        other.kill()
    assert created_in(empty_url) == ROWS


def test_a_process_that_is_to_end_finishes_its_imports(empty_url: URL, tmp_path: Path) -> None:
    api = Api(empty_url, tmp_path / "api.log")
    with held_up(empty_url) as go_on:
        answer = httpx.post(f"{api.url}/products/import", content=FILE, headers=LATER)
        assert answer.status_code == 202
        api.process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            api.process.wait(2)
        go_on()
    assert api.process.wait(30) in (0, -signal.SIGTERM)
    assert created_in(empty_url) == ROWS


@pytest.mark.parametrize("stage", ["receiving", "writing"])
def test_a_connection_to_the_database_that_is_lost_is_told(empty_url: URL, stage: str) -> None:
    ended = (
        "SELECT pg_terminate_backend(pid) FROM pg_locks "
        "WHERE locktype = 'advisory' AND (classid::bigint << 32) | objid::bigint = :key"
    )
    with serving(empty_url) as (host, port), held_up(empty_url) as go_on, ThreadPoolExecutor(1) as pool:
        api = f"http://{host}:{port}"
        more = threading.Event()

        def pieces() -> Iterator[bytes]:
            yield FILE[:-100]
            more.wait(20)
            yield FILE[-100:]

        answer = pool.submit(httpx.post, f"{api}/products/import", content=pieces(), headers=keyed("lost"), timeout=60)
        if stage == "writing":
            more.set()
        eventually(lambda: state(api, "lost") == stage)
        with connection(empty_url) as owner:
            owner.execute(text(ended), {"key": _lock(new_id("", "lost"))})
        more.set()
        go_on()
        problem(answer.result(), 503)
        assert by_key(api, "lost")["state"] == "failed"
        assert created_in(empty_url) == 0
        assert httpx.post(f"{api}/products/import", content=FILE, headers=keyed("lost")).json()["created"] == ROWS
    assert created_in(empty_url) == ROWS


def test_an_import_can_be_cancelled(empty_url: URL) -> None:
    with serving(empty_url) as (host, port), held_up(empty_url) as go_on, ThreadPoolExecutor(1) as pool:
        api = f"http://{host}:{port}"
        answer = pool.submit(httpx.post, f"{api}/products/import", content=FILE, headers=keyed("cancel"), timeout=60)
        eventually(lambda: state(api, "cancel") == "writing")
        address = f"{api}/products/imports/{by_key(api, 'cancel')['id']}"
        assert [httpx.delete(address).json()["state"] for _ in range(2)] == ["cancelled"] * 2
        go_on()
        assert "cancelled" in problem(answer.result(), 409)["detail"]
        assert state(api, "cancel") == "cancelled"
        assert created_in(empty_url) == 0
        assert httpx.post(f"{api}/products/import", content=FILE, headers=keyed("cancel")).json()["created"] == ROWS


class IdleLimit:
    """A proxy that gives up connections on which nothing is said for a while, as load balancers do."""

    def __init__(self, place: tuple[str, int], seconds: float) -> None:
        self._place, self._seconds = place, seconds
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = "http://{}:{}".format(*self._server.getsockname())
        self.gave_up = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "IdleLimit":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            server = socket.create_connection(self._place)
            said = [threading.Event()]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, sink, said[0]), daemon=True).start()
            threading.Thread(target=self._watch, args=(client, server, said[0]), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, said: threading.Event) -> None:
        try:
            while data := source.recv(2**16):
                said.set()
                sink.sendall(data)
        except OSError:
            pass

    def _watch(self, client: socket.socket, server: socket.socket, said: threading.Event) -> None:
        while said.wait(self._seconds):
            said.clear()
        self.gave_up += 1
        for end in (client, server):
            end.shutdown(socket.SHUT_RDWR)
            end.close()


def test_a_long_import_is_never_silent(empty_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.patience.SILENT_SECONDS", 0.3)
    with (
        serving(empty_url) as place,
        IdleLimit(place, 1.5) as proxy,
        held_up(empty_url) as go_on,
        ThreadPoolExecutor(2) as pool,
    ):
        answer = pool.submit(httpx.post, f"{proxy.url}/products/import", content=FILE, headers=CSV, timeout=60)
        eventually(lambda: httpx.get("http://{}:{}/products/imports".format(*place)).json())
        with pytest.raises(TimeoutError):
            answer.result(4)
        go_on()
        assert answer.result().json() == outcome(created=ROWS)
        assert answer.result().headers["location"]
        with held_up(empty_url) as go_on:
            delete = pool.submit(httpx.delete, f"{proxy.url}/products/", params={"confirm": ROWS}, timeout=60)
            with pytest.raises(TimeoutError):
                delete.result(4)
            go_on()
            assert delete.result().json()["deleted"] == ROWS
    assert created_in(empty_url) == 0


def test_an_import_whose_client_was_cut_off_for_silence_is_there_once(empty_url: URL) -> None:
    with serving(empty_url) as place, IdleLimit(place, 1) as proxy, held_up(empty_url) as go_on:
        with pytest.raises(httpx.HTTPError):
            httpx.post(f"{proxy.url}/products/import", content=FILE, headers=keyed("silent"), timeout=60)
        go_on()
        api = "http://{}:{}".format(*place)
        eventually(lambda: state(api, "silent") == "done")
        assert httpx.post(f"{api}/products/import", content=FILE, headers=keyed("silent")).json()["created"] == ROWS
    assert created_in(empty_url) == ROWS


def test_an_import_says_how_far_it_is(empty_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.imports.NOTE_SECONDS", 0)
    monkeypatch.setattr("app.api.imports.PAGES", 50)
    seen: set[tuple[str, int]] = set()
    with serving(empty_url) as (host, port), ThreadPoolExecutor(1) as pool:
        api = f"http://{host}:{port}"
        many = (HEADER + SOFA * 120_000).encode()
        answer = pool.submit(httpx.post, f"{api}/products/import", content=many, headers=keyed("far"), timeout=60)
        while not answer.done():
            for found in httpx.get(f"{api}/products/imports").json():
                seen.add((found["state"], found["rows_written"]))
    assert len([written for name, written in seen if name == "writing" and 0 < written < 120_000]) > 1


def test_an_import_without_a_key_is_another_import(client: TestClient) -> None:
    for _ in range(2):
        assert send(client, HEADER + SOFA).json()["created"] == 1
    assert len(listed(client)) == 2
    assert len(client.get("/products/imports").json()) == 2
