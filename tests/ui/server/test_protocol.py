"""Connections that say nothing, too little or too much, and how long they are listened to."""

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx2 as httpx
import pytest

from testkit.server import Server, serving
from tests.ui.server.conftest import NO_API

MEBIBYTE = 2**20
IMPATIENT = """
from app.ui.server import pacing, protocol
pacing.GRACE_SECONDS = protocol.BoundedProtocol.header_seconds = 1
protocol.CONNECTIONS = 50
from app.ui.serve import main
main()
"""


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A UI that waits for a second where it waits for many, and takes fewer connections."""
    log = tmp_path_factory.mktemp("ui") / "ui.log"
    environment = {"API_URL": NO_API, "MAX_SESSIONS": "5"}
    with serving([sys.executable, "-c", IMPATIENT], "UI_PORT", "/_stcore/health", environment, log) as server:
        yield server
    assert "Traceback" not in log.read_text(), log.read_text()


def connection(server: Server) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def is_over(open_one: socket.socket) -> bool:
    """Wait until the server has ended a connection."""
    try:
        while open_one.recv(65_536):
            pass
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize("start", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nA: "])
def test_headers_that_do_not_come_to_an_end_end_their_connection(impatient: Server, start: bytes) -> None:
    with connection(impatient) as slow:
        slow.sendall(start)
        assert is_over(slow)


def test_headers_that_come_a_byte_at_a_time_end_their_connection(impatient: Server) -> None:
    with connection(impatient) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nA: ")
        deadline = time.monotonic() + 20
        with suppress(OSError):  # which says that it is over
            while time.monotonic() < deadline:
                slow.sendall(b"x")
                time.sleep(0.1)
        assert time.monotonic() < deadline


def test_the_headers_of_a_later_request_end_too(impatient: Server) -> None:
    with connection(impatient) as slow:
        slow.sendall(b"GET /_stcore/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert slow.recv(100).startswith(b"HTTP/1.1 200")
        slow.sendall(b"GET / HT")
        assert is_over(slow)


@pytest.mark.parametrize("header", [b"A: ", b"Cookie: a="])
def test_headers_without_end_take_no_memory(impatient: Server, header: bytes) -> None:
    before = impatient.process.memory_info().rss
    for _ in range(5):
        with connection(impatient) as large:
            try:
                large.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + header + b"x" * 30 * MEBIBYTE)
            except OSError:
                continue
            assert b" 400 " in large.recv(100)
    assert impatient.process.memory_info().rss - before < 20 * MEBIBYTE


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/_stcore/upload_file/x/1"])
@pytest.mark.parametrize("body", [b"no length\r\n", b"1\r\nxx", b"0\r\n" + b"A: b\r\n" * 10_000])
def test_a_body_that_is_no_http_ends_its_connection_without_a_traceback(
    impatient: Server, path: str, body: bytes
) -> None:
    for method in ("GET", "PUT"):
        with connection(impatient) as broken:
            head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            with suppress(OSError):
                broken.sendall(head.encode() + body)
            assert is_over(broken)
    assert httpx.get(f"{impatient.url}/_stcore/health").status_code == 200


def test_a_body_that_does_not_come_is_not_waited_for(impatient: Server) -> None:
    with connection(impatient) as slow:
        slow.sendall(
            b"PUT /_stcore/upload_file/x/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b"
        )
        assert slow.recv(100).split()[1] in (b"400", b"403", b"408")
        assert is_over(slow)


def test_any_number_of_idle_connections_leaves_room_for_the_health_check(impatient: Server) -> None:
    held = [connection(impatient) for _ in range(300)]
    try:
        for _ in range(5):
            assert httpx.get(f"{impatient.url}/_stcore/health", timeout=5).text == "ok"
        assert len(impatient.process.net_connections()) < 120
    finally:
        for one in held:
            one.close()
