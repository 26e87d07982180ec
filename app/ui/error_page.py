"""A page outside of Streamlit that says, in every language, why there is nothing else."""

from collections.abc import Mapping
from html import escape

from starlette.responses import HTMLResponse

from app.ui.texts import LANGUAGES


def error_page(
    status: int, title: str, sentences: Mapping[str, str], *, retry_seconds: int | None = None
) -> HTMLResponse:
    """Return the answer with a section for each language of `sentences`, and a link to the first page.

    `title` names one of the texts. After `retry_seconds` the browser asks again by itself.
    """
    parts = [
        f'<section lang="{code}"><h1>{escape(getattr(LANGUAGES[code], title))}</h1><p>{escape(sentence)}</p>'
        f'<p><a href="/">{escape(LANGUAGES[code].export_back)}</a></p></section>'
        for code, sentence in sentences.items()
    ]
    first = next(iter(sentences))
    retry = "" if retry_seconds is None else f'<meta http-equiv="refresh" content="{retry_seconds}">'
    return HTMLResponse(
        f'<!DOCTYPE html><html lang="{first}"><head><meta charset="utf-8">{retry}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(getattr(LANGUAGES[first], title))}</title>"
        "<style>:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}"
        "body{max-width:40rem;margin:3rem auto;padding:0 1rem}h1{font-size:1.25rem}"
        "section+section{margin-top:2.5rem}</style></head><body><main>" + "".join(parts) + "</main></body></html>",
        status,
        {"Cache-Control": "no-store"} | ({} if retry_seconds is None else {"Retry-After": str(retry_seconds)}),
    )
