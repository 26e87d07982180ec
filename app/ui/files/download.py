"""Products as a file of any size: streamed from the API to the browser, to whoever holds a ticket for it.

Streamlit's own download keeps the whole file in memory. This is an address beside its pages instead, which knows
nothing of sessions. So a page, which does, writes into a signed ticket what to export and until when, and every
process that has the same COOKIE_SECRET accepts it.
"""

import os
import secrets
import time
from collections.abc import Generator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal
from urllib.parse import urlencode

import streamlit as st
from itsdangerous import BadData, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.ui import errors, session
from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import ApiError, ProductFilter
from app.ui.error_page import error_page
from app.ui.settings import api_url, service_token
from app.ui.sign_in import access
from app.ui.texts import LANGUAGES

Format = Literal["csv", "jsonl"]

PATH = "/exportar"
LIFETIME = 12 * 60 * 60  # seconds; a page left open over lunch still exports
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
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
        "until": min(time.time() + LIFETIME, access.sign_in_ends()),
    }
    return f"{PATH}?{urlencode({'ticket': _serializer().dumps(ticket)})}"


def button(label: str, products: ProductFilter, sort: str, file_format: Format, *, key: str) -> None:
    """Show a button that exports these products; under `streamlit run` the file goes through this process' memory."""
    if is_served:
        st.link_button(label, url(products, sort, file_format), key=key, icon=":material/download:")
        return
    client = access.client()
    st.download_button(
        label,
        lambda: b"".join(client.export_products(products, sort=sort, file_format=file_format)),
        file_name=_file_name(file_format),
        mime=MEDIA_TYPES[file_format],
        key=key,
        icon=":material/download:",
        on_click="ignore",
    )


def route() -> Route:
    """Return what answers at the address."""
    return Route(PATH, _export, methods=["GET"])


def _export(request: Request) -> Response:  # not async: Starlette runs it, and the reading of the file, in threads
    ticket = _valid(request.query_params.get("ticket", ""))
    if ticket is None:
        return error_page(403, "export_failed", {code: texts.export_refused for code, texts in LANGUAGES.items()})
    given = {name: _PARSERS.get(name, str)(value) for name, value in ticket["products"].items()}
    try:
        pieces = _client(api_url(), service_token()).export_products(
            ProductFilter(**given), sort=ticket["sort"], file_format=ticket["format"]
        )
    except ApiError as error:
        status = 503 if error.may_pass else 502
        return error_page(
            status, "export_failed", {code: errors.sentence(error, texts) for code, texts in LANGUAGES.items()}
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


def _valid(ticket: str) -> dict[str, Any] | None:
    """Return what a ticket says, if it is one of ours and not too old."""
    try:
        said: dict[str, Any] = _serializer().loads(ticket)
    except BadData:
        return None
    return said if time.time() < said["until"] else None


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(os.environ.get("COOKIE_SECRET") or _ANY_KEY, salt="export")


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _file_name(file_format: Format) -> str:
    return f"{session.texts().products.lower()}.{file_format}"


@cache
def _client(url: str, token: str | None) -> ApiClient:
    return ApiClient(url, token)
