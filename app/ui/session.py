"""What one visitor's session holds, by typed access: who they are, their language and time zone, what is on screen."""

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from app.ui.api_client import ApiClient
from app.ui.api_models import Page, Product
from app.ui.list_view import ListView
from app.ui.settings import api_url, service_token, sign_in_required
from app.ui.texts import LANGUAGES, Texts

LANGUAGE = "lang"  # the key of the language control, and its name in the address
LOOKED_UP = "id"  # the key of the field with the id to look up, and its name in the address


@dataclass(frozen=True)
class Listed:
    """The page of products on screen. It is read once and kept, so a selected row stays the product that was seen."""

    view: ListView
    page: Page
    total: tuple[int | None, bool]  # how many products there are on all pages, and whether they were counted
    is_current: bool = True  # False as soon as something was changed


@dataclass(frozen=True)
class Dialog:
    """An open dialog; `products` are what it edits or deletes, as they were when the dialog opened.

    When somebody else has saved meanwhile, `theirs` is what they saved and `mine` what was to be changed.
    """

    kind: Literal["add", "edit", "delete", "review"]
    products: tuple[Product, ...] = ()
    mine: Mapping[str, Any] = field(default_factory=dict)
    theirs: Product | None = None


def texts() -> Texts:
    """Return the words of the visitor's language."""
    return LANGUAGES[st.session_state.get(LANGUAGE) or browsers_language()]


def browsers_language() -> str:
    """Return the language the visitor's browser asks for, if the UI speaks it, else its own first one."""
    asked = (st.context.locale or "").partition("-")[0].lower()
    return asked if asked in LANGUAGES else next(iter(LANGUAGES))


def zone() -> tzinfo:
    """Return the time zone of the visitor's browser; UTC when it does not say."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def person() -> str | None:
    """Return what to call who is signed in; None when nobody is, or no longer.

    Streamlit keeps somebody signed in for 30 days. The identity provider's word counts for less: until the ID token
    that came with the sign-in expires.
    """
    user = st.user.to_dict()
    if not user.get("is_logged_in") or has_expired():
        return None
    return str(user.get("name") or user.get("email") or user.get("sub"))


def has_expired() -> bool:
    """Say whether somebody signed in longer ago than it counts for."""
    user = st.user.to_dict()
    end = user.get("exp")
    return bool(user.get("is_logged_in")) and not (isinstance(end, int | float) and time.time() < end)


def may_enter() -> bool:
    """Say whether this visitor may see and do anything: somebody who is signed in, or anybody if nobody has to be."""
    return not sign_in_required() or person() is not None


def sign_in_ends() -> float:
    """Return the Unix time until which the visitor may do anything; infinity where nobody has to sign in."""
    if not sign_in_required():
        return math.inf
    end = st.user.to_dict().get("exp")
    return float(end) if person() is not None and isinstance(end, int | float) else 0.0


def client() -> ApiClient:
    """Return the client of the API, shared by everybody so that its connections are."""
    if not may_enter():
        st.rerun()  # in an open dialog, which runs without the page that asks to sign in
    return _client(api_url(), service_token())


def listed() -> Listed | None:
    """Return the page of products that was read last."""
    page: Listed | None = st.session_state.get("listed")
    return page


def keep_listed(page: Listed | None) -> None:
    """Keep a page of products to show it again; None has it read anew, once nobody is editing what is on it."""
    kept = listed()
    st.session_state["listed"] = page or (kept and replace(kept, is_current=False))


def open_dialog() -> Dialog | None:
    """Return the dialog that is open, if any."""
    dialog: Dialog | None = st.session_state.get("dialog")
    return dialog


def set_dialog(dialog: Dialog | None) -> None:
    """Open `dialog` in the next run, or close the one that is open."""
    st.session_state["dialog"] = dialog


def announce(message: str) -> None:
    """Show a sentence of Markdown once, in the next run."""
    st.session_state["announcement"] = message


def take_announcement() -> str | None:
    """Return the sentence to show, which is then no longer there."""
    message: str | None = st.session_state.pop("announcement", None)
    return message


@st.cache_resource(max_entries=1, show_spinner=False)
def _client(url: str, token: str | None) -> ApiClient:
    logging.getLogger(__name__).info("using the API at %s", url)
    return ApiClient(url, token)
