"""Many products from one file: read as it arrives, checked row by row, written all at once or not at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import Connection, Engine, insert, text

from app.api.database import transaction
from app.api.errors import FieldError, ImportRefusedError, RowFieldError, field_error
from app.api.models import Product
from app.api.product_rows import FIELDS, LONGEST_NAME, Chunks, Format, RowError, Rows, rows
from app.api.schemas import ProductCreate

LISTED = 1000  # refused rows that are told one by one; the others are counted
SECONDS = 1800  # PostgreSQL gives up on a step after this long; a slow upload is one step
BATCH = 1000  # rows per statement where there is no COPY
COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})

OnError = Literal["abort", "skip"]


class Imported(BaseModel):
    """What became of the rows of a file."""

    created: int = Field(examples=[2998])
    refused: int = Field(examples=[2])
    errors: list[RowFieldError] = Field(
        description=f"What is wrong with the refused rows; the first {LISTED:,} mistakes"
    )


@dataclass
class _Products:
    """The rows of a file that are products; the others are counted and told."""

    rows: Rows
    skip: bool
    good: int = 0
    refused: int = 0
    errors: list[RowFieldError] = field(default_factory=list)

    def __iter__(self) -> Iterator[ProductCreate]:
        for line, row in self.rows:
            try:
                product = ProductCreate.model_validate(row())
            except RowError as error:
                self._refuse(line, [error.args[0]])
            except ValidationError as error:
                self._refuse(line, _mistakes(error) if len(self.errors) < LISTED else [])
            else:
                self.good += 1
                if self.skip or not self.refused:  # else nothing will be written; the rest is only checked
                    yield product

    def _refuse(self, line: int, mistakes: list[FieldError]) -> None:
        self.refused += 1
        room = LISTED - len(self.errors)
        self.errors += [RowFieldError(line=line, **dict(mistake)) for mistake in mistakes[:room]]


def _mistakes(error: ValidationError) -> list[FieldError]:
    found = error.errors(include_url=False, include_input=False)
    return [field_error({**e, "loc": ("body", *(_printable(part) for part in e["loc"]))}) for e in found]


def _printable(part: int | str) -> str:
    """Return a field's name from a file as an answer can have it: short, and without half characters."""
    name = str(part)[:LONGEST_NAME]
    return name.encode(errors="replace").decode()


def import_products(engine: Engine, chunks: Chunks, file_format: Format, on_error: OnError) -> Imported:
    """Create the products of a file, whose bytes arrive in `chunks`, in one transaction.

    Raises:
        ImportRefusedError: the file is not of the format, or with `on_error` "abort" has a row that is no product;
            nothing was written. What `chunks` raises comes through, and nothing was written either.
    """
    products = _Products(rows(chunks, file_format), skip=on_error == "skip")
    with transaction(engine, timeout_seconds=SECONDS) as connection:
        if engine.dialect.name == "postgresql":
            _copy(connection, products)
        else:
            _insert(connection, products)
        if products.refused and on_error == "abort":
            raise refused(products.errors, products.refused, products.good + products.refused)
    return Imported(created=products.good, refused=products.refused, errors=products.errors)


def refused(mistakes: Sequence[RowFieldError], wrong: int, rows: int) -> ImportRefusedError:
    """Return the error for a file of which so many rows are wrong."""
    detail = (
        f"{wrong} of {rows} rows are no products, so none was created. "
        "Correct them, or import the others with on_error=skip."
    )
    return ImportRefusedError(detail, refused=wrong, rows=mistakes)


def _copy(connection: Connection, products: _Products) -> None:
    columns = ", ".join(FIELDS)
    # Beside the table first: its indexes are written once, at the end, and a wrong row leaves no trace in it.
    connection.execute(
        text(f"CREATE TEMPORARY TABLE imported ON COMMIT DROP AS SELECT {columns} FROM products LIMIT 0")  # noqa: S608
    )
    source = _CopySource(products)
    cursor: Any = connection.connection.cursor()
    cursor.copy_expert(f"COPY imported ({columns}) FROM STDIN", source)
    cursor.close()
    if source.error:
        raise source.error
    if products.skip or not products.refused:
        connection.execute(text(f"INSERT INTO products ({columns}) SELECT {columns} FROM imported"))  # noqa: S608


class _CopySource:
    """The file that psycopg2 reads the rows from, in COPY's text format."""

    def __init__(self, products: _Products) -> None:
        self._lines = map(_copy_line, products)
        self._rest = ""
        self.error: Exception | None = None  # psycopg2 would wrap it in one of its own

    def read(self, size: int) -> str:
        """Return up to `size` characters, and "" at the end."""
        parts, length = [self._rest], len(self._rest)
        try:
            while length < size and (line := next(self._lines, None)) is not None:
                parts.append(line)
                length += len(line)
        except Exception as error:
            self.error = error
            return ""
        together = "".join(parts)
        self._rest = together[size:]
        return together[:size]


def _copy_line(product: ProductCreate) -> str:
    values = (product.name, product.description, str(product.price), product.categoria.value, product.email_fornecedor)
    return "\t".join(r"\N" if value is None else value.translate(COPY_ESCAPES) for value in values) + "\n"


def _insert(connection: Connection, products: _Products) -> None:
    batch = []
    for product in products:
        batch.append(dict(product))
        if len(batch) == BATCH:
            connection.execute(insert(Product), batch)
            batch = []
    if batch:
        connection.execute(insert(Product), batch)
