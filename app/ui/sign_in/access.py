"""Who is signed in and until when, and the client of the API for those who may use it."""

import logging
import math
import time

import streamlit as st

from app.ui.client.api_client import ApiClient
from app.ui.settings import api_url, service_token, sign_in_required


def user_name() -> str | None:
    """Return what to call who is signed in; None when nobody is, or no longer.

    Streamlit keeps somebody signed in for 30 days. The identity provider's word counts for less: until the ID token
    that came with the sign-in expires.
    """
    if not sign_in_required():
        return None  # Streamlit would look for its file of secrets first, each time
    user = st.user.to_dict()
    if not user.get("is_logged_in") or has_expired():
        return None
    return str(user.get("name") or user.get("email") or user.get("sub"))


def subject() -> str | None:
    """Return by which name the identity provider knows who is signed in; None where nobody is."""
    return None if user_name() is None else str(st.user.to_dict().get("sub"))


def has_expired() -> bool:
    """Say whether somebody signed in longer ago than it counts for."""
    user = st.user.to_dict()
    end = user.get("exp")
    return bool(user.get("is_logged_in")) and not (isinstance(end, int | float) and time.time() < end)


def may_enter() -> bool:
    """Say whether this visitor may see and do anything: somebody who is signed in, or anybody if nobody has to be."""
    return not sign_in_required() or user_name() is not None


def sign_in_ends() -> float:
    """Return the Unix time until which the visitor may do anything; infinity where nobody has to sign in."""
    if not sign_in_required():
        return math.inf
    end = st.user.to_dict().get("exp")
    return float(end) if user_name() is not None and isinstance(end, int | float) else 0.0


def client() -> ApiClient:
    """Return the client of the API: its connections are shared by everybody, its requests are the visitor's own.

    So the API knows who changes what. Who signed in before the UI asked for tokens is the UI until they expire.
    """
    if not may_enter():
        st.rerun()  # in an open dialog, which runs without the page that asks to sign in
    shared = _client(api_url(), service_token())
    tokens = st.user.tokens.to_dict() if sign_in_required() else {}
    return shared.as_person(tokens["access"], tokens.get("id")) if tokens.get("access") else shared


@st.cache_resource(max_entries=1, show_spinner=False)
def _client(url: str, token: str | None) -> ApiClient:
    logging.getLogger(__name__).info("using the API at %s", url)
    return ApiClient(url, token)
