"""What one visitor's session holds, whoever they are: their language and time zone, and what to tell them next."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from app.ui import language, screen
from app.ui.texts import LANGUAGES, Texts

STREAMLITS_LANGUAGE = "en"
# "Press Enter to apply" in a field, and "Stop" beside the sign that the page is running.
ENGLISH_HINTS = "[data-testid=InputInstructions], [data-testid=stStatusWidget]"
DIALOG = "dialog"  # the key of the one that is open


def texts() -> Texts:
    """Return the words of the visitor's language."""
    return LANGUAGES[st.session_state.get(language.NAME) or language.choose(None, None, st.context.locale)]


def follow_language() -> None:
    """Have the visitor's language be the one that the address asks for, when it is another one than before."""
    asked = st.query_params.get(language.NAME)
    if language.NAME not in st.session_state or (asked in LANGUAGES and asked != st.session_state.get("asked")):
        remembered = st.context.cookies.get(language.NAME)
        st.session_state[language.NAME] = language.choose(asked, remembered, st.context.locale)
        st.session_state["has_chosen"] = asked in LANGUAGES
    st.session_state["asked"] = asked


def language_was_chosen(key: str) -> None:
    """Have the visitor's language be the one that was chosen, and the address say so, should it say one."""
    st.session_state[language.NAME] = st.session_state[key]
    st.session_state["has_chosen"] = True
    if language.NAME in st.query_params:
        st.query_params[language.NAME] = st.session_state["asked"] = st.session_state[language.NAME]


def tell_language() -> None:
    """Tell the browser which language the page is in."""
    script = language.script(st.session_state[language.NAME], is_chosen=st.session_state.get("has_chosen", False))
    st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)
    if texts().tag != STREAMLITS_LANGUAGE:
        st.html(f"<style>{ENGLISH_HINTS} {{ display: none; }}</style>")


def zone() -> ZoneInfo:
    """Return the time zone of the visitor's browser; UTC when it does not say."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def is_narrow() -> bool:
    """Say whether the visitor's screen is a phone's."""
    return st.context.cookies.get(screen.NAME) == "1"


def dialog_is_open() -> bool:
    """Say whether somebody may be typing into a dialog; the page keeps still, or the field would be emptied."""
    return st.session_state.get(DIALOG) is not None


def is_another_page(path: str) -> bool:
    """Say whether the page that is run is another one than the last time this was asked."""
    before = st.session_state.get("page", path)
    st.session_state["page"] = path
    if before != path:
        st.session_state["has_arrived"] = True
    return bool(before != path)


def has_arrived() -> bool:
    """Say, once, whether the visitor has been on another page of the same session since this was asked last."""
    return bool(st.session_state.pop("has_arrived", False))


def announce(message: str) -> None:
    """Show a sentence of Markdown once, in the next run."""
    st.session_state["announcement"] = message


def take_announcement() -> str | None:
    """Return the sentence to show, which is then no longer there."""
    message: str | None = st.session_state.pop("announcement", None)
    return message
