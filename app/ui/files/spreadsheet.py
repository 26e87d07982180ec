"""A person's spreadsheet as the rows that the API takes: a workbook, or saved as CSV or text.

Excel in Brazil writes semicolons, decimal commas and sometimes Windows-1252 or UTF-16; other programs write otherwise.
How a file is written is guessed here, and what is guessed can be replaced. Of a file's rows only one at a time is in
memory.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import dropwhile, islice
from typing import Literal

from app.ui import prices
from app.ui.client.api_models import CATEGORIES
from app.ui.prices import DECIMAL_MARKS

FIELDS = ("name", "description", "price", "categoria", "email_fornecedor")
IDENTITY = ("id", "version")  # what exports have besides, by which a row finds its product again
OPTIONAL = ("description",)
REQUIRED = tuple(field for field in FIELDS if field not in OPTIONAL)
# The first also without its mark, the second as Excel calls "ANSI", the third as its "Unicode text".
ENCODINGS = ("utf-8-sig", "cp1252", "utf-16")
SEPARATORS = (",", ";", "\t", "|")
WORKBOOK = "xlsx"  # in an encoding's place: CSV as workbook.py writes it

LONGEST_ROW = 100_000  # characters; the API takes no more either
MOST_COLUMNS = 1000
PIECE = 2**16  # bytes that are decoded at a time
SAMPLE_ROWS = 200  # are looked at to guess, and the first of them shown
SAMPLE_BYTES = 2**16
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"  # how .xls begins, and .xlsx with a password
HEADER_ROWS = 20  # among the first of which the names of the columns are
SAID_SEPARATOR = re.compile(r'"?sep=(.)"?\s*')  # a first line that Excel takes for an instruction
FORMULA = re.compile(r"[=+\-@＝＋－＠\t\r\n]")  # how a text begins that Excel would calculate
MARKED_TEXT = re.compile(rf"''*{FORMULA.pattern}")  # as exports for Excel have it (app/api/exports.py)
VALUES = re.compile(rb"[^\s,;|\0\xef\xbb\xbf\xfe\xff]")  # all but separators, line ends and marks of encodings
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # which text does without
# Columns of these names, whatever their case, accents and punctuation, are the field's.
HEADINGS: Mapping[str, Sequence[str]] = {
    "id": ("id", "código", "code", "código do produto", "product code", "product id"),
    "version": ("version", "versão"),
    "name": ("name", "nome", "produto", "product", "nome do produto", "product name", "título", "title", "item"),
    "description": ("description", "descrição", "descrição do produto", "product description", "detalhes", "details"),
    "price": ("price", "preço", "valor", "preço em reais", "preço unitário", "valor unitário", "unit price"),
    "categoria": ("categoria", "category", "categoria do produto", "product category"),
    "email_fornecedor": (
        "email_fornecedor",
        "e-mail do fornecedor",
        "e-mail fornecedor",
        "e-mail",
        "fornecedor e-mail",
        "supplier's e-mail",
        "supplier e-mail",
        "e-mail of the supplier",
        "vendor e-mail",
    ),
}
Reason = Literal["empty", "workbook", "binary", "encoding", "header", "quotes", "rows", "long"]


class UnreadableError(Exception):
    """A file is no table of products: `reason` says why, and `line` from where on if not from the start."""

    def __init__(self, reason: Reason, line: int = 1) -> None:
        super().__init__(f"{reason}, line {line}")
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class Row:
    """The values of a row, and the line of the file at which it starts; a quoted value may go on over several."""

    line: int
    values: Sequence[str]


@dataclass(frozen=True)
class Table:
    """What a whole file was found to hold: names of columns, how many rows below them, and the first of those."""

    header: Sequence[str]
    header_line: int
    count: int
    sample: Sequence[Row]


@dataclass(frozen=True)
class ParseOptions:
    """How a file is read: `columns` says, by field, in which column its values are."""

    encoding: str
    separator: str
    decimal_mark: str | None  # None: the visitor has not said yet
    columns: Mapping[str, int]
    header_line: int = 1  # what is above it is no product


@dataclass(frozen=True, slots=True)
class SentRow:
    """A row as the API gets it: the CSV text, and the line at which it starts there."""

    line: int
    text: str
    row: Row


def encoding_of(data: bytes) -> str:
    """Return the encoding of a file; raise UnreadableError when it is no text."""
    if not VALUES.search(data):
        raise UnreadableError("empty")
    if data.startswith(OLD_WORKBOOK):
        raise UnreadableError("workbook")
    if data.startswith(UTF_16):
        return "utf-16"
    if CONTROLS.search(data, 0, SAMPLE_BYTES):
        raise UnreadableError("binary")
    fitting = [encoding for encoding in ENCODINGS[:2] if _first_wrong_line(data, encoding) is None]
    if not fitting:
        raise UnreadableError("binary")
    return fitting[0]


def separator_of(data: bytes, encoding: str) -> str:
    """Return what stands between the values: what a first line `sep=;` says it is.

    Else what makes most of some first line's names known ones, or most columns.
    """
    start = data[:SAMPLE_BYTES].decode(encoding, errors="replace")
    said = SAID_SEPARATOR.fullmatch(start.partition("\n")[0])
    if said and said[1] in SEPARATORS:
        return said[1]

    def found(separator: str) -> tuple[int, int]:
        lines = csv.reader(io.StringIO(start, newline=""), delimiter=separator)
        first = list(islice(filter(_holds_anything, lines), HEADER_ROWS))
        return max(((len(columns_of(line)), len(line)) for line in first), default=(0, 0))

    return max(SEPARATORS, key=found)


def first_rows(data: bytes, encoding: str, separator: str) -> Sequence[Row]:
    """Return the rows of which one has the names of the columns; there may be titles above it."""
    return list(islice(rows(data, encoding, separator), HEADER_ROWS))


def header_line_of(first: Sequence[Row]) -> int:
    """Return the line of the row with most of the names that are known, or the first one's."""
    known = [len(columns_of(row.values)) for row in first]
    best = max(known, default=0)
    return first[known.index(best) if best > 1 else 0].line if first else 1


