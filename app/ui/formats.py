"""Prices, dates and other people's text, as they are shown."""

import re
from datetime import datetime, tzinfo
from decimal import Decimal

from app.ui.texts import Texts


def money(amount: Decimal | float, texts: Texts) -> str:
    """Write an amount of reais, for example R$ 2.899,90; the space does not break."""
    return f"R$\N{NO-BREAK SPACE}{_marked(f'{amount:,.2f}', texts)}"


def number(count: int, texts: Texts) -> str:
    """Write a whole number, for example 1.000.000."""
    return _marked(f"{count:,}", texts)


def moment(when: datetime, zone: tzinfo, texts: Texts) -> str:
    """Write a point in time as a clock in `zone` shows it."""
    return when.astimezone(zone).strftime(texts.date_format)


def plain(text: object) -> str:
    """Escape text for Streamlit's Markdown, so that a name like **R$ 5** shows as it was typed."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", re.sub(r"[ \t\r\n]+", " ", str(text)))


def _marked(number: str, texts: Texts) -> str:
    marks = {",": texts.thousands_mark, ".": texts.decimal_mark}
    return "".join(marks.get(character, character) for character in number)
