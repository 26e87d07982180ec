"""Exports as a browser gets them: from a running UI, for who has a ticket, whatever the size, and told when not."""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import psutil
import pytest
from streamlit.testing.v1 import AppTest

from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import EVERYTHING, ProductFilter
from app.ui.files import download
from app.ui.texts import ENGLISH, PORTUGUESE
from testkit.server import free_port, running
from testkit.tools import ROOT
from tests.ui.conftest import Misbehaviour
from tests.ui.visiting import ANA, VALUES
from tests.ui.visitor import header, signed_in

MEBIBYTE = 2**20


@pytest.fixture(autouse=True)
def _signed_in_here_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests make their tickets as another process of the same deployment would."""
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def serving(tmp_path: Path) -> Callable[[str], Any]:
    """Run the UI in front of an API, and talk to it as a browser does."""

    @contextmanager
    def serve(api_url: str) -> Iterator[httpx.Client]:
        command = [sys.executable, "-m", "app.ui.serve"]
        environment = VALUES | {"API_URL": api_url}
        with (
            running(command, "UI_PORT", "/_stcore/health", environment, tmp_path / "ui.log") as url,
            httpx.Client(base_url=url, timeout=60, headers={"Cookie": header(signed_in())}) as browser,
        ):
            yield browser
        assert "Traceback" not in (tmp_path / "ui.log").read_text()

    return serve


def address(
    products: ProductFilter = EVERYTHING, sort: str = "id", file_format: str = "csv", ends: float | None = None
) -> str:
    """What a page leads to, for somebody whose sign-in ends at a time."""

    def page(products: "Any", sort: str, file_format: "Any") -> None:  # its source runs alone, without our imports
        import streamlit as st

        from app.ui.files import download

        st.session_state["address"] = download.url(products, sort, file_format)

    app = AppTest.from_function(page, args=(products, sort, file_format), default_timeout=30)
    app.user = ANA | {"exp": time.time() + 3600 if ends is None else ends}
    app.run()
    assert not app.exception
    found: str = app.session_state["address"]
    return found


def says(answer: httpx.Response, status: int, portuguese: str, english: str) -> bool:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert '<a href="/">' in answer.text
    return portuguese in answer.text and english in answer.text


def test_what_the_filters_show_is_exported_in_its_order(serving: Any, api_url: str, product: dict[str, Any]) -> None:
    api = ApiClient(api_url)
    for name, price in (("Sofá", 1), ("Sofá-cama", 3), ("Sofá de canto", 2), ("Mesa", 2), ("Sofá caro", 9)):
        api.create_product(product | {"name": name, "price": price}, uuid4().hex)
    api.create_product(product | {"name": "Sofá", "categoria": "Roupas"}, uuid4().hex)
    shown = ProductFilter(
        q="sofá",
        categoria=("Móveis", product["categoria"]),
        price_min=Decimal("0.5"),
        price_max=Decimal("8.99"),
        email_fornecedor=product["email_fornecedor"],
        created_after=datetime(2020, 1, 1, tzinfo=UTC),
        created_before=datetime(2100, 1, 1, tzinfo=UTC),
    )
    with serving(api_url) as browser:
        answer = browser.get(address(shown, "-price", "csv"))
        assert answer.headers["content-disposition"] == 'attachment; filename="produtos.csv"'
        assert [line.split(",")[1] for line in answer.text.splitlines()[1:]] == [
            '"Sofá-cama"',
            '"Sofá de canto"',
            '"Sofá"',
        ]
        everything = browser.get(address(EVERYTHING, "id", "jsonl"))
        assert everything.headers["content-type"] == "application/jsonl"
        assert everything.content == b"".join(api.export_products(EVERYTHING, sort="id", file_format="jsonl"))


def test_a_ticket_that_is_not_ours_or_too_old_is_refused(
    serving: Any, misbehaviour: Misbehaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = address()
    path, _, ticket = good.partition("ticket=")
    after_the_sign_in = address(ends=time.time() - 1)
    nobodys = address(ends=0)
    monkeypatch.setattr(download, "LIFETIME", 0)
    too_old = address()
    monkeypatch.setenv("COOKIE_SECRET", "another-cookie-secret-of-at-least-32-chars")
    monkeypatch.setattr(download, "LIFETIME", 60)
    of_another = address()
    forged = [path.rstrip("?"), f"{path}ticket=", f"{path}ticket=x.y.z", good[:-1], f"{path}ticket=A{ticket[1:]}"]
    with serving(misbehaviour.url) as browser:
        for refused in (*forged, after_the_sign_in, nobodys, too_old, of_another):
            assert says(browser.get(refused), 403, PORTUGUESE.export_refused, ENGLISH.export_refused), refused
        assert misbehaviour.requests == []
        misbehaviour.answers = [(200, "text/csv", "id\r\n")]
        assert browser.get(good).text == "id\r\n"
        for nobody in ({}, signed_in(sub="2"), signed_in(exp=1), signed_in(is_logged_in=False)):
            answer = httpx.get(f"{browser.base_url}{good}", headers={"Cookie": header(nobody)})
            assert says(answer, 403, PORTUGUESE.export_refused, ENGLISH.export_refused)


def test_an_api_that_gives_no_file_is_told_in_both_languages(serving: Any, misbehaviour: Misbehaviour) -> None:
    with serving(misbehaviour.url) as browser:
        misbehaviour.answers = [(503, "application/problem+json", '{"detail": "Not now."}')]
        assert says(browser.get(address()), 503, PORTUGUESE.not_ready, ENGLISH.not_ready)
        misbehaviour.answers = [(401, "application/problem+json", '{"detail": "Who are you?"}')]
        assert says(browser.get(address()), 502, PORTUGUESE.unauthorized, ENGLISH.unauthorized)
        misbehaviour.answers = [(404, "text/html", "<script>")]
        answer = browser.get(address())
        assert answer.status_code == 502
        assert "<script>" not in answer.text


def test_an_api_that_is_down_is_told_in_both_languages(serving: Any) -> None:
    with serving(f"http://127.0.0.1:{free_port()}") as browser:
        assert says(browser.get(address()), 503, "A API não responde", "The API does not answer")


class Source:
    """A server whose one file is as long as its reader wants, or breaks off after its first pieces."""

    piece = b"x" * 65_536

    def __init__(self) -> None:
        self.pieces = 2**30
        self.let_go = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._send, args=(connection,), daemon=True).start()

    def _send(self, connection: socket.socket) -> None:
        with connection:
            connection.recv(65_536)
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in range(self.pieces):
                    connection.sendall(b"%x\r\n%s\r\n" % (len(self.piece), self.piece))
            except OSError:
                self.let_go.set()


def test_memory_stays_flat_and_an_export_that_nobody_reads_on_is_let_go(serving: Any) -> None:
    source = Source()
    with serving(source.url) as browser:
        process = next(p for p in psutil.Process(os.getpid()).children() if "app.ui.serve" in " ".join(p.cmdline()))
        read = 0
        with browser.stream("GET", address(), headers={"Accept-Encoding": "identity"}) as answer:
            pieces = answer.iter_raw()
            next(pieces)
            idle = process.memory_info().rss
            while read < 200 * MEBIBYTE:
                read += len(next(pieces))
            assert process.memory_info().rss - idle < 20 * MEBIBYTE
            assert not source.let_go.is_set()
        assert source.let_go.wait(30)


def test_a_file_that_breaks_off_is_not_taken_for_a_whole_one(serving: Any, tmp_path: Path) -> None:
    source = Source()
    source.pieces = 3
    command = [sys.executable, "-m", "app.ui.serve"]
    environment = VALUES | {"API_URL": source.url}
    log = tmp_path / "ui.log"
    with (
        running(command, "UI_PORT", "/_stcore/health", environment, log) as url,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        httpx.get(url + address(), headers={"Cookie": header(signed_in())})


def test_where_nobody_signs_in_a_ticket_is_for_its_own_process(
    misbehaviour: Misbehaviour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VALUES:
        monkeypatch.delenv(name)
    ours = address(ends=0)
    command = [sys.executable, "-m", "app.ui.serve"]
    environment = {"API_URL": misbehaviour.url}
    with running(command, "UI_PORT", "/_stcore/health", environment, tmp_path / "ui.log") as url:
        assert httpx.get(url + ours).status_code == 403


def test_a_page_leads_to_the_address_where_there_is_one_and_else_downloads_by_itself(
    misbehaviour: Misbehaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_URL", misbehaviour.url)
    misbehaviour.answers = [(200, "application/json", "[]")]
    app = AppTest.from_file(ROOT / "app/ui/main.py", default_timeout=30)
    app.user = ANA | {"exp": time.time() + 3600}
    app.run().switch_page("views/files.py").run()
    keys = ["export_excel", "export_csv", "export_jsonl"]
    assert not app.link_button
    assert [button.key for button in app.get("download_button") if button.key in keys] == keys
    monkeypatch.setattr(download, "is_served", True)
    app.run()
    assert [link.url.partition("?")[0] for link in app.link_button] == ["/exportar"] * 3
    assert not [button for button in app.get("download_button") if button.key in keys]


def test_who_takes_a_file_too_slowly_is_let_go_and_everybody_else_still_exports(tmp_path: Path) -> None:
    source, path = Source(), address()
    impatient = "from app.ui.server import pacing; pacing.GRACE_SECONDS = 1"
    command = [sys.executable, "-c", f"{impatient}; from app.ui.serve import main; main()"]
    cookies = {"Cookie": header(signed_in())}
    with running(command, "UI_PORT", "/_stcore/health", VALUES | {"API_URL": source.url}, tmp_path / "ui.log") as url:
        host, port = url.removeprefix("http://").split(":")
        drips = []
        for _ in range(2 * download.AT_ONCE):
            drip = socket.create_connection((host, int(port)), timeout=30)
            drip.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies['Cookie']}\r\n\r\n".encode())
            drips.append(drip)
        statuses = [drip.recv(12).split()[1] for drip in drips]
        assert statuses.count(b"200") >= download.AT_ONCE
        assert httpx.get(f"{url}/_stcore/health").text == "ok"
        assert source.let_go.wait(30)
        with httpx.stream("GET", url + path, headers=cookies, timeout=30) as answer:
            assert answer.status_code == 200
        for drip in drips:
            drip.close()
    assert "Traceback" not in (tmp_path / "ui.log").read_text()
