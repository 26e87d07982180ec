"""Prices, numbers, dates and other people's text, as they are shown."""

import re
import unicodedata
from datetime import datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal

from app.ui.texts import Texts

_REAIS = "R$\N{NO-BREAK SPACE}"
_MILLION = 10**6
CENT = Decimal("0.01")
START = 100  # characters
WORD_JOINER = "\N{WORD JOINER}"
FIRST_STRONG_ISOLATE = "\N{FIRST STRONG ISOLATE}"
POP_DIRECTIONAL_ISOLATE = "\N{POP DIRECTIONAL ISOLATE}"
_ISOLATES = re.compile("[\u2066-\u2069]")  # which would end the one around the text
# Of Unicode's bidirectional classes those that leave the direction of a line as it is; "" has no class.
_LEFT_TO_RIGHT = {"L", "EN", "ES", "ET", "CS", "NSM", "BN", "B", "S", "WS", "ON", ""}
_ADDRESS = re.compile(r"(?=://|@)|(?<=www)(?=\.)", re.IGNORECASE)  # where one is broken


def money(amount: Decimal | float, texts: Texts) -> str:
    """Write an amount of reais, for example R$ 2.899,90; the space does not break."""
    return _REAIS + _marked(f"{amount:,.2f}", texts)


def exact_money(price: Decimal, texts: Texts) -> str:
    """Write an amount of reais with all its decimals, two at least, for example R$ 10,505."""
    return _REAIS + amount(price, texts)


def amount(price: Decimal, texts: Texts) -> str:
    """Write a price as somebody would type it, for example 2.899,90; not rounded, should it have more decimals."""
    return _marked(f"{price:,.{max(2, -int(price.normalize().as_tuple().exponent))}f}", texts)


def bare_amount(price: Decimal, texts: Texts) -> str:
    """Write a price in cents without marks between thousands, for example 2899,90: nobody reads it otherwise."""
    return str(price.quantize(CENT, ROUND_HALF_UP)).replace(".", texts.decimal_mark)


def short_money(amount: Decimal | float, texts: Texts) -> str:
    """Write an amount of reais, from a million on in three digits, for example R$ 3,68 mi."""
    return money(amount, texts) if amount < _MILLION else _REAIS + short_number(amount, texts)


def number(count: int, texts: Texts) -> str:
    """Write a whole number, for example 1.000.000."""
    return _marked(f"{count:,}", texts)


def short_number(value: Decimal | float, texts: Texts) -> str:
    """Write a number without its decimals, from a million on in three digits, for example 3,68 mi."""
    for size, unit in ((10**12, texts.trillion), (10**9, texts.billion), (_MILLION, texts.million)):
        if value >= size:
            scaled = float(value) / size
            digits = f"{scaled:,.{2 if scaled < 10 else 1 if scaled < 100 else 0}f}"
            short = digits.rstrip("0").rstrip(".") if "." in digits else digits
            return unit.format(number=_marked(short, texts)).replace(" ", "\N{NO-BREAK SPACE}")
    return _marked(f"{value:,.0f}", texts)


def moment(when: datetime, zone: tzinfo, texts: Texts) -> str:
    """Write a point in time as a clock in `zone` shows it."""
    return when.astimezone(zone).strftime(texts.date_format)


def plain(text: object) -> str:
    """Escape text for Streamlit's Markdown, so that a name like **R$ 5** shows as it was typed.

    Addresses become links even where all of them is escaped; an invisible character inside keeps them from it.
    """
    return plain_label(_isolated(_ADDRESS.sub(WORD_JOINER, str(text))))


def plain_start(text: str) -> str:
    """Escape text, and leave out the end of a long one: for a message that is not to cover the page."""
    return plain(text if len(text) <= START else text[: START - 1].rstrip() + "…")


def plain_label(text: object) -> str:
    """Escape text for the label of a button, where nothing becomes a link and a screen reader hears each character."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", re.sub(r"[ \t\r\n]+", " ", str(text)))


def _isolated(text: str) -> str:
    """Keep text that is written from right to left, or turns the direction, from turning what is around it."""
    turns = any(unicodedata.bidirectional(character) not in _LEFT_TO_RIGHT for character in text)
    return f"{FIRST_STRONG_ISOLATE}{_ISOLATES.sub('', text)}{POP_DIRECTIONAL_ISOLATE}" if turns else text


def _marked(number: str, texts: Texts) -> str:
    marks = {",": texts.thousands_mark, ".": texts.decimal_mark}
    return "".join(marks.get(character, character) for character in number)
