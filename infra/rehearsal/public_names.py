"""The names of public URLs, which no name server knows: a proxy on this machine leads each to the emulated AWS."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from infra.rehearsal.emulator import Emulator
from infra.rehearsal.launcher.certificates import BUNDLE

_SILENCE = 60.0  # seconds until a connection is given up


@contextmanager
def known(emulator: Emulator) -> Iterator[Mapping[str, str]]:
    """Yield the environment variables with which a program reaches public URLs by their names and certificates."""

    class Proxy(BaseHTTPRequestHandler):
        """Answers CONNECT, whatever name it is for."""

        def do_CONNECT(self) -> None:
            with socket.create_connection(("127.0.0.1", emulator.https_port or 0), _SILENCE) as there:
                self.send_response(200)
                self.end_headers()
                self.connection.settimeout(_SILENCE)
                back = threading.Thread(target=_pass_on, args=(there, self.connection), daemon=True)
                back.start()
                _pass_on(self.connection, there)
                back.join(_SILENCE)
            self.close_connection = True

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield {
                "HTTPS_PROXY": f"http://127.0.0.1:{server.server_port}",
                "REQUESTS_CA_BUNDLE": str(emulator.certificates / BUNDLE),
            }
        finally:
            server.shutdown()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            sink.sendall(content)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
