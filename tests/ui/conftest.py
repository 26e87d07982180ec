"""A visitor of the real UI, and a server that misbehaves as no healthy API can be made to."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import Product
from testkit.tools import ROOT
from tests.ui.visiting import Visit, run


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    """Open the UI with API_URL set to an address, at an address of its own."""

    def open_ui(url: str, **asked: str | list[str]) -> AppTest:
        monkeypatch.setenv("API_URL", url)
        app = AppTest.from_file(ROOT / "app/ui/main.py", default_timeout=30)
        for name, value in asked.items():
            app.query_params[name] = value
        return run(app)

    yield open_ui
    st.cache_resource.clear()


@pytest.fixture
def api(api_url: str) -> ApiClient:
    """The API by the client of the UI."""
    return ApiClient(api_url)


@pytest.fixture
def stored(api: ApiClient, product: dict[str, Any]) -> Product:
    """The only product there is."""
    return api.create_product(product, uuid4().hex)


@dataclass
class Misbehaviour:
    """How the server at `url` answers: `answers` in turn, the last one from then on; None hangs up without one."""

    url: str = ""
    answers: list[tuple[int, str, str] | None] = field(default_factory=list)  # status, media type, body
    delay: float = 0  # seconds before an answer
    released: threading.Event = field(default_factory=threading.Event)  # ends the delay
    requests: list[str] = field(default_factory=list)  # the methods seen
    authorizations: list[str] = field(default_factory=list)  # the values of that header seen
    persons: list[tuple[str | None, str | None]] = field(default_factory=list)  # whose tokens came besides
    ids: list[str | None] = field(default_factory=list)  # of the requests, as their senders call them
    cookies: list[str] = field(default_factory=list)  # the cookies that came back; every answer sets one


@pytest.fixture
def misbehaviour() -> Iterator[Misbehaviour]:
    """A server whose answers the test writes."""
    state = Misbehaviour()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()
            state.requests.append(self.command)
            state.ids.append(self.headers.get("X-Request-ID"))
            state.authorizations += self.headers.get_all("Authorization") or []
            state.persons.append((self.headers.get("Access-Token"), self.headers.get("Identity-Token")))
            state.cookies += self.headers.get_all("Cookie") or []
            state.released.wait(state.delay)
            answer = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            if answer is None:
                self.close_connection = True
                return
            status, media_type, body = answer
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Set-Cookie", "visitor=1; Path=/")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        state.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
