"""Who a request comes from, by the cookie that Streamlit signed when they signed in."""

import json
import time
from collections.abc import Mapping
from typing import Any

from itsdangerous import BadData
from starlette.requests import HTTPConnection
from starlette.types import Scope
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from app.ui.settings import SignInSettings


def is_strangers(scope: Scope, settings: SignInSettings | None) -> bool:
    """Say whether a request comes from somebody who has not signed in; none does where nobody has to."""
    return settings is not None and claims(HTTPConnection(scope), settings) is None


def claims(connection: HTTPConnection, settings: SignInSettings) -> Mapping[str, Any] | None:
    """Return what the identity provider said of who sends a request; None of a stranger, or when it no longer counts.

    Whatever else the cookie holds, somebody without a subject is a stranger.
    """

    def signed(name: str) -> bytes | None:
        value = connection.cookies.get(name)
        return (value and decode_signed_value(settings.cookie_secret, name, value.encode("latin-1", "replace"))) or None

    try:
        cookie = get_cookie_with_chunks(signed, USER_COOKIE_NAME)
        said = json.loads(cookie) if cookie else None
    except (BadData, ValueError):  # the second also of JSON and of characters
        return None
    if not isinstance(said, dict) or not said.get("is_logged_in") or said.get("origin") != settings.public_url:
        return None
    end = said.get("exp")
    return said if said.get("sub") and isinstance(end, int | float) and time.time() < end else None
