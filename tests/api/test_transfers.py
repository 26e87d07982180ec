"""Slots for files come back whatever happens to a file; who waits for one, or keeps one for nothing, is told so."""

import asyncio
import gc
import socket
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any

import httpx2 as httpx
import psycopg2
import pytest
from sqlalchemy import URL, create_engine, text

from app.api.transfers import FileDownload, FileSlots, StatementCanceller
from tests.api.conftest import connection, problem
from tests.api.serving import eventually, serving

SIZE = 2
HEAD = b"POST /products/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 100000\r\n\r\nname"
EXPORT = b"GET /products/export HTTP/1.1\r\nHost: x\r\n\r\n"
MANY = (
    "INSERT INTO products (name, description, price, categoria, email_fornecedor) "
    "SELECT repeat('x', 200), repeat('y', 2000), 1, 'Roupas', 'a@example.com' FROM generate_series(1, 10000)"
)


@pytest.fixture
def full_url(migrated_postgres_url: URL) -> Iterator[URL]:
    """A database whose export is larger than what sockets buffer."""
    with connection(migrated_postgres_url) as owner:
        owner.exec_driver_sql("TRUNCATE products")
        owner.exec_driver_sql(MANY)
        yield migrated_postgres_url
        owner.exec_driver_sql("TRUNCATE products")


def open_transactions(url: URL) -> int:
    engine = create_engine(url)
    with engine.connect() as looking:
        count: int = looking.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE application_name = 'catalogue-api' AND xact_start IS NOT NULL AND datname = current_database()"
            )
        ).scalar_one()
    engine.dispose()
    return count


async def assert_all_are_free(slots: FileSlots) -> None:
    together = threading.Barrier(SIZE, timeout=10)
    await asyncio.gather(*(slots.run(together.wait) for _ in range(SIZE)))


class Client:
    """The other side of a download: takes `takes` messages and then goes away, or waits."""

    def __init__(self, takes: int = 1000, *, stays: bool = True) -> None:
        self.taken: list[Any] = []
        self._takes, self._stays = takes, stays
        self._gone = asyncio.Event()

    async def receive(self) -> Any:
        if self._takes:
            await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if len(self.taken) >= self._takes:
            self._gone.set()
            if self._stays:
                await asyncio.sleep(60)
            return
        self.taken.append(message)
        await asyncio.sleep(0)


def pieces(_canceller: StatementCanceller, *, fails_at: int = -1, close_fails: bool = False) -> Generator[bytes]:
    try:
        for n in range(5):
            if n == fails_at:
                raise MemoryError("no room for this piece")
            yield b"x" * 100
    finally:
        if close_fails:
            raise psycopg2.OperationalError("server closed the connection unexpectedly")


def download(slots: FileSlots, open_file: Callable[..., Generator[Any]] = pieces) -> FileDownload:
    return FileDownload(slots, open_file, {}, "text/csv")


def test_a_slot_comes_back_whatever_ends_the_file() -> None:
    async def run() -> None:
        slots = FileSlots(SIZE)
        for open_file in (
            pieces,
            partial(pieces, fails_at=0),
            partial(pieces, fails_at=3),
            partial(pieces, close_fails=True),
            partial(pieces, fails_at=3, close_fails=True),
        ):
            for takes in (0, 1, 3, 1000):
                client = Client(takes, stays=False)
                try:
                    await download(slots, open_file)({}, client.receive, client.send)
                except (MemoryError, psycopg2.Error):
                    assert not client.taken  # else it is too late for another answer
            download(slots, open_file)  # a response that nobody sends
        await assert_all_are_free(slots)

    asyncio.run(run())


class Piece(bytearray):
    """Bytes of which somebody can tell whether they are still there."""


@pytest.mark.parametrize("fails_at", [-1, 0, 3])
@pytest.mark.parametrize("takes", [0, 1, 3, 1000])
def test_nothing_of_a_file_stays_in_memory_until_the_next_search_for_garbage(takes: int, fails_at: int) -> None:
    """Every exception from a thread is in a cycle, with its frames, and their variables: megabytes of rows."""
    made: list[weakref.ref[Piece]] = []

    def open_file(canceller: StatementCanceller) -> Generator[Piece]:
        rows: list[Piece] = []
        for piece in pieces(canceller, fails_at=fails_at):
            rows = [Piece(piece)]
            made.append(weakref.ref(rows[0]))
            yield rows[0]

    async def run() -> None:
        client = Client(takes, stays=False)
        try:
            await download(FileSlots(SIZE), open_file)({}, client.receive, client.send)
        except MemoryError:
            assert not client.taken

    gc.disable()
    try:
        asyncio.run(run())
        assert [piece() for piece in made if piece()] == []
    finally:
        gc.enable()


