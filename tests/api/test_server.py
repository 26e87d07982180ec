"""What the server does with connections and requests that are too many, too slow, too long or none."""

import contextlib
import re
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL, text

from app.api.refusals import RATE
from app.api.server import HEAD_SECONDS
from testkit.database import libpq
from testkit.server import API, Server, running, serving
from tests.api.conftest import connection, problem

REQUESTS = 3
CONNECTIONS = 30
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'products'::regclass"
HEAD = b"GET /products/ HTTP/1.1\r\nHost: test\r\n"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api") / "api.log"


@pytest.fixture(scope="module")
def server(migrated_postgres_url: URL, log: Path) -> Iterator[Server]:
    """An API with little room."""
    environment = {
        "DATABASE_URL": libpq(migrated_postgres_url),
        "STATEMENT_TIMEOUT_SECONDS": "60",
        "REQUESTS_MAX": str(REQUESTS),
        "CONNECTIONS_MAX": str(CONNECTIONS),
    }
    with serving(API, "API_PORT", "/health/ready", environment, log) as server:
        yield server


@pytest.fixture(scope="module")
def address(server: Server) -> str:
    return server.url


def connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=30)


def answer_to(address: str, *pieces: bytes) -> bytes:
    """Send bytes and return what comes until the connection is closed."""
    received = b""
    with connect(address) as client:
        for piece in pieces:
            client.sendall(piece)
        while data := client.recv(65536):
            received += data
    return received


def test_what_is_beyond_the_room_is_refused_at_once_and_health_is_not(address: str, migrated_postgres_url: URL) -> None:
    with (
        ThreadPoolExecutor(REQUESTS) as pool,
        httpx.Client(base_url=address, timeout=30) as client,
        connection(migrated_postgres_url) as other,
    ):
        other.execute(text("BEGIN; LOCK TABLE products"))
        busy = [pool.submit(httpx.get, f"{address}/products/1", timeout=30) for _ in range(REQUESTS)]
        deadline = time.monotonic() + 20
        while other.scalar(text(WAITING)) < REQUESTS:
            assert time.monotonic() < deadline
        for _ in range(20):
            response = client.get("/products/1")
            assert "Nothing was done" in problem(response, 503)["detail"]
            assert response.headers["retry-after"] == "1"
            assert client.post("/products/", json={}).status_code == 503
            assert client.get("/health/live").status_code == 200
            assert client.get("/health/ready").status_code == 200
        other.execute(text("COMMIT"))
        assert all(request.result().status_code in (404, 503) for request in busy)
        assert client.get("/products/1").status_code == 404


