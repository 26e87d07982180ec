"""Many products as one file, row after row from a server-side cursor: memory stays flat however many they are."""

import json
import re
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any, Literal

import psycopg2
from psycopg2.extensions import BYTES, register_type
from pydantic import Field
from sqlalchemy import CursorResult, Engine, literal_column, select, text

from app.api.database import transaction
from app.api.listing import ProductFilter, Sort, order_by
from app.api.models import Product
from app.api.schemas import COLUMN_NAMES
from app.api.transfers import StatementCanceller

Format = Literal["csv", "excel", "jsonl"]
CHUNK = 1000  # rows per round trip, and per piece of the answer (`make bench PART=transfer`)
CHUNK_BYTES = 2**19  # or fewer rows, where they are long: libpq, Python and the answer each hold them
SECONDS = 300  # PostgreSQL gives up on a step after this long: finding the first rows of an unusual order
STALLED_SECONDS = 90  # PostgreSQL ends a transaction that nobody has gone on with; `transfers` gives up before
COLUMNS = (*COLUMN_NAMES, "version")
HEADERS = {"csv": ",".join(COLUMNS) + "\r\n", "excel": "\ufeff" + ";".join(COLUMNS) + "\r\n", "jsonl": ""}
# What a spreadsheet would calculate is text to it behind an apostrophe; what has some in front already gets one more,
# so that one can be taken away by whoever reads the file.
FORMULA = r"^'*[=+\-@＝＋－＠\t\r\n]"


def _for_excel(column: str) -> str:
    pattern = FORMULA.replace("'", "''")
    marked = f"CASE WHEN {column} ~ '{pattern}' THEN '''' || {column} ELSE {column} END"
    return f"""replace({marked}, '"', '""')"""


# A row's line as PostgreSQL writes it: several times as fast as Python, and twice as fast as with to_char and to_json.
# The last replace makes the moments RFC 3339; a category has nothing to escape.
LINES = {
    "csv": """
        id || ',"' || replace(name, '"', '""') || '",' || coalesce('"' || replace(description, '"', '""') || '"', '') ||
        ',' || price || ',"' || categoria || '","' || replace(email_fornecedor, '"', '""') || '",' ||
        replace(timezone('utc', created_at) || 'Z,' || timezone('utc', updated_at) || 'Z,', ' ', 'T') ||
        version || '\r\n'""",
    "excel": f"""
        id || ';"' || {_for_excel("name")} || '";' || coalesce('"' || {_for_excel("description")} || '"', '') ||
        ';' || replace(price::text, '.', ',') || ';"' || categoria || '";"' || {_for_excel("email_fornecedor")} ||
        '";' || date_trunc('second', timezone('utc', created_at)) || ';' ||
        date_trunc('second', timezone('utc', updated_at)) || ';' || version || '\r\n'""",
    "jsonl": """
        '{"id":' || id || ',"name":' || json_scalar(name) || ',"description":' ||
        coalesce(json_scalar(description)::text, 'null') || ',"price":' || price || ',"categoria":"' || categoria ||
        '","email_fornecedor":' || json_scalar(email_fornecedor) || ',"created_at":"' || replace(
        timezone('utc', created_at) || 'Z","updated_at":"' || timezone('utc', updated_at), ' ', 'T') ||
        'Z","version":' || version || '}\n'""",
}


class ExportQuery(ProductFilter):
    """Which products, in which order and format."""

    format: Format = Field(
        "csv",
        description="csv and jsonl are exact: they come back as they were. excel is CSV as a Brazilian Excel opens it "
        "by a double click: semicolons, decimal commas, the mark of UTF-8, and an apostrophe in front of what it "
        "would take for a formula",
        examples=["csv"],
    )
    sort: Sort = Field("id", description="The column to sort by, `-` in front for descending", examples=["-price"])


def export(engine: Engine, query: ExportQuery, canceller: StatementCanceller | None = None) -> Generator[bytes]:
    """Yield the file piece by piece; what it holds is what there was when the first piece was read.

    What keeps it from being written is raised before the first piece, when it still is an answer of its own.
    """
    postgresql = engine.dialect.name == "postgresql"
    canceller = canceller or StatementCanceller()
    with transaction(engine, timeout_seconds=SECONDS) as connection, canceller.watch(connection):
        if postgresql:
            connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{STALLED_SECONDS}s'"))
        fields = [getattr(Product, name) for name in COLUMNS]
        columns = [literal_column(LINES[query.format])] if postgresql else fields
        found = select(*columns).select_from(Product).where(*query.conditions(connection))
        ordered = found.order_by(*order_by(query.sort, connection))
        rows = connection.execution_options(yield_per=CHUNK).execute(ordered)
        yield HEADERS[query.format].encode()
        if postgresql:
            yield from _lines(rows)
        else:
            for part in rows.partitions():
                yield "".join(_python_line(query.format, row) for row in part).encode()


def _lines(rows: CursorResult[Any]) -> Generator[bytes]:
    """Yield the lines as psycopg2 has them: SQLAlchemy's rows and Python's text would double the time."""
    if first := rows.fetchone():  # SQLAlchemy has read this one
        cursor: Any = rows.cursor
        register_type(BYTES, cursor)
        try:
            lines = [(first[0].encode(),)]
            while lines:
                piece = b"".join([line for (line,) in lines])
                yield piece
                lines = cursor.fetchmany(max(1, min(CHUNK, CHUNK_BYTES * len(lines) // len(piece))))
        except psycopg2.OperationalError as error:
            rows.connection.invalidate(error)  # SQLAlchemy has not seen it, and would go on with the connection
            raise


def _python_line(file_format: Format, row: Any) -> str:
    """Return the same line, for a database without such functions."""
    fields = [_field(file_format, value) for value in row]
    if file_format == "jsonl":
        return "{" + ",".join(f'"{name}":{field}' for name, field in zip(COLUMNS, fields, strict=True)) + "}\n"
    return (";" if file_format == "excel" else ",").join(fields) + "\r\n"


def _field(file_format: Format, value: Any) -> str:
    is_json, for_excel = file_format == "jsonl", file_format == "excel"
    if isinstance(value, datetime):
        if for_excel:
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        moment = f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}".rstrip("0").rstrip(".") + "Z"
        return f'"{moment}"' if is_json else moment
    if value is None:
        return "null" if is_json else ""
    if isinstance(value, str):
        if is_json:
            return json.dumps(value, ensure_ascii=False)
        marked = f"'{value}" if for_excel and re.match(FORMULA, value) else value
        return '"' + marked.replace('"', '""') + '"'
    return str(value).replace(".", ",") if for_excel else str(value)
