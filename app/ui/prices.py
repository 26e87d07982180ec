"""A price as people type it, paste it or keep it in a file, in either style of numbers."""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal

DECIMAL_MARKS = (",", ".")
LONGEST = 60  # characters that can be a price; Decimal would take its time over many more
_CURRENCY = re.compile(r"^([+-]?) ?(R\$|BRL)|(R\$|BRL)$", re.IGNORECASE)
_NUMBERS = {  # by the mark in front of cents
    mark: re.compile(
        rf"[+-]?([1-9][0-9]{{0,2}}(?P<between>[ {other}])[0-9]{{3}}((?P=between)[0-9]{{3}})*|[0-9]+)([{mark}][0-9]+)?"
    )
    for mark, other in ((",", "."), (".", ","))
}


class UnclearPriceError(Exception):
    """A text is no price; or it could be two, which `readings` are then."""

    def __init__(self, readings: Sequence[Decimal] = ()) -> None:
        super().__init__(f"could be any of {', '.join(map(str, readings))}" if readings else "no number")
        self.readings = tuple(readings)


def read(text: str) -> Decimal | None:
    """Return the price that a text is, and None for an empty one; any number, which may be none that a price can be.

    `1.250,00`, `1,250.00`, `1250`, `R$ 19,90` and `19.90` can be read in one way. `1.250` and `10,505` cannot: with a
    mark between thousands they are whole, with a mark in front of a fraction they are small.

    Raises:
        UnclearPriceError: the text is no number, or could be two.
    """
    if not text.strip():
        return None
    found = sorted(set(readings(text).values()), reverse=True)
    if len(found) != 1:
        raise UnclearPriceError(found)
    return found[0]


def typed(text: str) -> Decimal | str | None:
    """Return the price that was typed, or the text itself when it is none; the API refuses it, and `read` says why."""
    try:
        return read(text)
    except UnclearPriceError:
        return text


def readings(text: str) -> dict[str, Decimal]:
    """Return the numbers that a text can be, by the mark in front of its fraction; none when it is no number."""
    bare = _bare(text)
    found = {}
    for mark, pattern in _NUMBERS.items():
        if pattern.fullmatch(bare):
            between = "," if mark == "." else "."
            found[mark] = Decimal(bare.replace(" ", "").replace(between, "").replace(mark, "."))
    return found


def _bare(text: str) -> str:
    """Return a number without its currency, with plain spaces and a plain minus."""
    if len(text) > LONGEST:
        return ""
    visible = "".join(character for character in text if unicodedata.category(character) != "Cf")
    plain = re.sub(r"\s+", " ", visible.replace("\N{MINUS SIGN}", "-")).strip()
    return re.sub("^([+-]) ", r"\1", _CURRENCY.sub(r"\1", plain, count=1).strip())