def test_the_liveness_that_waits_for_nothing_is_the_one_that_is_documented(address: str, client: TestClient) -> None:
    documented = client.get("/health/live")
    with httpx.Client(base_url=address) as kept:
        for _ in range(3):
            answer = kept.get("/health/live")
            assert (answer.status_code, answer.content) == (documented.status_code, documented.content)
            assert answer.headers["content-type"] == documented.headers["content-type"]
            assert answer.headers["cache-control"] == documented.headers["cache-control"]
        assert kept.post("/health/live").status_code == client.post("/health/live").status_code == 405
        assert kept.get("/products/1").status_code == 404
    last = answer_to(address, b"GET /health/live HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
    assert last.startswith(b"HTTP/1.1 200 OK\r\n")
    assert last.endswith(b"\r\n\r\n" + documented.content)
    body = b"GET /health/live HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}"
    pipelined = answer_to(address, body, body, HEAD + b"Connection: close\r\n\r\n")
    assert pipelined.count(b"HTTP/1.1 200 OK") == 3


def test_who_asks_again_without_end_is_refused_at_a_bounded_rate_and_never_cut_off(
    address: str, migrated_postgres_url: URL
) -> None:
    clients = CONNECTIONS - REQUESTS - 2
    seconds = 3.0

    def ask_again(client: socket.socket) -> int:
        refused, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            client.sendall(HEAD + b"\r\n")
            answer = client.recv(65536)
            assert answer.startswith(b"HTTP/1.1 503 "), answer
            assert b"connection: keep-alive" in answer
            refused += 1
        return refused

    with (
        ThreadPoolExecutor(CONNECTIONS) as pool,
        connection(migrated_postgres_url) as other,
        ExitStack() as stack,
    ):
        other.execute(text("BEGIN; LOCK TABLE products"))
        busy = [pool.submit(httpx.get, f"{address}/products/1", timeout=30) for _ in range(REQUESTS)]
        deadline = time.monotonic() + 20
        while other.scalar(text(WAITING)) < REQUESTS:
            assert time.monotonic() < deadline
        sockets = [stack.enter_context(connect(address)) for _ in range(clients)]
        refused = sum(pool.map(ask_again, sockets))
        assert refused < 2 * RATE * seconds
        other.execute(text("COMMIT"))
        assert all(request.result().status_code in (404, 503) for request in busy)
        for client in sockets:
            client.sendall(HEAD + b"\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400 "),  # TLS
        (b"MAKE /products/ HTTP/1.1\r\nHost: x\r\n\r\n", b"400 "),
        (b"GET /products/ HTTP/9.9\r\n\r\n", b"400 "),
        (b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n", b"400 "),
        (HEAD + b"Content-Length: 1e3\r\n\r\n", b"400 "),
        (HEAD + b"Bad Name: x\r\n\r\n", b"400 "),
        (HEAD + b"Host: other\r\n\r\n", b"400 "),
        (b"GET /products/ HTTP/1.1\r\n\r\n", b"400 "),  # no host
        (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n12", b"400 "),
        (HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400 "),
        (HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", b"400 "),
        (HEAD + b"Content-Length: +1\r\n\r\n1", b"400 "),
        (HEAD + b"X: a\r\n Content-Length: 1\r\n\r\n1", b"400 "),  # a folded line
        (HEAD + b"X : a\r\n\r\n", b"400 "),
        (b"GET /products/ HTTP/1.1\nHost: x\n\n", b"400 "),
        (b"GET /products/?" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414 "),
        (b"GET /products/?" + b"x" * 200_000, b"414 "),
        (HEAD + b"X: " + b"x" * 200_000, b"431 "),
        (HEAD + b"".join(b"X%d: x\r\n" % n for n in range(300)) + b"\r\n", b"431 "),
    ],
    ids=lambda value: value[:25] if isinstance(value, bytes) else None,
)
def test_what_is_no_request_of_ours_is_a_problem_and_the_end_of_its_connection(
    address: str, sent: bytes, status: bytes
) -> None:
    answer = answer_to(address, sent)
    assert answer.startswith(b"HTTP/1.1 " + status), answer
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    assert b'"detail"' in body


def test_methods_that_http_knows_and_the_api_does_not_are_problems(address: str) -> None:
    for method in ("OPTIONS", "TRACE", "PROPFIND", "PURGE", "HEAD"):
        response = httpx.request(method, f"{address}/products/")
        assert response.status_code == 405
        assert response.headers["content-type"] == "application/problem+json"


def test_who_sends_a_head_slowly_or_not_at_all_is_cut_off(address: str) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(3) as pool:
        silent, begun, kept = pool.map(
            lambda sent: answer_to(address, *sent), [(), (b"GET /prod",), (HEAD + b"\r\n", b"GET /")]
        )
    assert time.monotonic() - started < 40
    assert silent == b""
    assert begun.startswith(b"HTTP/1.1 408 ")
    assert kept.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in kept


CHUNKED = b"GET %s HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("path", [b"/health/live", b"/health/ready", b"/products/1"])
def test_what_comes_behind_a_body_is_not_kept(server: Server, path: bytes) -> None:
    with connect(server.url) as client:
        client.sendall(CHUNKED % path + b"0\r\n")
        before = server.process.memory_info().rss
        for _ in range(100):
            client.sendall(b"X-More: x\r\n" * 10_000)
        assert server.process.memory_info().rss - before < 50 * 2**20
        client.sendall(b"\r\n" + HEAD + b"Connection: close\r\n\r\n")
        received = b""
        while data := client.recv(65536):
            received += data
    assert received.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 200 OK" in received


@pytest.mark.parametrize("path", [b"/health/live", b"/nowhere"])
def test_who_goes_on_sending_long_after_the_answer_is_cut_off(address: str, path: bytes) -> None:
    with connect(address) as client:
        client.sendall(CHUNKED % path)
        deadline = time.monotonic() + 2 * HEAD_SECONDS
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < deadline:
                client.sendall(b"1\r\nx\r\n")
                time.sleep(0.5)
    assert time.monotonic() < deadline


def test_too_many_connections_are_told_so_and_may_ask_for_the_health(address: str) -> None:
    clients = [connect(address) for _ in range(CONNECTIONS)]
    try:
        for client in clients:
            client.sendall(HEAD)
        assert httpx.get(f"{address}/health/live", timeout=30).status_code == 200
        assert problem(httpx.get(f"{address}/products/", timeout=30), 503)
    finally:
        for client in clients:
            client.close()
    deadline = time.monotonic() + 20
    while httpx.get(f"{address}/products/", timeout=30).status_code != 200:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("request_first", [HEAD + b"\r\n", b""], ids=["answered", "silent"])
def test_connections_that_are_kept_for_nothing_keep_nobody_out(address: str, request_first: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            client = stack.enter_context(connect(address))
            if request_first:
                client.sendall(request_first)
                assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        deadline = time.monotonic() + HEAD_SECONDS - 2  # answered ones would be kept for 75 s, silent ones for 10
        while httpx.get(f"{address}/products/", timeout=30).status_code != 200:
            assert time.monotonic() < deadline


def test_requests_sent_without_waiting_are_few(address: str) -> None:
    answer_to(address, (HEAD + b"\r\n") * 3 + HEAD + b"Connection: close\r\n\r\n")
    received = b""
    with connect(address) as client:
        try:
            client.sendall((HEAD + b"\r\n") * 1000)
            while data := client.recv(65536):
                received += data
        except ConnectionError:
            pass
    assert received.count(b"HTTP/1.1 200") < 20
    assert httpx.get(f"{address}/products/", timeout=30).status_code == 200


def test_a_large_body_that_is_refused_does_not_cost_its_sender_the_answer(address: str) -> None:
    for size in (2**17, 2**20, 2**23):
        response = httpx.post(f"{address}/products/", content=b"x" * size, timeout=30)
        assert "65,536" in problem(response, 413)["detail"]


def test_what_was_looked_for_is_in_no_log(address: str, log: Path) -> None:
    supplier = "someone.private@example.com"
    for query in (f"email_fornecedor={supplier}", "q=someone.private", "q=someone.private&limit=x"):
        httpx.get(f"{address}/products/?{query}")
    httpx.post(f"{address}/products/", json={"name": "someone.private", "email_fornecedor": supplier})
    deadline = time.monotonic() + 10
    while "POST /products/" not in log.read_text():
        assert time.monotonic() < deadline
    assert "someone.private" not in log.read_text()


def test_every_request_has_its_line_the_last_ones_before_the_end_too(
    migrated_postgres_url: URL, tmp_path: Path
) -> None:
    log = tmp_path / "api.log"
    environment = {"DATABASE_URL": libpq(migrated_postgres_url)}
    with running([sys.executable, "-m", "app.api.main"], "API_PORT", "/health/ready", environment, log) as url:
        httpx.get(f"{url}/products/1")
        deadline = time.monotonic() + 10
        while "GET /products/1 " not in log.read_text():  # while it goes on
            assert time.monotonic() < deadline
        with httpx.Client() as client:
            for n in range(1200):
                client.get(f"{url}/products/{n + 2}")
    written = re.findall(r"GET /products/(\d+) ", log.read_text())
    assert written == [str(n + 1) for n in range(1201)]
