"""Which language a visitor reads, before and after Streamlit knows of them."""

import json

from app.ui.texts import LANGUAGES

NAME = "lang"  # in the address, the cookie and the visitor's session
YEAR = 365 * 24 * 60 * 60  # seconds that a choice is remembered


def choose(asked: str | None, remembered: str | None, spoken: str | None) -> str:
    """Return a language of ours: that of the address, else the one chosen last, else the first one the browser names.

    `spoken` is as in the header Accept-Language; browsers write it in the order of preference.
    """
    tags = [tag.partition(";")[0].partition("-")[0].strip().lower() for tag in (spoken or "").split(",")]
    candidates = (asked, remembered, *tags, next(iter(LANGUAGES)))
    return next(code for code in candidates if code in LANGUAGES)


def script(code: str, *, is_chosen: bool) -> str:
    """Return JavaScript that tells the browser which language the page is in; it remembers one that was chosen."""
    tells = f"document.documentElement.lang={json.dumps(LANGUAGES[code].tag)}"
    cookie = f"{NAME}={code};path=/;max-age={YEAR};samesite=lax"
    return f"{tells};document.cookie={json.dumps(cookie)}" if is_chosen else tells


SCRIPTS = [script(code, is_chosen=is_chosen) for code in LANGUAGES for is_chosen in (False, True)]
