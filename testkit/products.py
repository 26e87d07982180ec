"""The products that are measured with: the example ones, as many as wanted, dated over a year."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.example_products import demo_products

FIELDS = ["name", "description", "price", "categoria", "email_fornecedor"]
DATED_FIELDS = [*FIELDS, "created_at", "updated_at"]
FIRST_DAY = datetime(2025, 11, 1, tzinfo=UTC)
DAYS = 365
RARE = 50  # of any number, so many products carry RARE_WORD: a page, however large the table
RARE_WORD = "colecionador"


def write_csv(path: Path, rows: int) -> None:
    """Write `rows` products as a file for the import and for `\\copy`."""
    _write(path, FIELDS, demo_products(rows))


def write_dated_csv(path: Path, rows: int) -> None:
    """Write `rows` products with their dates, the first of them the oldest, as a file to load a table with."""
    _write(path, DATED_FIELDS, _dated(rows))


def _dated(rows: int) -> Iterator[dict[str, Any]]:
    for n, product in enumerate(demo_products(rows)):
        created = FIRST_DAY + timedelta(days=DAYS * n / rows)
        if n % (rows // RARE) == 0:
            product["description"] = f"Peça de {RARE_WORD}."
        yield product | {"created_at": created, "updated_at": created}


def _write(path: Path, fields: list[str], products: Iterator[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fields)
        writer.writeheader()
        writer.writerows(products)
