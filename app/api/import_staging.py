"""The rows of a file on their way to the products: read, checked, and put into a temporary table beside them.

A wrong row leaves no trace in the products so, and their locks are not held while a file arrives.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from pydantic import ValidationError
from sqlalchemy import Connection, Integer, column, insert, table

from app.api import database_faults
from app.api.errors import FieldError, RowFieldError, field_error
from app.api.models import MAX_ID, Product
from app.api.product_rows import FIELDS, LONGEST_NAME, RowError, Rows
from app.api.schemas import ProductCreate
from app.api.temporary_tables import make_table

LISTED = 1000  # refused rows that are told one by one; the others are counted
BATCH = 1000  # rows per statement where there is no COPY
COPY_NULL = r"\N"
COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
IDENTITY = ("id", "version")  # by which a row may say which product it is, and as it was read when
STAGED = table(
    "imported",
    column("line", Integer),
    column("product_id", Integer),
    column("product_version", Integer),
    *(column(name, getattr(Product, name).type) for name in FIELDS),
)

Identity = tuple[list[FieldError], tuple[int | None, int | None]]  # what is wrong with it, and what it is
NOT_IDENTIFIED: Identity = ([], (None, None))
Row = tuple[int, int | None, int | None, ProductCreate]  # line, id, version, what the product is to be


@dataclass
class CheckedRows:
    """The rows of a file that are products; the others are counted and told.

    `identified` rows may have an id and a version; else whatever stands there is ignored. Without `all_of_them` there
    are no more after the first wrong one: nothing will be written then, and the rest is only checked.
    """

    rows: Rows
    all_of_them: bool
    identified: bool = False
    good: int = 0
    refused: int = 0
    errors: list[RowFieldError] = field(default_factory=list)

    def __iter__(self) -> Iterator[Row]:
        for line, row in self.rows:
            try:
                fields = row()
                mistakes, identity = self._identity(fields) if self.identified else NOT_IDENTIFIED
                product = ProductCreate.model_validate(fields)
            except RowError as error:
                self.refuse(line, [error.args[0]])
            except ValidationError as error:
                self.refuse(line, [*mistakes, *_mistakes(error)] if len(self.errors) < LISTED else [])
            else:
                if mistakes:
                    self.refuse(line, mistakes)
                    continue
                self.good += 1
                if self.all_of_them or not self.refused:
                    yield line, *identity, product

    def refuse(self, line: int, mistakes: list[FieldError]) -> None:
        """Count a row, and tell what is wrong with it while there is room."""
        self.refused += 1
        room = LISTED - len(self.errors)
        self.errors += [RowFieldError(line=line, **dict(mistake)) for mistake in mistakes[:room]]

    def _identity(self, fields: Any) -> Identity:
        mistakes: list[FieldError] = []
        found: list[int | None] = []
        for name in IDENTITY:
            value = fields.get(name) if isinstance(fields, dict) else None
            text = "" if value is None else str(value).strip()
            known = re.fullmatch("[0-9]{1,10}", text) and 0 < int(text) <= MAX_ID
            found.append(int(text) if known else None)
            if text and not known:
                message = "must be a whole number from 1, as it was exported, or empty"
                mistakes.append(FieldError(location="body", field=name, message=message, code="int_parsing"))
        return mistakes, (found[0], found[1])


def _mistakes(error: ValidationError) -> list[FieldError]:
    found = error.errors(include_url=False, include_input=False)
    return [field_error({**e, "loc": ("body", *(_printable(part) for part in e["loc"]))}) for e in found]


def _printable(part: int | str) -> str:
    """Return a field's name from a file as an answer can have it: short, and without half characters."""
    name = str(part)[:LONGEST_NAME]
    return name.encode(errors="replace").decode()


def stage(connection: Connection, rows: CheckedRows) -> None:
    """Put the rows into the temporary table `imported`."""
    columns = ", ".join(FIELDS)
    identity = "version AS line, id AS product_id, version AS product_version"
    make_table(connection, STAGED.name, f"{identity}, {columns}", "products")
    if connection.dialect.name == "postgresql":
        _copy(connection, rows)
    else:
        _insert(connection, rows)


def _copy(connection: Connection, rows: CheckedRows) -> None:
    source = _CopySource(rows)
    cursor: Any = connection.connection.cursor()
    try:
        cursor.copy_expert(f"COPY {STAGED.name} FROM STDIN", source)
    except psycopg2.Error as error:
        if source.error:  # PostgreSQL complains of the line in which the file ended
            raise source.error from None
        connection.invalidate(error)  # SQLAlchemy has not seen it, and would go on with the connection
        raise database_faults.problem_of(error) or error from error
    cursor.close()
    if source.error:
        raise source.error


class _CopySource:
    """The file that psycopg2 reads the rows from, in COPY's text format."""

    def __init__(self, rows: CheckedRows) -> None:
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


def _copy_line(row: Row) -> str:
    line, product_id, version, product = row
    values = vars(product).values()  # in the order of FIELDS
    identity = f"{line}\t{product_id or COPY_NULL}\t{version or COPY_NULL}\t"
    return (
        identity
        + "\t".join(COPY_NULL if value is None else str(value).translate(COPY_ESCAPES) for value in values)
        + "\n"
    )


def _insert(connection: Connection, rows: CheckedRows) -> None:
    batch: list[dict[str, Any]] = []
    for line, product_id, version, product in rows:
        batch.append({"line": line, "product_id": product_id, "product_version": version, **dict(product)})
        if len(batch) == BATCH:
            connection.execute(insert(STAGED), batch)
            batch = []
    if batch:
        connection.execute(insert(STAGED), batch)
