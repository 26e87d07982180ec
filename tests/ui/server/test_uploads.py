"""Uploads: of who is signed in, and never more than there is room for, whoever sends them and however they end."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2 as httpx
import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from app.ui.server import uploads
from app.ui.server.uploads import Uploads
from testkit.server import Server, serving
from tests.ui.server.conftest import NO_API
from tests.ui.visitor import Session, header, session, signed_in

pytestmark = pytest.mark.anyio

MEBIBYTE = 2**20
LARGE = 49 * MEBIBYTE


def memory(server: Server) -> int:
    used: int = server.process.memory_info().rss
    return used


async def test_a_stranger_sends_no_file_and_takes_no_memory(private: Server) -> None:
    async with session(private.url) as stranger:
        before = memory(private)
        for number in range(13):
            answer = await asyncio.to_thread(stranger.upload, private.url, LARGE, str(number))
            assert answer.status_code == 403
        assert memory(private) - before < 40 * MEBIBYTE


@pytest.mark.parametrize(
    "claims", [{"exp": 1}, {"is_logged_in": False}, {"sub": ""}, {"origin": "https://evil.example"}]
)
async def test_who_is_signed_in_no_longer_sends_no_file(private: Server, claims: dict[str, object]) -> None:
    async with session(private.url, signed_in(**claims)) as left:
        assert (await asyncio.to_thread(left.upload, private.url, 10)).status_code == 403


async def test_who_is_signed_in_sends_files_up_to_a_bound_and_has_room_again_after_them(private: Server) -> None:
    async with session(private.url, signed_in()) as ana:

        async def upload(name: str, size: int = LARGE, **headers: str) -> int:
            return (await asyncio.to_thread(ana.upload, private.url, size, name, **headers)).status_code

        assert [await upload("1"), await upload("2"), await upload("3")] == [204, 204, 503]
        assert memory(private) < 500 * MEBIBYTE
        assert delete(ana, private.url, "1") == 204
        assert await upload("3") == 204
        assert await upload("4", 60 * MEBIBYTE) == 413
        async with session(private.url, signed_in(sub="2")) as bruno:
            assert (await asyncio.to_thread(bruno.upload, private.url, LARGE)).status_code == 503


def delete(who: Session, url: str, name: str) -> int:
    headers = {"X-Xsrftoken": who.cookies["_streamlit_xsrf"], "Cookie": header(who.cookies)}
    return httpx.delete(f"{url}/_stcore/upload_file/{who.id}/{name}", headers=headers).status_code


async def test_what_sessions_held_is_given_back_after_they_ended(tmp_path: Path) -> None:
    impatient = "from streamlit import config; config.set_option('server.disconnectedSessionTTL', 1)"
    command = [sys.executable, "-c", f"{impatient}; from app.ui.serve import main; main()"]
    with serving(command, "UI_PORT", "/_stcore/health", {"API_URL": NO_API}, tmp_path / "ui.log") as server:
        for _ in range(5):  # of which two have room at once
            async with session(server.url) as visitor:
                answer = await asyncio.to_thread(visitor.upload, server.url, LARGE)
                assert answer.status_code == 204
        assert memory(server) < 500 * MEBIBYTE


async def test_a_length_that_is_none_is_refused(private: Server) -> None:
    async with session(private.url, signed_in()) as ana:
        headers = {"Cookie": header(ana.cookies), "X-Xsrftoken": ana.cookies["_streamlit_xsrf"]}
        url = f"{private.url}/_stcore/upload_file/{ana.id}/1"

        def pieces() -> object:
            yield b"x" * 1000

        assert httpx.put(url, content=pieces(), headers=headers).status_code == 411  # type: ignore[arg-type]


class Put:
    """Uploads in front of something that ends as a test wants."""

    def __init__(self, end: Callable[[], None], max_bytes: int = 100) -> None:
        self.held: dict[str, list[int]] = {}
        self._end = end
        self.uploads = Uploads(
            self._app, sign_in=None, max_file_bytes=50, max_bytes=max_bytes, stored=lambda: self.held
        )

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        self._end()
        await send({"type": "http.response.start", "status": 204, "headers": []})

    async def __call__(self, size: int) -> int:
        scope = {
            "type": "http",
            "method": "PUT",
            "path": "/_stcore/upload_file/session/1",
            "headers": [(b"content-length", str(size).encode())],
        }
        statuses = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"x" * size, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await self.uploads(scope, receive, send)
        return int(statuses[0])


async def test_an_upload_that_fails_or_is_given_up_leaves_its_room_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "ENVELOPE", 0)
    monkeypatch.setattr(uploads, "PATIENCE_SECONDS", 0.01)

    def fail() -> None:
        raise ends[-1]

    ends: list[BaseException] = []
    put = Put(fail)
    for end in (ValueError(), asyncio.CancelledError(), OSError()) * 3:
        ends.append(end)
        with pytest.raises(type(end)):
            await put(50)
    put._end = lambda: None
    assert await put(50) == 204
    put.held = {"another": [60]}
    assert await put(50) == 503
    assert await put(40) == 204


async def test_an_upload_waits_a_moment_for_the_one_that_it_replaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "ENVELOPE", 0)
    put = Put(lambda: None)
    put.held = {"session": [90]}
    waiting = asyncio.create_task(put(50))
    await asyncio.sleep(0)
    put.held = {}
    await put.uploads._tell()
    assert await waiting == 204
