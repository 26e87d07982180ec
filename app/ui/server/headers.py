"""What every answer of the UI tells the browser to refuse, whoever answers: a page, a file, or an error."""

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import streamlit

from app.ui import language, screen

YEAR = 365 * 24 * 60 * 60  # seconds
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def security_headers(*, secure: bool) -> list[tuple[str, str]]:
    """Return the headers; `secure` says that people reach the UI by https."""
    headers = [
        ("Content-Security-Policy", content_security_policy()),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("Referrer-Policy", "same-origin"),  # not stricter: the sign-in leads back to the page that it says
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
    ]
    return [*headers, ("Strict-Transport-Security", f"max-age={YEAR}")] if secure else headers


def content_security_policy() -> str:
    """Return the policy under which Streamlit's pages run: nothing comes from elsewhere, and nothing is evaluated.

    Streamlit draws Vega's charts with an interpreter, so they need no `unsafe-eval`. Its styles are put into the page
    as it is built, which only `unsafe-inline` allows. The scripts inside its page, its own and ours about
    language and screen, are allowed by their hashes.
    """
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *_inline_scripts())),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self'",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _inline_scripts() -> Iterator[str]:
    page = (Path(streamlit.__file__).parent / "static/index.html").read_text(encoding="utf-8")
    for script in (*_INLINE_SCRIPT.findall(page), *language.SCRIPTS, screen.SCRIPT):
        yield f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
