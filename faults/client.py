"""An HTTP client that can be as rude as an experiment needs: it sees the socket, and says what became of a request."""

import asyncio
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 30.0  # seconds; longer than anything the application promises


@dataclass(frozen=True)
class Answer:
    """What came back; `status` is 0 when no answer came, and `why` says what happened instead."""

    status: int
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    why: str = ""

    @property
    def kind(self) -> str:
        """Return the column of the table that it is counted in."""
        match self.status:
            case 0:
                return "none"
            case 503 | 500:
                return str(self.status)
            case status if 200 <= status < 300:
                return "2xx"
            case status if 400 <= status < 500:
                return "4xx"
        return "other"

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class Connection:
    """One TCP connection to a server, for one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self.reader, self.writer, self._host = reader, writer, host

    @classmethod
    async def open(cls, url: str, *, receive_buffer: int | None = None) -> "Connection":
        """Connect; a small `receive_buffer` (bytes) lets a client that reads nothing stall its server early."""
        address = urlsplit(url)
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            await asyncio.get_running_loop().sock_connect(sock, (address.hostname, address.port or 80))
            reader, writer = await asyncio.open_connection(sock=sock, limit=receive_buffer or 2**16)
        except BaseException:
            sock.close()
            raise
        return cls(reader, writer, address.netloc)

    def head(self, method: str, path: str, headers: Mapping[str, str]) -> bytes:
        """Return a request's first bytes, up to its body."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", *(f"{k}: {v}" for k, v in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """Send a request and read its answer; raises OSError or EOFError when there is none."""
        started = time.perf_counter()
        length = {"Content-Length": str(len(body))} if body or method in ("POST", "PUT", "PATCH") else {}
        self.writer.write(self.head(method, path, {**length, **(headers or {})}) + body)
        sending = asyncio.create_task(self.writer.drain())  # an answer may come before all of it is sent
        try:
            return await self.answer(started)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def answer(self, started: float) -> Answer:
        """Read an answer."""
        status, headers = await self.answer_head()
        body = await self._body(status, headers)
        return Answer(status, time.perf_counter() - started, headers, body)

    async def answer_head(self) -> tuple[int, dict[str, str]]:
        """Read an answer up to its body."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        return int(head[0].split()[1]), headers

    async def _body(self, status: int, headers: Mapping[str, str]) -> bytes:
        if status in (204, 304):
            return b""
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        if headers.get("transfer-encoding") != "chunked":
            return await self.reader.read()
        parts = []
        while size := int(await self.reader.readline(), 16):
            parts.append(await self.reader.readexactly(size))
            await self.reader.readexactly(2)
        await self.reader.readline()
        return b"".join(parts)

    async def close(self) -> None:
        """Close it, whatever is still under way."""
        self.writer.transport.abort()


async def ask(
    url: str,
    method: str = "GET",
    path: str = "/",
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    timeout: float = TIMEOUT,
) -> Answer:
    """Send one request over a connection of its own; never raises: no answer is an answer too."""
    started = time.perf_counter()
    connection = None
    try:
        async with asyncio.timeout(timeout):
            connection = await Connection.open(url)
            return await connection.ask(method, path, headers={"Connection": "close", **(headers or {})}, body=body)
    except TimeoutError:
        return Answer(0, time.perf_counter() - started, why=f"no answer within {timeout:g} s")
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        return Answer(0, time.perf_counter() - started, why=f"{type(error).__name__}: {error}")
    finally:
        if connection is not None:
            await connection.close()


def json_body(value: Any) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body that carry a value as JSON."""
    return {"Content-Type": "application/json"}, json.dumps(value, ensure_ascii=False).encode()
