"""Many products from one file: read as it arrives, checked row by row, written all at once or not at all."""

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import Connection, Engine, insert, text

from app.api.database import transaction
from app.api.errors import FieldError, ImportRefusedError, RowFieldError, field_error
from app.api.models import Product
from app.api.schemas import GENERATED, ProductBase, ProductCreate

FIELDS = tuple(ProductBase.model_fields)
LISTED = 1000  # refused rows that are told one by one; the others are counted
LONGEST_LINE = 1_000_000  # characters; the longest product has a few thousand
SECONDS = 1800  # PostgreSQL gives up on a step after this long; a slow upload is one step
BATCH = 1000  # rows per statement where there is no COPY
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})

Format = Literal["csv", "jsonl"]
OnError = Literal["abort", "skip"]
Chunks = Iterator[bytes]


class Imported(BaseModel):
    """What became of the rows of a file."""

    created: int = Field(examples=[2998])
    refused: int = Field(examples=[2])
    errors: list[RowFieldError] = Field(
        description=f"What is wrong with the refused rows; the first {LISTED:,} mistakes"
    )


@dataclass
class _Rows:
    """The rows of a file that are products; the others are counted and told."""

    rows: Iterator[tuple[int, Any]]
    skip: bool
    good: int = 0
    refused: int = 0
    errors: list[RowFieldError] = field(default_factory=list)

    def __iter__(self) -> Iterator[ProductCreate]:
        for line, row in self.rows:
            try:
                product = ProductCreate.model_validate(row() if callable(row) else row)
            except _RowError as error:
                self._refuse(line, [error.args[0]])
            except ValidationError as error:
                mistakes = [field_error({**e, "loc": ("body", *e["loc"])}) for e in error.errors()]
                self._refuse(line, mistakes)
            else:
                self.good += 1
                if self.skip or not self.refused:  # else nothing will be written; the rest is only checked
                    yield product

    def _refuse(self, line: int, mistakes: list[FieldError]) -> None:
        self.refused += 1
        room = LISTED - len(self.errors)
        self.errors += [RowFieldError(line=line, **dict(mistake)) for mistake in mistakes[:room]]


class _RowError(Exception):
    """A row is no row of the format; its argument is the FieldError."""


def import_products(engine: Engine, chunks: Chunks, file_format: Format, on_error: OnError) -> Imported:
    """Create the products of a file, whose bytes arrive in `chunks`, in one transaction.

    Raises:
        ImportRefusedError: the file is not of the format, or with `on_error` "abort" has a row that is no product;
            nothing was written. What `chunks` raises comes through, and nothing was written either.
    """
    lines = _lines(chunks)
    rows = _Rows(_csv_rows(lines) if file_format == "csv" else _json_rows(lines), skip=on_error == "skip")
    with transaction(engine, timeout_seconds=SECONDS) as connection:
        if engine.dialect.name == "postgresql":
            _copy(connection, rows)
        else:
            _insert(connection, rows)
        if rows.refused and on_error == "abort":
            raise refused(rows.errors, rows.refused, rows.good + rows.refused)
    return Imported(created=rows.good, refused=rows.refused, errors=rows.errors)


def refused(mistakes: Sequence[RowFieldError], wrong: int, rows: int) -> ImportRefusedError:
    """Return the error for a file of which so many rows are wrong."""
    detail = (
        f"{wrong} of {rows} rows are no products, so none was created. "
        "Correct them, or import the others with on_error=skip."
    )
    return ImportRefusedError(detail, refused=wrong, rows=mistakes)


def _copy(connection: Connection, rows: _Rows) -> None:
    columns = ", ".join(FIELDS)
    # Beside the table first: its indexes are written once, at the end, and a wrong row leaves no trace in it.
    connection.execute(
        text(f"CREATE TEMPORARY TABLE imported ON COMMIT DROP AS SELECT {columns} FROM products LIMIT 0")  # noqa: S608
    )
    source = _CopySource(rows)
    cursor: Any = connection.connection.cursor()
    cursor.copy_expert(f"COPY imported ({columns}) FROM STDIN", source)
    cursor.close()
    if source.error:
        raise source.error
    if rows.skip or not rows.refused:
        connection.execute(text(f"INSERT INTO products ({columns}) SELECT {columns} FROM imported"))  # noqa: S608


