"""Workbooks as Excel saves them, and as nobody who means well does: read, or refused within bounds."""

import csv
import datetime
import io
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from app.ui.files import spreadsheet, workbook
from app.ui.files.spreadsheet import WORKBOOK
from app.ui.files.workbook import WorkbookError

SHEET = "xl/worksheets/sheet1.xml"
ROWS: list[list[Any]] = [
    ["Catálogo 2026"],
    [],
    ["Código", "Nome", "Preço", "Categoria", "E-mail do fornecedor", "Descrição"],
    [12, "Sofá", 1899.9, "Móveis", "a@b.example.com", "duas\nlinhas"],
    [None, "Mesa", "1.250,00", "moveis", "a@b.example.com", None],
]


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 100) for n in range(8))
    + b"]><x>&i;</x>"
)


def saved(change: Callable[[Workbook, Worksheet], object], rows: list[list[Any]] = ROWS) -> bytes:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in rows:
        sheet.append(row)
    change(book, sheet)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(workbook.as_csv(data).decode(), newline="")))


def rewritten(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one of its parts changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name == part else content)
    return file.getvalue()


def nothing(_book: Workbook, _sheet: Worksheet) -> None:
    """Change nothing."""


def test_a_sheet_becomes_rows_with_their_numbers() -> None:
    text = workbook.as_csv(saved(nothing))
    table = spreadsheet.table(
        text, WORKBOOK, ",", spreadsheet.header_line_of(spreadsheet.first_rows(text, WORKBOOK, ","))
    )
    assert (table.header_line, table.count) == (3, 2)
    assert table.header[:3] == ["Código", "Nome", "Preço"]
    assert [(row.line, *row.values) for row in table.sample] == [
        (4, "12", "Sofá", "1899.9", "Móveis", "a@b.example.com", "duas\nlinhas"),
        (5, "", "Mesa", "1.250,00", "moveis", "a@b.example.com"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (19.9, "19.9"),
        (0.1 + 0.2, "0.3"),
        (1.234, "1.2340"),
        (1234.567, "1234.567"),
        (2000.0, "2000"),
        (12, "12"),
        (True, "True"),
        (datetime.datetime(2026, 11, 1, 12, 30), "2026-11-01 12:30:00"),
        (datetime.date(2026, 11, 1), "2026-11-01"),
        ("R$\u00a01.234,50", "R$\u00a01.234,50"),
        ("'=1+1", "'=1+1"),
    ],
)
def test_a_value_is_what_people_see(value: Any, text: str) -> None:
    assert read(saved(nothing, [[value]])) == [["1", text]]


def test_numbers_of_a_workbook_have_one_reading_whatever_the_style() -> None:
    for mark in (",", "."):
        assert float(spreadsheet.number(read(saved(nothing, [[1.234]]))[0][1], mark)) == 1.234
        assert float(spreadsheet.number(read(saved(nothing, [[1234.5]]))[0][1], mark)) == 1234.5


def test_a_formula_is_the_value_that_it_had() -> None:
    data = saved(nothing, [["=6*7"]])
    calculated = rewritten(
        data,
        SHEET,
        lambda xml: xml.replace(b"<v></v>", b"<v>42</v>").replace(b"<v />", b"<v>42</v>"),
    )
    assert read(calculated) == [["1", "42"]]
    empty = rewritten(data, SHEET, lambda xml: xml.replace(b'<c r="A1"', b'<c r="A1" t="str"'))
    assert read(empty) == []  # as Excel writes ="": a result without a character


@pytest.mark.parametrize("value", [b"", b"<v></v>", b"<v />"])
@pytest.mark.parametrize(
    "formula", [b"<f>6*7</f>", b'<f t="shared" si="0"/>', b'<f t="shared" ref="A1:A9" si="0">B1</f>']
)
def test_a_formula_that_nothing_has_calculated_is_told(formula: bytes, value: bytes) -> None:
    """A program wrote it: its price would be empty, and nobody would know why."""

    def change(xml: bytes) -> bytes:
        start, end = xml.index(b"<f>"), xml.index(b"</c>")
        return xml[:start] + formula + value + xml[end:]

    data = rewritten(saved(nothing, [["Total", "=6*7"]]), SHEET, change)
    with pytest.raises(WorkbookError, match="uncalculated"):
        workbook.as_csv(data)


def test_formulas_of_a_sheet_that_is_not_read_need_no_results() -> None:
    def change(book: Workbook, _sheet: Worksheet) -> None:
        book.create_sheet("Resumo").append(["=6*7"])

    assert read(saved(change, [["Sofá"]])) == [["1", "Sofá"]]


def test_the_sheet_is_the_first_that_people_see_with_something_in_it() -> None:
    def change(book: Workbook, sheet: Worksheet) -> None:
        sheet.sheet_state = "hidden"
        book.create_sheet("empty")
        book.create_sheet("Produtos").append(["here"])

    assert read(saved(change)) == [["1", "here"]]


def test_what_a_sheet_says_of_its_size_does_not_matter() -> None:
    lying = rewritten(
        saved(nothing, [["a", "b"]]),
        SHEET,
        lambda xml: xml.replace(b'ref="A1:B1"', b'ref="A1:XFD1048576"'),
    )
    assert read(lying) == [["1", "a", "b"]]


def bomb(part: str, content: bytes, times: int) -> bytes:
    """A workbook of which one part is the same bytes over and over."""

    def grown(xml: bytes) -> bytes:
        head, tail = xml[: xml.index(b">", xml.index(b"<sheetData")) + 1], b"</sheetData></worksheet>"
        return head + content * times + tail if part.endswith("sheet1.xml") else content * times

    return rewritten(saved(nothing, [["a"]]), part, grown)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda: bomb(SHEET, b" " * 1024, 200 * 1024), "large"),
        (lambda: bomb(SHEET, b"<row/>", 1_100_000), "large"),
        (lambda: rewritten(saved(nothing), SHEET, lambda xml: xml.replace(b'r="5"', b'r="999999999"')), "large"),
        (lambda: many_parts(70_000), "large"),
        (lambda: rewritten(saved(nothing), "xl/styles.xml", lambda _: LAUGHS), "broken"),
        (lambda: saved(nothing)[:-100], "broken"),
        (lambda: b"PK\x03\x04" + b"\0" * 100, "broken"),
    ],
    ids=["spaces", "rows", "a row far down", "parts", "entities", "cut off", "no archive"],
)  # fmt: skip
def test_what_is_none_or_too_much_is_refused_in_time(data: Callable[[], bytes], reason: str) -> None:
    made = data()
    started = time.monotonic()
    with pytest.raises(WorkbookError) as raised:
        workbook.as_csv(made)
    assert str(raised.value) == reason
    assert time.monotonic() - started < workbook.SECONDS


def many_parts(count: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for n in range(count):
            archive.writestr(f"{n}", b"")
    return file.getvalue()