def table(data: bytes, encoding: str, separator: str, header_line: int = 1) -> Table:
    """Read a file to its end and return what it holds; raise UnreadableError when there is nothing to import in it."""
    found = _from_header(data, encoding, separator, header_line)
    header = next(found, None)
    if header is None:
        raise UnreadableError("empty")
    if not columns_of(header.values) and any("@" in value or prices.readings(value) for value in header.values):
        raise UnreadableError("header", header.line)
    sample = tuple(islice(found, SAMPLE_ROWS))
    if not sample:
        raise UnreadableError("rows")
    return Table(header.values, header.line, len(sample) + sum(1 for _ in found), sample)


def columns_of(header: Sequence[str]) -> dict[str, int]:
    """Return, by field, the first column whose name says that it holds the field's values."""
    names = [_squashed(name) for name in header]
    found = {}
    for field, headings in HEADINGS.items():
        known = {_squashed(heading) for heading in headings}
        column = next((column for column, name in enumerate(names) if name in known), None)
        if column is not None:
            found[field] = column
    return found


def decimal_mark_of(written_prices: Iterable[str], separator: str) -> str | None:
    """Return the mark in front of cents, as most of the prices that can be read in one way only have it.

    Where there are none, and some can be read in two, such as 10,505, nobody but who wrote them knows: None.
    """
    found = [prices.readings(price) for price in written_prices]
    votes = Counter(next(iter(readings)) for readings in found if len(readings) == 1)
    if not votes and any(len(set(readings.values())) > 1 for readings in found):
        return None
    usual = "," if separator == ";" else "."
    return max(DECIMAL_MARKS, key=lambda mark: (votes[mark], mark == usual))


def rows(data: bytes, encoding: str, separator: str) -> Iterator[Row]:
    """Yield the rows that hold anything, that of the names first.

    Raises:
        UnreadableError: where quotes or bytes are wrong.
    """
    if encoding == WORKBOOK:
        found = csv.reader(io.TextIOWrapper(io.BytesIO(data), "utf-8", newline=""))
        yield from (Row(int(number), values) for number, *values in found)
        return
    file = io.TextIOWrapper(io.BytesIO(data), encoding, newline="")
    line, length, is_quoted = 1, 0, False

    def lines() -> Iterator[str]:
        nonlocal length, is_quoted
        while text := file.readline(LONGEST_ROW + 1):  # a quoted value may have many
            length += len(text)
            is_quoted = is_quoted or '"' in text
            if length > LONGEST_ROW:
                raise UnreadableError("quotes" if is_quoted else "long", line)
            yield text

    reader = csv.reader(lines(), delimiter=separator, strict=True)
    try:
        for values in reader:
            if len(values) > MOST_COLUMNS:
                raise UnreadableError("long", line)
            if _holds_anything(values) and not (line == 1 and SAID_SEPARATOR.fullmatch(separator.join(values))):
                yield Row(line, values)
            line, length, is_quoted = reader.line_num + 1, 0, False
    except csv.Error:
        raise UnreadableError("quotes", line) from None
    except UnicodeDecodeError:
        raise UnreadableError("encoding", _first_wrong_line(data, encoding) or line) from None