class _CopySource:
    """The file that psycopg2 reads the rows from, in COPY's text format."""

    def __init__(self, rows: _Rows) -> None:
        self._lines = map(_copy_line, rows)
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


def _insert(connection: Connection, rows: _Rows) -> None:
    batch = []
    for product in rows:
        batch.append(dict(product))
        if len(batch) == BATCH:
            connection.execute(insert(Product), batch)
            batch = []
    if batch:
        connection.execute(insert(Product), batch)


def _lines(chunks: Chunks) -> Iterator[str]:
    """Decode the file and cut it into lines, each with its end; only LF ends one."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rest: list[str] = []
    length = done = 0
    for chunk in _with_end(chunks):
        try:
            decoded = decoder.decode(chunk or b"", final=chunk is None)
        except UnicodeDecodeError as error:
            line = done + sum(part.count("\n") for part in rest) + error.object[: error.start].count(b"\n") + 1
            raise ImportRefusedError(
                f"Line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8. Save the file as UTF-8.",
                code="encoding",
            ) from None
        *whole, last = decoded.split("\n")
        for part in whole:
            yield "".join(rest) + part + "\n"
            done += 1
            rest, length = [], 0
        rest.append(last)
        length += len(last)
        if length > LONGEST_LINE:
            raise ImportRefusedError(
                f"Line {done + 1} is longer than {LONGEST_LINE:,} characters: this is no file of products.", code="line"
            )
    if length:
        yield "".join(rest)


def _with_end(chunks: Chunks) -> Iterator[bytes | None]:
    yield from chunks
    yield None


def _csv_rows(lines: Iterator[str]) -> Iterator[tuple[int, Callable[[], Any]]]:
    reader = csv.reader(lines, strict=True)
    line = 1
    try:
        header = next(reader, None)
        if header is None:
            raise ImportRefusedError("The file is empty: its first line has to name the fields.", code="header")
        names = _known_header(header)
        line = reader.line_num + 1
        for values in reader:
            if values:  # an empty line is none
                yield line, lambda values=values: _csv_fields(names, values)  # type: ignore[misc]
            line = reader.line_num + 1
    except csv.Error as error:
        end = "a quoted value does not end" if "end of data" in str(error) else str(error)
        raise ImportRefusedError(f"From line {line} on this is no CSV: {end}.", code="format") from None


def _known_header(header: list[str]) -> list[str]:
    names = [name.strip() for name in header]
    mistakes = [f"{name!r} is not a field" for name in names if name not in (*FIELDS, *GENERATED)]
    mistakes += [f"{name!r} is there twice" for name in sorted({n for n in names if names.count(n) > 1})]
    mistakes += [f"{name!r} is missing" for name in FIELDS if name not in names and name != "description"]
    if mistakes:
        raise ImportRefusedError(
            f"The header (line 1) is not right: {'; '.join(mistakes)}. It names, with commas between them, "
            f"{', '.join(FIELDS)}.",
            code="header",
        )
    return names


def _csv_fields(names: list[str], values: list[str]) -> dict[str, Any]:
    if len(values) != len(names):
        message = f"This row has {len(values)} values, the header has {len(names)}"
        raise _RowError(FieldError(location="body", field="", message=message, code="field_count"))
    fields: dict[str, Any] = dict(zip(names, values, strict=True))
    price = fields["price"].strip()
    if not NUMBER.fullmatch(price):
        message = "must be a number such as 19.90"
        raise _RowError(FieldError(location="body", field="price", message=message, code="decimal_parsing"))
    fields["price"] = Decimal(price)
    return fields


def _json_rows(lines: Iterator[str]) -> Iterator[tuple[int, Callable[[], Any]]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, lambda line=line: _json_fields(line)  # type: ignore[misc]


def _json_fields(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        message = f"This line is not valid JSON: {error}"
        raise _RowError(FieldError(location="body", field="", message=message, code="json_invalid")) from None
