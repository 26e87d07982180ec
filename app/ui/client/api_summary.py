"""The catalogue in numbers, as the API sums it up."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.ui.client.api_models import Product


@dataclass(frozen=True)
class Prices:
    """The prices of some products, in Brazilian reais; the quartiles are a spreadsheet's."""

    min: Decimal
    first_quartile: Decimal
    median: Decimal
    third_quartile: Decimal
    max: Decimal
    total: Decimal

    @classmethod
    def from_json(cls, body: Any) -> "Prices":
        """Return the prices of a JSON object of the API; what is none raises KeyError, TypeError or ValueError."""
        names = ("min", "first_quartile", "median", "third_quartile", "max", "total")
        return cls(**{name: Decimal(body[name]) for name in names})


@dataclass(frozen=True)
class CategorySummary:
    """How many products a category has and what they cost; no prices when it has none."""

    categoria: str
    count: int
    price: Prices | None


@dataclass(frozen=True)
class PriceRange:
    """How many products cost `low` reais or more and less than `high`."""

    low: int
    high: int
    count: int


@dataclass(frozen=True)
class Added:
    """How many products were created on one day, in the time zone that was asked for."""

    day: date
    count: int


@dataclass(frozen=True)
class Summary:
    """The whole catalogue as it was at `as_of`; no prices when there are no products.

    `added` has the newest days on which there were any, `cheapest` and `dearest` a few products each.
    """

    as_of: datetime
    count: int
    price: Prices | None
    categories: tuple[CategorySummary, ...]
    ranges: tuple[PriceRange, ...]
    added: tuple[Added, ...]
    cheapest: tuple[Product, ...]
    dearest: tuple[Product, ...]

    @classmethod
    def from_json(cls, body: Any) -> "Summary":
        """Return the summary of a JSON object of the API; what is none raises KeyError, TypeError or ValueError."""
        count = int(body["count"])
        return cls(
            as_of=datetime.fromisoformat(body["as_of"]),
            count=count,
            price=Prices.from_json(body["price"]) if count else None,
            categories=tuple(
                CategorySummary(
                    str(group["categoria"]),
                    int(group["count"]),
                    Prices.from_json(group["price"]) if group["count"] else None,
                )
                for group in body["categories"]
            ),
            ranges=tuple(
                PriceRange(int(bin_["from"]), int(bin_["to"]), int(bin_["count"])) for bin_ in body["histogram"]
            ),
            added=tuple(Added(date.fromisoformat(day["date"]), int(day["count"])) for day in body["added"]),
            cheapest=tuple(map(Product.from_json, body["cheapest"])),
            dearest=tuple(map(Product.from_json, body["dearest"])),
        )
