"""What clients of a database connect to: it speaks TLS with them, and plainly with PostgreSQL beside it.

As an instance of RDS that has `rds.force_ssl`, it refuses whoever does not want TLS. It is not PostgreSQL itself, so
that any build of it will do.
"""

import argparse
import asyncio
import contextlib
import ssl
import struct
from collections.abc import Awaitable, Callable
from functools import partial

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

_SSL_REQUEST, _GSSENC_REQUEST, _CANCEL_REQUEST = 80877103, 80877104, 80877102  # PostgreSQL, "Message Formats"
_LENGTH = struct.Struct("!II")
_LONGEST_START = 10_000  # bytes, as in PostgreSQL
_START_SECONDS = 60
_REFUSAL = b"SFATAL\0VFATAL\0C28000\0Mno pg_hba.conf entry for this host, no encryption\0\0"


class _Front:
    def __init__(self, connect: Connect, context: ssl.SSLContext) -> None:
        self._connect, self._context = connect, context

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it or PostgreSQL leaves."""
        with contextlib.suppress(OSError, EOFError, TimeoutError, ValueError):
            async with asyncio.timeout(_START_SECONDS):
                start = await self._start(reader, writer)
            if start:
                onwards, back = await self._connect()
                back.write(start)
                await asyncio.wait(
                    [asyncio.ensure_future(_pump(reader, back)), asyncio.ensure_future(_pump(onwards, writer))],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                back.close()
        writer.close()

    async def _start(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        """Return the client's first message after TLS has begun, or a wish to cancel; None when it is refused."""
        encrypted = False
        while True:
            head = await reader.readexactly(_LENGTH.size)
            length, code = _LENGTH.unpack(head)
            if code == _SSL_REQUEST and not encrypted:
                writer.write(b"S")
                await writer.start_tls(self._context)
                encrypted = True
            elif code == _GSSENC_REQUEST:
                writer.write(b"N")
            elif not encrypted and code != _CANCEL_REQUEST:
                writer.write(b"E" + struct.pack("!I", len(_REFUSAL) + 4) + _REFUSAL)
                await writer.drain()
                return None
            elif length > _LONGEST_START:
                return None
            else:
                return head + await reader.readexactly(length - _LENGTH.size)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


async def serve(port: int, connect: Connect, certificate: str, key: str) -> None:
    """Listen on `port` for clients of the PostgreSQL that `connect` connects to, until it is cancelled."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(_Front(connect, context).serve, None, port)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("backend", type=int)
    parser.add_argument("certificate")
    parser.add_argument("key")
    arguments = parser.parse_args()
    connect = partial(asyncio.open_connection, "127.0.0.1", arguments.backend)
    asyncio.run(serve(arguments.port, connect, arguments.certificate, arguments.key))
