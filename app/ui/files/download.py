"""Products as a file of any size: streamed from the API to the browser, to whoever holds a ticket for it.

Streamlit's own download keeps the whole file in memory. This is an address beside its pages instead, which knows
nothing of sessions. So a page, which does, writes into a signed ticket what to export, for whom and until when, and
every process that has the same COOKIE_SECRET accepts it from that person.
"""

import os
import secrets
import time
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from typing import Any, Literal
from urllib.parse import urlencode

import streamlit as st
from itsdangerous import BadData, URLSafeSerializer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.ui import errors, session
from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import ApiError, ProductFilter
from app.ui.error_page import error_page
from app.ui.settings import InvalidSignInError, api_url, service_token, sign_in
from app.ui.sign_in import access, cookie
from app.ui.slots import Slots
from app.ui.texts import LANGUAGES

Format = Literal["csv", "excel", "jsonl"]

PATH = "/exportar"
LIFETIME = 15 * 60  # seconds, of a ticket
RENEWAL = LIFETIME / 3  # seconds after which a page has a new one, so that one left open over lunch still exports
AT_ONCE = 8  # files; each holds a connection to the API, which has fewer for files itself
RETRY_SECONDS = 10
MEDIA_TYPES = dict.fromkeys(("csv", "excel"), "text/csv; charset=utf-8") | {"jsonl": "application/jsonl"}
_ANY_KEY = secrets.token_hex(32)  # where there is no sign-in, one process is all there is to agree
_PARSERS: Mapping[str, Any] = {
    "categoria": tuple,
    "price_min": Decimal,
    "price_max": Decimal,
    "created_after": datetime.fromisoformat,
    "created_before": datetime.fromisoformat,
}

is_served = False  # app/ui/serve.py says so; `streamlit run` has no addresses beside its pages


def url(products: ProductFilter, sort: str, file_format: Format) -> str:
    """Return the path and query of the file of these products; it works for LIFETIME, or until the sign-in ends."""
    ticket = {
        "products": {name: _plain(value) for name, value in products.parameters().items()},
        "sort": sort,
        "format": file_format,
        "name": _file_name(file_format),
        "person": access.subject(),
        "until": min(time.time() + LIFETIME, access.sign_in_ends()),
    }
    return f"{PATH}?{urlencode({'ticket': _serializer().dumps(ticket)})}"


def buttons(formats: Sequence[Format], products: ProductFilter, sort: str) -> None:
    """Show a button for each format, which exports these products.

    Under `streamlit run` the files go through this process' memory.
    """
    if is_served:
        _renewed_links(formats, products, sort)
        return
    client = access.client()
    for file_format in formats:
        st.download_button(
            _label(file_format),
            partial(_content, client, products, sort, file_format),
            file_name=_file_name(file_format),
            mime=MEDIA_TYPES[file_format],
            key=f"export_{file_format}",
            icon=":material/download:",
            on_click="ignore",
        )


@st.fragment(run_every=RENEWAL)
def _renewed_links(formats: Sequence[Format], products: ProductFilter, sort: str) -> None:
    for file_format in formats:
        address = url(products, sort, file_format)
        st.link_button(_label(file_format), address, key=f"export_{file_format}", icon=":material/download:")


def _label(file_format: Format) -> str:
    return str(getattr(session.texts(), f"export_{file_format}"))


def _content(client: ApiClient, products: ProductFilter, sort: str, file_format: Format) -> bytes:
    return b"".join(client.export_products(products, sort=sort, file_format=file_format))


def route() -> Route:
    """Return what answers at the address."""
    return Route(PATH, _Exports(), methods=["GET"])


class _Exports:
    """The answers at the address: a file, or a page that says why there is none."""

    def __init__(self) -> None:
        self._slots = Slots(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope)
        ticket = _valid(request)
        if ticket is None:
            await _page(403, {code: texts.export_refused for code, texts in LANGUAGES.items()})(scope, receive, send)
        elif self._slots.is_full:
            sentences = {code: texts.exports_full for code, texts in LANGUAGES.items()}
            await _page(503, sentences, retry_seconds=RETRY_SECONDS)(scope, receive, send)
        else:
            with self._slots.one():
                # Opening the file waits for the API, and so does reading it: both are done in threads.
                answer = await run_in_threadpool(_file, ticket)
                await answer(scope, receive, send)


def _file(ticket: Mapping[str, Any]) -> Response:
    given = {name: _PARSERS.get(name, str)(value) for name, value in ticket["products"].items()}
    try:
        pieces = _client(api_url(), service_token()).export_products(
            ProductFilter(**given), sort=ticket["sort"], file_format=ticket["format"]
        )
    except ApiError as error:
        return _page(
            503 if error.may_pass else 502, {code: errors.sentence(error, texts) for code, texts in LANGUAGES.items()}
        )
    headers = {"Content-Disposition": f'attachment; filename="{ticket["name"]}"', "Cache-Control": "no-store"}
    return _File(pieces, headers, MEDIA_TYPES[ticket["format"]])


class _File(StreamingResponse):
    """A file that is closed also when the browser goes away in the middle of it."""

    def __init__(self, pieces: Generator[bytes], headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(pieces, headers=headers, media_type=media_type)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._pieces.close()


def _valid(request: Request) -> dict[str, Any] | None:
    """Return what the ticket of a request says, if it is one of ours, not too old, and its sender's own."""
    try:
        said: dict[str, Any] = _serializer().loads(request.query_params.get("ticket", ""))
        settings = sign_in()
    except (BadData, InvalidSignInError):
        return None
    if settings is not None:
        claims = cookie.claims(request, settings)
        if claims is None or str(claims["sub"]) != said["person"]:
            return None
    return said if time.time() < said["until"] else None


def _page(status: int, sentences: Mapping[str, str], *, retry_seconds: int | None = None) -> Response:
    return error_page(status, "export_failed", sentences, retry_seconds=retry_seconds)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(os.environ.get("COOKIE_SECRET") or _ANY_KEY, salt="export")


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _file_name(file_format: Format) -> str:
    name = session.texts().products.lower()
    return f"{name}-excel.csv" if file_format == "excel" else f"{name}.{file_format}"


@cache
def _client(url: str, token: str | None) -> ApiClient:
    return ApiClient(url, token)
