"""What one visitor's session holds, whoever they are: their language and time zone, and what to tell them next."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from app.ui.texts import LANGUAGES, Texts

LANGUAGE = "lang"  # the key of the language control, and its name in the address


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


def announce(message: str) -> None:
    """Show a sentence of Markdown once, in the next run."""
    st.session_state["announcement"] = message


def take_announcement() -> str | None:
    """Return the sentence to show, which is then no longer there."""
    message: str | None = st.session_state.pop("announcement", None)
    return message
