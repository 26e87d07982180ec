"""The HTML around Streamlit's pages, in the visitor's language, and what becomes of every address that is no page."""

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.ui import language, screen
from app.ui.error_page import error_page
from app.ui.files import download
from app.ui.server.admission import NO_PAGES
from app.ui.server.scripts import preloads
from app.ui.texts import LANGUAGES

PAGES = ("/", "/resumo", "/produto", "/arquivos", "/lixeira")
FILES = ("/favicon.png", "/manifest.json", download.PATH)  # beside NO_PAGES what others answer
# What people type or have from the API, and where it is here.
MOVED: Mapping[str, str] = {
    "/index.html": "/",
    "/products": "/",
    "/produtos": "/",
    "/product": "/produto",
    "/overview": "/resumo",
    "/files": "/arquivos",
    "/bin": "/lixeira",
}
ONE_PRODUCT = re.compile(r"/(?:produtos?|products?)/([0-9]{1,10})/?")
INDEX = Path(streamlit.__file__).parent / "static/index.html"


class Pages:
    """Middleware around Streamlit, which answers any address with its page, in English, and white below a folder."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._pages = {code: _page(code) for code in LANGUAGES}
        links = preloads()
        self._lists = {code: page.replace("</head>", f"{links}</head>", 1) for code, page in self._pages.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request for a page, and pass on all others."""
        answer = self._answer(Request(scope)) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)

    def _answer(self, request: Request) -> Response | None:
        path: str = request.scope["path"]
        if request.method not in ("GET", "HEAD") or path.startswith((*NO_PAGES, "//")) or path in FILES:
            return None
        if path in PAGES:
            code = language.choose(
                request.query_params.get(language.NAME),
                request.cookies.get(language.NAME),
                request.headers.get("Accept-Language"),
            )
            headers = {"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"}
            return HTMLResponse((self._lists if path == "/" else self._pages)[code], headers=headers)
        if found := ONE_PRODUCT.fullmatch(path):
            return RedirectResponse(f"/produto?{urlencode([('id', found[1]), *request.query_params.multi_items()])}")
        bare = path.rstrip("/")
        if (target := bare if bare in PAGES else MOVED.get(bare)) is not None:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"{target}{query}")
        return error_page(404, "no_page_title", {code: texts.no_page for code, texts in LANGUAGES.items()})


def _page(code: str) -> str:
    texts = LANGUAGES[code]
    html = INDEX.read_text(encoding="utf-8")
    for pattern, own in (
        (r'<html lang="en">', f'<html lang="{texts.tag}">'),
        (r"<title>Streamlit</title>", f"<title>{escape(texts.sign_in_title)}</title>"),
        (r"</head>", f"<script>{screen.SCRIPT}</script></head>"),
        (r"<noscript>.*?</noscript>", f"<noscript><p>{escape(texts.no_javascript)}</p></noscript>"),
    ):
        html, times = re.subn(pattern, own, html, count=1, flags=re.DOTALL)
        if not times:
            raise ValueError(f"Streamlit's page has no {pattern}")
    return html
