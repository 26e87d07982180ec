"""Who gets in when more come than there is room for, and what a stranger finds."""

import asyncio
import time
from contextlib import AsyncExitStack, suppress

import httpx2 as httpx
import pytest
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from websockets.exceptions import InvalidStatus, WebSocketException

from app.ui.server import admission
from app.ui.server.admission import REQUESTS, SIGN_INS, Admission
from app.ui.server.uploads import MEBIBYTE
from app.ui.settings import SignInSettings
from app.ui.texts import ENGLISH, PORTUGUESE
from testkit.server import Server
from tests.ui.server.conftest import Serve
from tests.ui.visiting import VALUES
from tests.ui.visitor import header, session, signed_in

pytestmark = pytest.mark.anyio

PAGE = {"Accept": "text/html"}
SIGN_IN = SignInSettings(*VALUES.values())


def page(server: Server, cookies: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(f"{server.url}/", headers=PAGE | {"Cookie": header(cookies or {})})


async def test_three_times_the_sessions_there_is_room_for_get_a_sentence_and_those_within_stay(serve: Serve) -> None:
    with serve(MAX_SESSIONS="10") as server:
        async with AsyncExitStack() as stack:
            for _ in range(10):
                await stack.enter_async_context(session(server.url))
            before = server.process.memory_info().rss
            for _ in range(20):
                answer = page(server)
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
                assert PORTUGUESE.full in answer.text
                assert ENGLISH.full in answer.text
                with pytest.raises(InvalidStatus) as refused:
                    async with session(server.url):
                        pass
                assert refused.value.response.status_code == 503
            started = time.perf_counter()
            assert httpx.get(f"{server.url}/_stcore/health").text == "ok"
            assert time.perf_counter() - started < 1
            assert server.process.memory_info().rss - before < 10 * MEBIBYTE
        assert await there_is_room(server)
        async with session(server.url):
            pass


async def there_is_room(server: Server) -> bool:
    """Whether a page opens again: Streamlit takes a moment to notice that a browser has gone."""
    deadline = time.monotonic() + 30
    while page(server).status_code != 200:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    return True


async def test_strangers_leave_room_for_who_is_signed_in(serve: Serve) -> None:
    with serve(MAX_SESSIONS="4", **VALUES) as server:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(session(server.url))
            assert page(server).status_code == 503
            with pytest.raises(InvalidStatus):
                async with session(server.url):
                    pass
            assert page(server, signed_in()).status_code == 200
            for _ in range(2):
                await stack.enter_async_context(session(server.url, signed_in()))
            assert page(server, signed_in()).status_code == 503


async def test_who_stays_a_stranger_makes_room_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    async def streamlit(_scope: Scope, receive: Receive, _send: Send) -> None:
        ended.append(await receive())

    async def nothing() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        answers.append(message)

    ended: list[Message] = []
    answers: list[Message] = []
    admit = Admission(streamlit, max_sessions=4, sign_in=SIGN_IN)
    scope = {"type": "websocket", "path": "/_stcore/stream", "headers": []}
    async with asyncio.TaskGroup() as group:
        first, second = (group.create_task(admit(scope, nothing, send)) for _ in range(2))
        await asyncio.sleep(0)
        await admit(scope, nothing, send)
        assert answers[0]["status"] == 503, "somebody may be about to sign in"
        monkeypatch.setattr(admission, "STRANGER_SECONDS", 0)  # as if that were long ago
        third = group.create_task(admit(scope, nothing, send))
        await asyncio.wait_for(first, 5)
        assert ended == [{"type": "websocket.disconnect", "code": 1013}]
        assert not second.done()
        assert not third.done()
        second.cancel()
        third.cancel()


async def test_a_frame_that_is_too_large_ends_its_connection_and_takes_no_memory(private: Server) -> None:
    before = private.process.memory_info().rss
    for _ in range(5):
        async with session(private.url) as stranger:
            with suppress(WebSocketException):  # it may be over before the last byte is sent
                await stranger.connection.send(b"x" * 30 * MEBIBYTE)
            await asyncio.wait_for(stranger.connection.wait_closed(), 30)
    assert private.process.memory_info().rss - before < 60 * MEBIBYTE


def states(number: int, text: str = "") -> bytes:
    """A message with so many widgets' states."""
    widgets = [WidgetState(id=f"$$ID-{n:x}-{n}", string_value=text) for n in range(number)]
    said: bytes = BackMsg(rerun_script=ClientState(widget_states=WidgetStates(widgets=widgets))).SerializeToString()
    return said


UNKNOWN = BackMsg(rerun_script=ClientState(widget_states=WidgetStates(widgets=[WidgetState(id="x", int_value=1)])))


@pytest.mark.parametrize(
    "said",
    [states(3000), states(1, "x" * 70_000), UNKNOWN.SerializeToString(), b"\xff" * 10, "text"],
    ids=["many", "long", "unknown", "no message", "text"],
)
async def test_a_stranger_says_no_more_than_the_page_to_sign_in_has_to_say(private: Server, said: bytes | str) -> None:
    async with session(private.url) as stranger:
        await stranger.connection.send(said)
        await asyncio.wait_for(stranger.connection.wait_closed(), 30)


async def test_a_stranger_says_no_more_in_many_messages_either(private: Server) -> None:
    async with session(private.url) as stranger:
        with suppress(WebSocketException):
            for _ in range(100):
                await stranger.connection.send(states(10, "x" * 100))
        await asyncio.wait_for(stranger.connection.wait_closed(), 30)


async def test_a_page_may_say_what_it_has_and_not_more_widgets_than_any(private: Server) -> None:
    async with session(private.url, signed_in()) as ana:
        for said in (states(500), states(1, "x" * 2 * MEBIBYTE)):
            await ana.connection.send(said)
            async with asyncio.timeout(30):
                while not ForwardMsg.FromString(await ana.connection.recv(decode=False)).HasField("script_finished"):
                    pass
        with suppress(WebSocketException):
            await ana.connection.send(states(200_000))
        await asyncio.wait_for(ana.connection.wait_closed(), 30)


@pytest.mark.parametrize(
    "path",
    ["metrics", "metrics?families=cache_memory_bytes", "agent/openapi.json", "agent/mcp", "agent/interact", "x", ""],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_nobodys_business_is_not_there(open_ui: Server, path: str, method: str) -> None:
    answer = httpx.request(method, f"{open_ui.url}/_stcore/{path}")
    assert (answer.status_code, answer.text) == (404, "Not found.")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/arquivos",
        "/_stcore/health",
        "/_stcore/metrics",
        "/exportar",
        "/nothing/here",
        "/oauth2callback",
        "//x",
        "/%00",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_every_answer_carries_the_security_headers_and_no_traceback(open_ui: Server, path: str, method: str) -> None:
    answer = httpx.request(method, f"{open_ui.url}{path}", headers=PAGE)
    assert answer.status_code < 500
    assert "Traceback" not in answer.text
    assert "Server" not in answer.headers
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in answer.headers


def test_where_people_come_by_https_they_stay_there(private: Server) -> None:
    assert httpx.get(private.url).headers["Strict-Transport-Security"] == "max-age=31536000"


COOKIES = (
    "_streamlit_user",
    "_streamlit_user_1",
    "_streamlit_user_tokens",
    "_streamlit_xsrf",
    "_streamlit_session",
    "catalogue_return",
)
PATHS = (
    "/",
    "/_stcore/health",
    "/oauth2callback?state=x&code=y",
    "/auth/logout",
    "/exportar",
    "/_stcore/upload_file/x/1",
)


def test_no_cookie_is_an_error_of_ours(private: Server) -> None:
    broken = [bytes([byte]) for byte in range(256) if byte not in b"\0\r\n"]
    signed = header(signed_in()).partition("=")[2].encode()
    broken += [
        b'"',
        b"//[",
        b"%2F%2F%5B",
        b"%00",
        b"%ED%A0%80",
        b"/%F0%9F%98%80",
        b"2|x|y|z",
        b"2|00|00|9" * 500,
        b"1" * 5000,
    ]
    broken += [signed[:-1], signed + b"x", signed[::-1], b"\xff" + signed]
    with httpx.Client(base_url=private.url) as browser:
        for value in broken:
            cookies = b"; ".join(name.encode() + b"=" + value for name in COOKIES)
            for path in PATHS:
                method = "PUT" if "upload" in path else "GET"
                try:
                    answer = browser.request(method, path, headers=[(b"Cookie", cookies), (b"Content-Length", b"0")])
                except httpx.LocalProtocolError:
                    continue  # no client could send it
                assert answer.status_code < 500, (path, value)


@pytest.mark.parametrize("sign_in", [None, SIGN_IN])
async def test_a_request_that_fails_or_is_given_up_leaves_its_place_to_the_next(sign_in: SignInSettings | None) -> None:
    ends: list[BaseException | None] = [ValueError(), asyncio.CancelledError(), OSError()]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if end := ends[0]:
            raise end
        await send({"type": "http.response.start", "status": 200, "headers": []})

    admit = Admission(app, max_sessions=3, sign_in=sign_in)

    async def ask(path: str, kind: str = "http") -> int:
        answers: list[int] = []

        async def send(message: Message) -> None:
            if message["type"].endswith("response.start"):
                answers.append(message["status"])

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        await admit({"type": kind, "path": path, "method": "GET", "headers": [], "extensions": {}}, receive, send)
        return answers[0]

    for kind, path, times in (
        ("websocket", "/_stcore/stream", 4),
        ("http", "/auth/login", SIGN_INS + 1),
        ("http", "/", REQUESTS + 1),
    ):
        for _ in range(times):
            with pytest.raises(type(ends[0])):  # type: ignore[type-var]
                await ask(path, kind)
            ends.append(ends.pop(0))
    ends.insert(0, None)
    assert [await ask(path) for path in ("/", "/auth/login")] == [200, 200]
    assert await ask("/_stcore/stream", "websocket") == 200
    assert [slots.taken for slots in (admit.sessions, admit.requests, admit.sign_ins)] == [0, 0, 0]