def product(row: Row, options: ParseOptions) -> dict[str, str]:
    """Return a row's values by field, written as the API wants them where that is clear; the API judges the rest."""

    values = {field: _unmarked(_value(row, options, field)) for field in FIELDS}
    values["price"] = number(values["price"], options.decimal_mark)
    values["categoria"] = category(values["categoria"])
    return values


def pieces(rows: Iterable[SentRow]) -> Iterator[bytes]:
    """Yield rows in pieces that are worth sending."""
    parts: list[str] = []
    length = 0
    for sent in rows:
        parts.append(sent.text)
        length += len(sent.text)
        if length >= PIECE:
            yield "".join(parts).encode()
            parts, length = [], 0
    yield "".join(parts).encode()


def sent_rows(data: bytes, options: ParseOptions, identity: Sequence[str] = ()) -> Iterator[SentRow]:
    """Yield a file's rows as CSV that the API takes, the names first, each at the line that it has in the file.

    `identity` are those of IDENTITY that are sent as well.

    A row that has more values than there are names is sent with one too many, so that it is refused: where it has a
    separator that was not meant as one, its values are not below their names.
    """
    found = _from_header(data, options.encoding, options.separator, options.header_line)
    header = next(found, Row(1, ()))
    yield SentRow(1, ",".join((*FIELDS, *identity)) + "\n", header)
    line = 2
    for row in found:
        values = [*product(row, options).values(), *(_value(row, options, name).strip() for name in identity)]
        if _holds_anything(row.values[len(header.values) :]):
            values.append("")
        text = ",".join('"' + value.replace('"', '""') + '"' for value in values) + "\n"
        left_out = max(row.line - line, 0)  # lines that hold nothing, or whose values have no field
        line += left_out
        yield SentRow(line, "\n" * left_out + text, row)
        line += text.count("\n")


def number(text: str, decimal_mark: str | None) -> str:
    """Return a number as a program writes it; `decimal_mark` decides where both readings are possible, as of 1.234.

    What is no number in either reading comes back as it is.
    """
    readings = prices.readings(text)
    for mark in sorted(readings, key=lambda mark: mark != decimal_mark):
        return f"{readings[mark]:f}"
    return text


@lru_cache(maxsize=1000)
def category(text: str) -> str:
    """Return the category that is meant, whatever case and accents it is written with; another text as it is."""
    return _CATEGORIES.get(_squashed(text), text)


def written(lines: Iterable[Sequence[str]], separator: str) -> bytes:
    """Return a file that Excel opens as a table."""
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator).writerows([_marked(value) for value in line] for line in lines)
    return file.getvalue().encode("utf-8-sig")


def _value(row: Row, options: ParseOptions, field: str) -> str:
    column = options.columns.get(field, -1)
    return row.values[column] if 0 <= column < len(row.values) else ""


def _from_header(data: bytes, encoding: str, separator: str, header_line: int) -> Iterator[Row]:
    return dropwhile(lambda row: row.line < header_line, rows(data, encoding, separator))


def _marked(text: str) -> str:
    """Return a text that Excel takes for one; what is marked already stays as it is."""
    return f"'{text}" if FORMULA.match(text) else text


def _unmarked(text: str) -> str:
    return text[1:] if MARKED_TEXT.match(text) else text


def _squashed(text: str) -> str:
    """Return the letters and digits of a text without case and accents, and without what is in brackets."""
    decomposed = unicodedata.normalize("NFKD", re.sub(r"\([^()]*\)", "", text)).casefold()
    return "".join(character for character in decomposed if character.isalnum())


def _holds_anything(values: Iterable[str]) -> bool:
    return any(value and not value.isspace() for value in values)


def _first_wrong_line(data: bytes, encoding: str) -> int | None:
    """Return the first line with a byte that the encoding does not have."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    try:
        for start in range(0, len(data) + 1, PIECE):
            piece = data[start : start + PIECE]
            lines += decoder.decode(piece, final=start + PIECE > len(data)).count("\n")
    except UnicodeDecodeError as error:
        return lines + error.object[: error.start].decode(encoding, errors="ignore").count("\n")
    return None


_CATEGORIES = {_squashed(name): name for name in CATEGORIES}
