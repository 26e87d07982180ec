"""Who gets in: as many sessions and requests as this process can serve, and an honest answer to all others.

The health check is outside of every bound: it says whether the process lives, which a full one does.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.ui.error_page import error_page
from app.ui.settings import SignInSettings
from app.ui.sign_in import cookie
from app.ui.slots import Slots
from app.ui.texts import LANGUAGES

HEALTH = "/_stcore/health"
# Of Streamlit's own addresses those that its pages ask for; its metrics and its interface for programs are nobody's.
OPEN = (HEALTH, "/_stcore/host-config", "/_stcore/stream", "/_stcore/upload_file/")
SIGN_IN = ("/auth/", "/oauth2callback")
NO_PAGES = ("/_stcore/", "/static/", "/media/", "/component/", *SIGN_IN)
REQUESTS = 256  # at once: a browser that opens a page asks for six files at a time
SIGN_INS = 16  # at once: each may wait for the identity provider
RETRY_SECONDS = 10
STRANGER_SECONDS = 60  # within which somebody signs in, before another stranger may have the place


class Admission:
    """Middleware around everything.

    Where people sign in, strangers take half of the sessions at most, and nobody keeps others out by staying one.
    """

    def __init__(self, app: ASGIApp, *, max_sessions: int, sign_in: SignInSettings | None) -> None:
        self._app = app
        self._sign_in = sign_in
        self.sessions = Slots(max_sessions)
        self._strangers_max = max(max_sessions // 2, 1)
        self._strangers: dict[asyncio.Future[None], float] = {}  # since when, the longest first; done: has to go
        self.requests = Slots(REQUESTS)
        self.sign_ins = Slots(SIGN_INS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if there is room for it, and answer it here if not."""
        match scope["type"]:
            case "websocket":
                await self._session(scope, receive, send)
            case "http" if scope["path"] != HEALTH:
                await self._request(scope, receive, send)
            case _:
                await self._app(scope, receive, send)

    async def _session(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_stranger = cookie.is_strangers(scope, self._sign_in)
        if self._has_no_room_for(is_stranger):
            await PlainTextResponse("Full.", 503, {"Retry-After": str(RETRY_SECONDS)})(scope, receive, send)
            return
        with self.sessions.one():
            if is_stranger:
                await self._stranger(scope, receive, send)
            else:
                await self._app(scope, receive, send)

    async def _stranger(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a session of somebody who has not signed in, until another takes its place."""
        if len(self._strangers) >= self._strangers_max:
            longest = next(iter(self._strangers))
            del self._strangers[longest]
            longest.set_result(None)
        loop = asyncio.get_running_loop()
        gone: asyncio.Future[None] = loop.create_future()
        self._strangers[gone] = loop.time()

        async def receive_until_gone() -> Message:
            message = asyncio.ensure_future(receive())
            either: set[asyncio.Future[Any]] = {message, gone}
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                return message.result() if message.done() else {"type": "websocket.disconnect", "code": 1013}
            finally:
                message.cancel()

        try:
            await self._app(scope, receive_until_gone, send)
        finally:
            self._strangers.pop(gone, None)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        if answer := self._refused(scope):
            await answer(scope, receive, send)
            return
        with self.requests.one():
            if not scope["path"].startswith(SIGN_IN):
                await self._app(scope, receive, send)
                return
            with self.sign_ins.one():
                await self._app(scope, receive, send)

    def _refused(self, scope: Scope) -> Response | None:
        path: str = scope["path"]
        if path.startswith("/_stcore/") and not path.startswith(OPEN):
            return PlainTextResponse("Not found.", 404)
        is_page = not path.startswith(NO_PAGES) and "text/html" in Headers(scope=scope).get("Accept", "")
        if self.requests.is_full or (path.startswith(SIGN_IN) and self.sign_ins.is_full):
            return _full()
        return _full() if is_page and self._has_no_room_for(cookie.is_strangers(scope, self._sign_in)) else None

    def _has_no_room_for(self, is_stranger: bool) -> bool:
        if self.sessions.is_full:
            return True
        if not is_stranger or len(self._strangers) < self._strangers_max:
            return False
        longest_since = next(iter(self._strangers.values()))
        return asyncio.get_running_loop().time() - longest_since < STRANGER_SECONDS


def _full() -> Response:
    sentences: Mapping[str, str] = {code: texts.full for code, texts in LANGUAGES.items()}
    return error_page(503, "full_title", sentences, retry_seconds=RETRY_SECONDS)
