"""Streamlit's scripts and styles, compressed: it sends them as they are, and a first visit takes 4 MB of them."""

import asyncio
import gzip
import re
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import streamlit
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_FOLDER = Path(streamlit.__file__).parent / "static"
_PATH = re.compile(r"/(static/(?:js|css)/[\w-][\w.-]*\.(js|css))")
_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")
_TYPES = {"js": "text/javascript", "css": "text/css; charset=utf-8"}
_LEVEL = 6  # all that a first visit takes in a tenth of a second; the best is a hundredth smaller, and three times that


class Compression:
    """Middleware around Streamlit's files. Each is compressed when it is first asked for, and kept: none changes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a script or style by who takes gzip, and pass on all others."""
        found = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if found and _takes_gzip(Headers(scope=scope)):
            content: bytes | None = None
            with suppress(OSError):  # Streamlit says that there is no such file
                content = await asyncio.to_thread(_compressed, found[1])
            if content is not None:
                await Response(content, headers=_headers(found[2]))(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _headers(kind: str) -> dict[str, str]:
    return {
        "Content-Encoding": "gzip",
        "Content-Type": _TYPES[kind],
        "Cache-Control": "public, immutable, max-age=31536000",  # Streamlit's own: names have the hash of what is there
        "Vary": "Accept-Encoding",
    }


def _takes_gzip(headers: Headers) -> bool:
    return "range" not in headers and _TAKES_GZIP.search(headers.get("accept-encoding", "").lower()) is not None


@lru_cache(maxsize=512)  # there are three hundred of them
def _compressed(path: str) -> bytes:
    """Return a file of Streamlit's as gzip; OSError where there is none, which is not kept."""
    return gzip.compress((_FOLDER / path).read_bytes(), _LEVEL, mtime=0)
