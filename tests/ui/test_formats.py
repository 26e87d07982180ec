"""Prices, numbers, dates and foreign text as they are shown."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from app.ui.formats import (
    FIRST_STRONG_ISOLATE,
    POP_DIRECTIONAL_ISOLATE,
    WORD_JOINER,
    moment,
    money,
    number,
    plain,
    short_money,
    short_number,
)
from app.ui.texts import ENGLISH, PORTUGUESE


@pytest.mark.parametrize(
    ("amount", "portuguese", "english"),
    [
        ("0.01", "R$ 0,01", "R$ 0.01"),
        ("2899.9", "R$ 2.899,90", "R$ 2,899.90"),
        ("9999999999.99", "R$ 9.999.999.999,99", "R$ 9,999,999,999.99"),
    ],
)
def test_prices_have_the_marks_of_the_language(amount: str, portuguese: str, english: str) -> None:
    assert money(Decimal(amount), PORTUGUESE).replace("\N{NO-BREAK SPACE}", " ") == portuguese
    assert money(Decimal(amount), ENGLISH).replace("\N{NO-BREAK SPACE}", " ") == english


@pytest.mark.parametrize(
    ("amount", "portuguese", "english"),
    [
        ("999999.99", "R$ 999.999,99", "R$ 999,999.99"),
        ("1000000", "R$ 1 mi", "R$ 1 M"),
        ("3678119.17", "R$ 3,68 mi", "R$ 3.68 M"),
        ("12345678", "R$ 12,3 mi", "R$ 12.3 M"),
        ("200000000", "R$ 200 mi", "R$ 200 M"),
        ("9999999999.99", "R$ 10 bi", "R$ 10 B"),
        ("4500000000000", "R$ 4,5 tri", "R$ 4.5 T"),
        ("1234500000000000", "R$ 1.234 tri", "R$ 1,234 T"),
    ],
)
def test_large_amounts_are_short(amount: str, portuguese: str, english: str) -> None:
    assert short_money(Decimal(amount), PORTUGUESE).replace("\N{NO-BREAK SPACE}", " ") == portuguese
    assert short_money(Decimal(amount), ENGLISH).replace("\N{NO-BREAK SPACE}", " ") == english


def test_whole_numbers_have_the_marks_of_the_language() -> None:
    assert number(1234567, PORTUGUESE) == "1.234.567"
    assert short_number(500_000, ENGLISH) == "500,000"


def test_dates_are_those_of_the_readers_zone() -> None:
    when = datetime(2026, 11, 24, 2, 5, tzinfo=UTC)
    assert moment(when, ZoneInfo("America/Sao_Paulo"), PORTUGUESE) == "23/11/2026 23:05"
    assert moment(when, UTC, ENGLISH) == "2026-11-24 02:05"


def test_text_is_not_read_as_markdown() -> None:
    assert plain("**R$ 5** :red[x]\n# y") == r"\*\*R\$ 5\*\* \:red\[x\] \# y"


@pytest.mark.parametrize(
    "text", ["https://evil.example", "HTTP://evil.example", "www.evil.example", "ana@evil.example"]
)
def test_no_address_is_left_whole_for_a_link(text: str) -> None:
    assert re.search(r"https?://|www\.|\w@", plain(text).replace("\\", ""), re.IGNORECASE) is None
    assert plain(text).replace("\\", "").replace(WORD_JOINER, "") == text


@pytest.mark.parametrize(
    "text", ["\N{RIGHT-TO-LEFT OVERRIDE}live", "\N{POP DIRECTIONAL ISOLATE}\u202elive", "שלום", "a\u2067"]
)
def test_text_that_turns_the_direction_turns_nothing_around_it(text: str) -> None:
    shown = f"{plain(text)} has been deleted."
    isolates = [character for character in shown if "\u2066" <= character <= "\u2069"]
    assert isolates == [FIRST_STRONG_ISOLATE, POP_DIRECTIONAL_ISOLATE]
    assert shown.startswith(FIRST_STRONG_ISOLATE)
    assert shown.endswith(f"{POP_DIRECTIONAL_ISOLATE} has been deleted.")


@pytest.mark.parametrize("text", ["R$ 5", "Fogão 4 bocas – 110 V", "a\u200bb", "😀", "10 × 20 cm"])
def test_text_from_left_to_right_has_nothing_around_it(text: str) -> None:
    assert plain(text).replace("\\", "") == text