@pytest.mark.parametrize("close_fails", [False, True])
def test_a_slot_comes_back_whenever_the_request_is_cancelled(close_fails: bool) -> None:
    async def run() -> None:
        slots = FileSlots(SIZE)
        for steps in range(40):
            client = Client()
            answer = download(slots, partial(pieces, close_fails=close_fails))
            task = asyncio.ensure_future(answer({}, client.receive, client.send))
            for _ in range(steps):
                await asyncio.sleep(0.0005 if steps % 2 else 0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await assert_all_are_free(slots)

    asyncio.run(run())


def test_a_client_that_stops_taking_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.transfers.STALLED_SECONDS", 0.2)

    async def run() -> None:
        slots = FileSlots(SIZE)
        for takes in (1, 2, 5):
            client = Client(takes)
            async with asyncio.timeout(10):
                await download(slots)({}, asyncio.Event().wait, client.send)  # type: ignore[arg-type]
            assert {"type": "http.response.body", "body": b"", "more_body": False} not in client.taken
        await assert_all_are_free(slots)

    asyncio.run(run())


def test_who_finds_no_slot_waits_a_while_in_a_short_queue(full_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.transfers.WAIT_SECONDS", 1)
    with (
        serving(full_url, database_pool_size=6) as address,  # one slot
        socket.create_connection(address) as slow,
        ThreadPoolExecutor(3) as pool,
    ):
        export = f"http://{address[0]}:{address[1]}/products/export"
        slow.sendall(EXPORT)
        assert slow.recv(15) == b"HTTP/1.1 200 OK"
        started = time.monotonic()
        for answer in pool.map(httpx.get, [export] * 3):
            assert answer.headers["retry-after"]
            assert "Try again" in problem(answer, 503)["detail"]
        assert 1 <= time.monotonic() - started < 10
        headers = {"content-type": "text/csv"}
        problem(httpx.post(f"http://{address[0]}:{address[1]}/products/import", content=b"", headers=headers), 503)
        slow.close()
        eventually(lambda: httpx.get(export, timeout=60).status_code == 200)


def test_abandoned_downloads_leave_room_for_others(full_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the connection to the database ended meanwhile, and the client's."""
    monkeypatch.setattr("app.api.transfers.STALLED_SECONDS", 2)
    monkeypatch.setattr("app.api.exports.STALLED_SECONDS", 1)
    with serving(full_url) as address:
        for _ in range(2):
            clients = [socket.create_connection(address) for _ in range(4)]
            for client in clients:
                client.sendall(EXPORT)
                client.recv(2**16)
            eventually(lambda: open_transactions(full_url) == 0)
            for client in clients:
                client.close()
        export = httpx.get(f"http://{address[0]}:{address[1]}/products/export", timeout=60)
        assert export.text.count("\r\n") == 10_001


def test_an_upload_that_drips_is_given_up(migrated_postgres_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.transfers.STALLED_SECONDS", 1)
    with serving(migrated_postgres_url) as address, closing(socket.create_connection(address)) as client:
        client.sendall(HEAD)
        client.settimeout(0.05)
        said, deadline = b"", time.monotonic() + 20
        while not said and time.monotonic() < deadline:
            try:
                client.sendall(b"x")
                said = client.recv(100)
            except TimeoutError:
                continue
        assert said.startswith(b"HTTP/1.1 408")


def test_a_download_that_drips_is_cut_off(full_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.transfers.STALLED_SECONDS", 1)
    monkeypatch.setattr("app.api.transfers.LONGEST_SECONDS", 2)
    with serving(full_url) as address, closing(socket.socket()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(address)
        client.sendall(EXPORT)
        eventually(lambda: open_transactions(full_url) == 1)
        deadline = time.monotonic() + 20
        while open_transactions(full_url) and time.monotonic() < deadline:
            client.recv(2**16)
        assert open_transactions(full_url) == 0


def test_a_client_that_leaves_ends_its_statement(full_url: URL) -> None:
    with serving(full_url) as address, connection(full_url) as owner:
        owner.exec_driver_sql("BEGIN")
        owner.exec_driver_sql("LOCK TABLE products")
        with socket.create_connection(address) as client:
            client.sendall(EXPORT)
            eventually(lambda: open_transactions(full_url) == 1)
        try:
            eventually(lambda: open_transactions(full_url) == 0)
        finally:
            owner.exec_driver_sql("COMMIT")
