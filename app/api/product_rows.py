"""The rows of a CSV or JSON Lines file, read as its bytes arrive; no row is larger than memory has room for."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Literal

from app.api import strict_json
from app.api.errors import FieldError, ImportRefusedError
from app.api.schemas import GENERATED, ProductBase

FIELDS = tuple(ProductBase.model_fields)
REQUIRED = tuple(name for name, field in ProductBase.model_fields.items() if field.is_required())
# Characters. The longest product has 2,500; as JSON that spells out every character in escapes, 30,000.
LONGEST_ROW = 100_000
MOST_FIELDS = 100  # of a row; a product has eight
MOST_MISTAKES = 10  # that are told of one header
LONGEST_NAME = 60  # characters of a name that is told again
NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")  # longer ones are no prices, and Decimal would take its time

Format = Literal["csv", "jsonl"]
Chunks = Iterator[bytes]
Rows = Iterator[tuple[int, Callable[[], Any]]]


class RowError(Exception):
    """A row is no row of the format; its argument is the FieldError."""


def rows(chunks: Chunks, file_format: Format) -> Rows:
    """Yield each row's line, the first of the file being 1, and what reads its fields or raises RowError.

    Raises:
        ImportRefusedError: the file is not of the format.
    """
    lines = _lines(chunks)
    return _csv_rows(lines) if file_format == "csv" else _json_rows(lines)


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
            _refuse_long_row(done + 1, length + len(part))
            yield "".join(rest) + part + "\n"
            done += 1
            rest, length = [], 0
        rest.append(last)
        length += len(last)
        _refuse_long_row(done + 1, length)
    if length:
        yield "".join(rest)


def _with_end(chunks: Chunks) -> Iterator[bytes | None]:
    yield from chunks
    yield None


def _refuse_long_row(line: int, length: int) -> None:
    if length > LONGEST_ROW:
        raise ImportRefusedError(
            f"Line {line} is longer than {LONGEST_ROW:,} characters, or has a quote that does not end: "
            "this is no file of products.",
            code="line",
        )


def _csv_rows(lines: Iterator[str]) -> Rows:
    line, length = 1, 0

    def counted() -> Iterator[str]:
        nonlocal length
        for part in lines:  # a quoted value may have many lines
            length += len(part)
            _refuse_long_row(line, length)
            yield part

    reader = csv.reader(counted(), strict=True)
    try:
        header = next(reader, None)
        if header is None:
            raise ImportRefusedError("The file is empty: its first line has to name the fields.", code="header")
        names = _known_header(header)
        line, length = reader.line_num + 1, 0
        for values in reader:
            if values:  # an empty line is none
                yield line, lambda values=values: _csv_fields(names, values)  # type: ignore[misc]
            line, length = reader.line_num + 1, 0
    except csv.Error as error:
        end = "a quoted value does not end" if "end of data" in str(error) else str(error)
        raise ImportRefusedError(f"From line {line} on this is no CSV: {end}.", code="format") from None


def _known_header(header: list[str]) -> list[str]:
    if len(header) > MOST_FIELDS:
        raise ImportRefusedError(
            f"The header (line 1) has {len(header):,} columns; {MOST_FIELDS} are the most.", code="header"
        )
    names = [name.strip() for name in header]
    mistakes = [f"{_short(name)!r} is not a field" for name in names if name not in (*FIELDS, *GENERATED)]
    mistakes += [f"{_short(name)!r} is there twice" for name, count in sorted(Counter(names).items()) if count > 1]
    mistakes += [f"{name!r} is missing" for name in REQUIRED if name not in names]
    if mistakes:
        more = ["and so on"] * (len(mistakes) > MOST_MISTAKES)
        raise ImportRefusedError(
            f"The header (line 1) is not right: {'; '.join(mistakes[:MOST_MISTAKES] + more)}. It names, with commas "
            f"between them, {', '.join(FIELDS)}.",
            code="header",
        )
    return names


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…"


def _csv_fields(names: list[str], values: list[str]) -> dict[str, Any]:
    if len(values) != len(names):
        message = f"This row has {len(values)} values, the header has {len(names)}"
        raise RowError(FieldError(location="body", field="", message=message, code="field_count"))
    fields: dict[str, Any] = dict(zip(names, values, strict=True))
    price = fields["price"].strip()
    if not NUMBER.fullmatch(price):
        message = "must be a number such as 19.90"
        raise RowError(FieldError(location="body", field="price", message=message, code="decimal_parsing"))
    fields["price"] = Decimal(price)
    return fields


def _json_rows(lines: Iterator[str]) -> Rows:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, lambda line=line: _json_fields(line)  # type: ignore[misc]


def _json_fields(line: str) -> Any:
    try:
        fields = strict_json.loads(line)
    except (ValueError, RecursionError) as error:
        message = f"This line is not valid JSON: {error}"
        raise RowError(FieldError(location="body", field="", message=message, code="json_invalid")) from None
    if isinstance(fields, dict) and len(fields) > MOST_FIELDS:
        message = f"This row has {len(fields)} fields; {MOST_FIELDS} are the most"
        raise RowError(FieldError(location="body", field="", message=message, code="field_count"))
    return fields
