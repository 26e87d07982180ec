"""What may be uploaded: by whom, and how many bytes at once, since Streamlit keeps every file in memory.

A file counts from the first byte of its request until Streamlit lets go of it, which it does when a page no longer
shows it or when its session ends.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.ui.settings import SignInSettings
from app.ui.sign_in import cookie

PREFIX = "/_stcore/upload_file/"
MEBIBYTE = 2**20
ENVELOPE = MEBIBYTE  # bytes of a request around its file, at most, as Streamlit has it
AT_ONCE = 2  # uploads: while one is read, it is in memory or in the temporary folder twice
LOOK_SECONDS = 10.0  # between two looks for sessions that are over
LONGEST_NUMBER = 12  # digits
PATIENCE_SECONDS = 5.0  # of a request for another one to end: a browser replaces a file by a DELETE beside a PUT

Stored = Callable[[], Mapping[str, Iterable[int]]]  # the sizes of the files that are kept, by session


class Uploads:
    """Middleware around Streamlit, for its address of uploads.

    `stored` says what Streamlit holds. A session may hold twice the largest file, which is more than its page shows,
    and all of them `max_bytes` together.
    """

    def __init__(
        self, app: ASGIApp, *, sign_in: SignInSettings | None, max_file_bytes: int, max_bytes: int, stored: Stored
    ) -> None:
        self._app = app
        self._sign_in = sign_in
        self._max_file_bytes = max_file_bytes
        self._max_bytes = max_bytes
        self._stored = stored
        self._coming: Counter[str] = Counter()  # bytes, by session
        self._under_way = 0
        self._changed = asyncio.Condition()
        self._look: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an upload on if its sender and its size are in order."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        if cookie.is_strangers(scope, self._sign_in):
            await _read_to_end(receive)
            await _refused(403, "Sign in to send files.")(scope, receive, send)
            return
        if scope["method"] != "PUT":
            try:
                await self._app(scope, receive, send)
            finally:
                await self._tell()
            return
        length = HTTPConnection(scope).headers.get("Content-Length", "")
        if not length.isascii() or not length.isdecimal():
            await _refused(411, "Say how long the file is, in Content-Length.")(scope, receive, send)
        elif len(length) > LONGEST_NUMBER or int(length) > min(self._max_file_bytes + ENVELOPE, self._max_bytes):
            await _refused(413, "The file is too large.")(scope, receive, send)
        else:
            await self._put(int(length), scope, receive, send)

    async def _put(self, size: int, scope: Scope, receive: Receive, send: Send) -> None:
        session = scope["path"].removeprefix(PREFIX).partition("/")[0]
        if not await self._takes(session, size):
            await _read_to_end(receive)
            answer = _refused(503, "Too many files are held here at the moment. Try again later.")
            await answer(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1
            self._coming[session] -= size
            self._coming += Counter()  # forgets the sessions that have nothing coming
            if self._look is None:
                self._look_later()
            await asyncio.shield(self._tell())

    async def _takes(self, session: str, size: int) -> bool:
        """Wait for room for an upload, and take it; False when there is none in time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        async with self._changed:
            while not self._fits(session, size):
                if time.monotonic() > deadline:
                    return False
                with suppress(TimeoutError):  # nobody says when a session is over
                    await asyncio.wait_for(self._changed.wait(), PATIENCE_SECONDS / 10)
            self._under_way += 1
            self._coming[session] += size
        return True

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _look_later(self) -> None:
        """Look now and then, as long as there are files, whether their sessions are over."""
        held = any(self._stored().values())
        self._look = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look_later) if held else None

    def _fits(self, session: str, size: int) -> bool:
        held = Counter({name: sum(sizes) for name, sizes in self._stored().items()}) + self._coming
        return (
            self._under_way < AT_ONCE
            and held[session] + size <= 2 * (self._max_file_bytes + ENVELOPE)
            and held.total() + size <= self._max_bytes
        )


def stored_by_streamlit() -> Mapping[str, Iterable[int]]:
    """Return the sizes of the files that Streamlit keeps, after those of sessions that are over have been let go.

    Streamlit does so itself, but only when Python next looks for objects that refer to each other.
    """
    from streamlit.runtime import Runtime  # only now: importing it reads the settings

    runtime: Any = Runtime.instance()  # its managers are private names
    files = runtime.uploaded_file_mgr
    alive = {session.session.id for session in runtime._session_mgr.list_sessions()}
    for session in set(files.file_storage) - alive:
        files.remove_session_files(session)
    return {session: [len(file.data) for file in kept.values()] for session, kept in files.file_storage.items()}


async def _read_to_end(receive: Receive) -> None:
    """Read a body and keep none of it: whoever is still sending does not hear an answer."""
    while (await receive()).get("more_body", False):
        pass


def _refused(status: int, sentence: str) -> PlainTextResponse:
    return PlainTextResponse(sentence, status, {"Connection": "close"})
