"""What the list of products shows, as its address says it: filters, order, size and place.

The address is the only state: a link shows what its sender saw, and the browser's back button takes a step back.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

import streamlit as st

from app.ui.client.api_models import CATEGORIES, ProductFilter

# By which the API sorts.
COLUMNS = ("id", "name", "description", "price", "categoria", "email_fornecedor", "created_at", "updated_at")
SIZES = (25, 50, 100, 200)
LONGEST = {"q": 200, "email_fornecedor": 254}  # characters
HIGHEST_PRICE = Decimal("9999999999.99")
CENT = Decimal("0.01")
END = "end"  # as `before`: the last page


@dataclass(frozen=True)
class ListView:
    """Filters, order, size of a page, and the cursor it lies behind (`after`) or in front of (`before`); or END.

    `created_from` and `created_to` are days, both included, by the reader's clock.
    """

    q: str = ""
    categoria: tuple[str, ...] = ()
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    email_fornecedor: str = ""
    created_from: date | None = None
    created_to: date | None = None
    sort: str = "-id"  # the newest first
    limit: int = 50
    after: str = ""
    before: str = ""
    start: int = 1  # which of all is the page's first, as far as who turned the pages knows; 0 is not known

    @classmethod
    def from_query_params(cls) -> "ListView":
        """Return what the address asks for; a value that cannot be is as if it were not there."""
        asked = {name: read(st.query_params.get_all(name)) for name, read in _PARSERS.items()}
        return cls(**{name: value for name, value in asked.items() if value is not None})

    @classmethod
    def used_parameters(cls) -> dict[str, list[str]]:
        """Return the values of the address that `from_query_params` goes by, and those that say nothing."""
        used = {}
        for name, read in _PARSERS.items():
            asked = st.query_params.get_all(name)
            values = asked if name == "categoria" else asked[-1:]
            used[name] = [value for value in values if not value.strip() or read([value]) is not None]
        if not any(value.strip() for value in (*used["after"], *used["before"])):
            used["start"] = []  # it says how many are in front of a place
        return used

    def go(self, **changes: Any) -> None:
        """Go to this view with `changes`, on page one unless they say where: one step in the browser's history."""
        first_page: dict[str, Any] = {"after": "", "before": "", "start": 1}
        st.query_params.update(replace(self, **first_page | changes).parameters())

    def parameters(self) -> dict[str, list[str]]:
        """Return the parameters of the address; what is as usual has no value there."""
        return {f.name: [] if (value := getattr(self, f.name)) == f.default else _texts(value) for f in fields(self)}

    def filter(self, zone: tzinfo) -> ProductFilter:
        """Return the products it shows, as the API takes them; days are those of a clock in `zone`."""
        return ProductFilter(
            self.q,
            self.categoria,
            self.price_min,
            self.price_max,
            self.email_fornecedor,
            _midnight(self.created_from, zone),
            _midnight(self.created_to and self.created_to + timedelta(days=1), zone),
        )

    @property
    def is_filtered(self) -> bool:
        """Whether it leaves anything out."""
        return not self.shows_the_same_products_as(ListView())

    def shows_the_same_products_as(self, other: "ListView") -> bool:
        """Say whether both have the same filters."""
        place: dict[str, Any] = {"after": other.after, "before": other.before, "start": other.start}
        return replace(self, sort=other.sort, limit=other.limit, **place) == other


def in_cents(price: Decimal) -> Decimal | None:
    """Return a price with two decimals; None when it is none that a filter can have."""
    if not price.is_finite() or not 0 <= price <= HIGHEST_PRICE:
        return None
    written = abs(price.quantize(CENT))  # there is a zero below zero
    return written if written == price else None


def _midnight(day: date | None, zone: tzinfo) -> datetime | None:
    # In UTC, since a zone's offset of long ago has seconds, which no time on the wire may have.
    return None if day is None else datetime.combine(day, time(), zone).astimezone(UTC)


def _texts(value: Any) -> list[str]:
    return [str(part) for part in (value if isinstance(value, tuple) else [value])]


def _text(values: Sequence[str]) -> str | None:
    return (values[-1].strip() or None) if values else None


def _short(name: str) -> Callable[[Sequence[str]], str | None]:
    def read(values: Sequence[str]) -> str | None:
        text = _text(values)
        return text if text is not None and len(text) <= LONGEST[name] else None

    return read


def _price(values: Sequence[str]) -> Decimal | None:
    try:
        price = Decimal(values[-1]) if values else None
    except InvalidOperation:
        return None
    return None if price is None else in_cents(price)


def _day(values: Sequence[str]) -> date | None:
    try:
        day = date.fromisoformat(values[-1]) if values else None
    except ValueError:
        return None
    return day if day is not None and 1900 <= day.year < 9999 else None


def _sort(values: Sequence[str]) -> str | None:
    return values[-1] if values and values[-1].removeprefix("-") in COLUMNS else None


def _size(values: Sequence[str]) -> int | None:
    return int(values[-1]) if values and values[-1] in map(str, SIZES) else None


def _start(values: Sequence[str]) -> int | None:
    return int(values[-1]) if values and re.fullmatch(r"\d{1,10}", values[-1], re.ASCII) else None


def _categories(values: Sequence[str]) -> tuple[str, ...] | None:
    return tuple(category for category in CATEGORIES if category in values) or None


_PARSERS: Mapping[str, Callable[[Sequence[str]], Any]] = {
    "q": _short("q"),
    "categoria": _categories,
    "price_min": _price,
    "price_max": _price,
    "email_fornecedor": _short("email_fornecedor"),
    "created_from": _day,
    "created_to": _day,
    "sort": _sort,
    "limit": _size,
    "after": _text,
    "before": _text,
    "start": _start,
}
