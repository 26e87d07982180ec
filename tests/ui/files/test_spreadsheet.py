"""Spreadsheets as people save them: how they are written is found out, and what they hold reaches the API unchanged."""

import csv
import io
import re
import time
import tracemalloc
from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.product_rows import FIELDS as API_FIELDS
from app.ui.files import spreadsheet
from app.ui.files.spreadsheet import ParseOptions, UnreadableError

HEADER = "Nome;Descrição;Preço;Categoria;E-mail do fornecedor\r\n"
SOFA = "Sofá;;1.899,90;moveis;vendas@fornecedor.example.com\r\n"
COLUMNS = {field: column for column, field in enumerate(spreadsheet.FIELDS)}


def options(separator: str = ";", decimal_mark: str = ",", encoding: str = "utf-8-sig") -> ParseOptions:
    return ParseOptions(encoding, separator, decimal_mark, COLUMNS)


def sent(data: bytes, how: ParseOptions) -> list[list[str]]:
    """What the API reads of what is sent."""
    text = "".join(row.text for row in spreadsheet.sent_rows(data, how))
    return [values for values in csv.reader(io.StringIO(text, newline=""), strict=True) if values]


def read_as_found(data: bytes) -> list[list[str]]:
    encoding = spreadsheet.encoding_of(data)
    separator = spreadsheet.separator_of(data, encoding)
    table = spreadsheet.table(data, encoding, separator)
    columns = spreadsheet.columns_of(table.header)
    mark = spreadsheet.decimal_mark_of([row.values[columns["price"]] for row in table.sample], separator)
    return sent(data, ParseOptions(encoding, separator, mark, columns))


def test_the_fields_are_the_apis() -> None:
    assert spreadsheet.FIELDS == API_FIELDS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "price", ["1.899,90", "1,899.90", "1899,9", "1899.90", "R$ 1.899,90", " R$\N{NO-BREAK SPACE}1899,90 "]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_is_read_however_it_is_written(encoding: str, separator: str, price: str, end: str) -> None:
    lines = [
        ["Código", "PREÇO (R$)", "nome", "categoria", "E-mail do Fornecedor", "descricao"],
        ["7", price, "Sofá – 3 lugares", "MOVEIS", "vendas@fornecedor.example.com", "cinza; azul, verde"],
    ]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=end).writerows(lines)
    [header, row] = read_as_found(text.getvalue().encode(encoding))
    assert header == list(spreadsheet.FIELDS)
    assert row[0] == "Sofá – 3 lugares"
    assert float(row[2]) == 1899.9
    assert row[1:2] + row[3:] == ["cinza; azul, verde", "Móveis", "vendas@fornecedor.example.com"]


@pytest.mark.parametrize(
    ("text", "with_comma", "with_point"),
    [
        ("1.234", "1234", "1.234"),
        ("1,234", "1.234", "1234"),
        ("1.234.567,8", "1234567.8", "1234567.8"),
        ("1,234,567.8", "1234567.8", "1234567.8"),
        ("19,90", "19.90", "19.90"),
        ("19.90", "19.90", "19.90"),
        ("0,500", "0.500", "0.500"),
        ("0.500", "0.500", "0.500"),
        ("-5", "-5", "-5"),
        ("R$ 10", "10", "10"),
        ("", "", ""),
        ("1.23.4", "1.23.4", "1.23.4"),
        ("12,34,5", "12,34,5", "12,34,5"),
        ("a combinar", "a combinar", "a combinar"),
        ("1e5", "1e5", "1e5"),
    ],
)
def test_numbers_of_both_styles_are_understood(text: str, with_comma: str, with_point: str) -> None:
    assert spreadsheet.number(text, ",") == with_comma
    assert spreadsheet.number(text, ".") == with_point


@given(st.decimals(min_value=0, max_value=10**9, places=2), st.sampled_from([",", "."]))
def test_a_price_that_was_written_in_a_style_is_read_in_it(price: object, mark: str) -> None:
    written = f"{price:,.2f}".translate(str.maketrans(",.", ".," if mark == "," else ",."))
    assert spreadsheet.number(written, mark) == f"{price:.2f}"
    assert spreadsheet.decimal_mark_of([written], "\t") == mark


@pytest.mark.parametrize(
    ("prices", "separator", "mark"),
    [
        (["10", "1.500"], ",", None),  # one and a half, or a thousand and five hundred
        (["1,500"], ";", None),
        (["10,505", "1.500"], ";", None),
        (["1.500", "19.90"], ";", "."),
        (["1.234.567"], ",", ","),
        (["consulte.", "19,90"], ",", ","),
        (["10"], ";", ","),
        (["10"], ",", "."),
        ([], ";", ","),
    ],
)
def test_the_style_of_a_file_is_that_of_its_clearest_prices(
    prices: list[str], separator: str, mark: str | None
) -> None:
    assert spreadsheet.decimal_mark_of(prices, separator) == mark


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("eletronico", "Eletrônico"),
        (" ELETRODOMÉSTICO ", "Eletrodoméstico"),
        ("móveis", "Móveis"),
        ("calcados", "Calçados"),
        ("Sofás", "Sofás"),
        ("", ""),
    ],
)
def test_categories_are_known_without_accents_and_case(text: str, category: str) -> None:
    assert spreadsheet.category(text) == category


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        (
            ["Nome", "Preço", "Categoria", "E-mail do fornecedor"],
            {"name": 0, "price": 1, "categoria": 2, "email_fornecedor": 3},
        ),
        (
            ["NAME", "Unit price", "CATEGORY", "Supplier's e-mail"],
            {"name": 0, "price": 1, "categoria": 2, "email_fornecedor": 3},
        ),
        (["id", "name", "description", "price"], {"id": 0, "name": 1, "description": 2, "price": 3}),
        (["PRODUTO", "preco (R$)", "e-mail", "Motivo"], {"name": 0, "price": 1, "email_fornecedor": 2}),
        (["nome", "nome"], {"name": 0}),
        (["A", "B", ""], {}),
    ],
)
def test_columns_are_known_by_their_names(header: list[str], columns: dict[str, int]) -> None:
    assert spreadsheet.columns_of(header) == columns


@pytest.mark.parametrize(
    ("data", "reason", "line"),
    [
        (b"", "empty", 1),
        (b" \r\n\n", "empty", 1),
        (b"\xef\xbb\xbf", "empty", 1),
        (b"\xef\xbb\xbf;;;\n;;;\n", "empty", 1),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "workbook", 1),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "binary", 1),
        ("Nome;Preço\n".encode("utf-16"), "rows", 1),
        (b"Nome\x81;Pre\xe7o\n", "binary", 1),  # in neither encoding
        (b"Sofa;1.899,90;vendas@fornecedor.example.com\nMesa;10;x@example.com\n", "header", 1),
        (HEADER.encode(), "rows", 1),
        ((HEADER + "\r\n;;;;\r\n").encode(), "rows", 1),
        ((HEADER + SOFA + '"Sofá;;1\r\n' + SOFA * 3).encode(), "quotes", 3),
        ((HEADER + SOFA + '"Monitor 24" LED";;1;eletronico;x\r\n').encode(), "quotes", 3),
        ((HEADER + '"' + "x" * 200_000).encode(), "quotes", 2),
    ],
)
def test_what_is_no_table_of_products_is_told(data: bytes, reason: str, line: int) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_as_found(data)
    assert (caught.value.reason, caught.value.line) == (reason, line)


def test_a_line_that_an_encoding_does_not_have_is_told_however_far_down() -> None:
    data = (HEADER + SOFA * 5000).encode() + b"Sof\xe1;;1;moveis;x\n"
    with pytest.raises(UnreadableError) as caught:
        spreadsheet.table(data, "utf-8-sig", ";")
    assert (caught.value.reason, caught.value.line) == ("encoding", 5002)
    assert spreadsheet.encoding_of(data) == "cp1252"


def test_rows_are_known_by_their_lines_in_the_file() -> None:
    data = (HEADER + "\r\n" + 'Sofá;"três\r\nlugares";1;moveis;x\r\n' + ";;;;\r\n" + SOFA).encode()
    rows = list(spreadsheet.rows(data, "utf-8-sig", ";"))
    assert [(row.line, row.values[0]) for row in rows] == [(1, "Nome"), (3, "Sofá"), (6, "Sofá")]
    assert [(row.line, row.row.line) for row in spreadsheet.sent_rows(data, options())] == [(1, 1), (3, 3), (6, 6)]
    assert spreadsheet.table(data, "utf-8-sig", ";").count == 2


def test_a_row_with_a_separator_too_many_is_not_taken_for_a_good_one() -> None:
    data = (HEADER + SOFA.replace("\r\n", ";;\r\n") + SOFA.replace(";;", ";couro; cinza;")).encode()
    _, trailing_separators, split = sent(data, options())
    assert len(trailing_separators) == len(spreadsheet.FIELDS)
    assert len(split) == len(spreadsheet.FIELDS) + 1


def test_a_short_row_has_empty_values() -> None:
    assert sent((HEADER + "Sofá\r\n").encode(), options())[1] == ["Sofá", "", "", "", ""]


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
awkward = st.sampled_from(['"', '""', ",", ";", "\n", "\r\n", "\r", "=1+1", " x ", "\t", "\u2028", "é😀", "\x0b"])
lines_of_values = st.lists(st.tuples(texts | awkward, texts | awkward), max_size=6)


def unmarked(text: str) -> str:
    """Without the apostrophe that a file for Excel has in front of what Excel would calculate."""
    return text[1:] if re.match("'+[=+@\uff1d\uff0b\uff0d\uff20\t\r\n-]", text) else text


@given(lines_of_values, st.sampled_from(spreadsheet.SEPARATORS))
def test_what_is_in_a_file_reaches_the_api_unchanged(values: Sequence[tuple[str, str]], separator: str) -> None:
    lines = [[name, description, "1", "Roupas", "a@example.com"] for name, description in values]
    file = io.StringIO(newline="")
    names = ["nome", "descrição", "preço", "categoria", "e-mail"]
    csv.writer(file, delimiter=separator).writerows([names, *lines])
    data = file.getvalue().encode()
    assert sent(data, options(separator))[1:] == [[unmarked(value) for value in line] for line in lines]
    found = list(spreadsheet.sent_rows(data, options(separator)))
    text = "".join(row.text for row in found)
    starts = list(accumulate((len(row.text) for row in found), initial=0))[:-1]
    begin = [start + len(row.text) - len(row.text.lstrip("\n")) for start, row in zip(starts, found, strict=True)]
    assert [row.line for row in found] == [text.count("\n", 0, at) + 1 for at in begin]
    assert [row.line for row in found] == [row.row.line for row in found]
    assert [row.row.values[:2] for row in found[1:]] == [line[:2] for line in lines]


def test_a_large_file_is_never_expanded_in_memory() -> None:
    data = (HEADER + SOFA * 50_000).encode()
    tracemalloc.start()
    try:
        assert spreadsheet.table(data, "utf-8-sig", ";").count == 50_000
        assert sum(1 for _ in spreadsheet.sent_rows(data, options())) == 50_001
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < len(data) / 4


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b";" * 20_000_000, "empty"),
        (b"Nome" + b";" * 5000 + b"\r\n", "long"),
        (b"x" * 20_000_000, "long"),
        (HEADER.encode() + b'"' + b"x\n" * 10_000_000, "quotes"),
        (HEADER.encode() + b"\r\n" + b'"' + b"x\n" * 30_000 + b'";' * 200, "quotes"),
        (HEADER.encode() + b"(" * 20_000_000, "long"),
        (b"(" * 90_000 + b"\r\nx\r\n", None),
        ((b"(a" * 40 + b";") * 900 + b"\r\nx\r\n", None),
    ],
    ids=range(8),
)
def test_a_file_that_was_made_to_cost_takes_little(content: bytes, reason: str | None) -> None:
    content = content.replace(b"x", b"y", 1)
    tracemalloc.start()
    started = time.process_time()
    found = None
    try:
        encoding = spreadsheet.encoding_of(content)
        table = spreadsheet.table(content, encoding, spreadsheet.separator_of(content, encoding))
        spreadsheet.columns_of(table.header)
    except UnreadableError as error:
        found = error.reason
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == reason
    assert peak < 10_000_000
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("first", "separator"),
    [("sep=;", ";"), ('"sep=|"', "|"), ("sep=,", ","), ("", "|"), ("Tabela de preços;;;;", "|")],
)
def test_what_stands_above_the_names_is_no_product(first: str, separator: str) -> None:
    names = separator.join(["name", "price", "categoria", "email_fornecedor"])
    row = separator.join(["Sofá", "10", "Móveis", "a@b.example.com"])
    data = f"{first}\r\n{names}\r\n{row}\r\n".encode("utf-16")
    encoding = spreadsheet.encoding_of(data)
    assert encoding == "utf-16"
    assert spreadsheet.separator_of(data, encoding) == separator
    line = spreadsheet.header_line_of(spreadsheet.first_rows(data, encoding, separator))
    table = spreadsheet.table(data, encoding, separator, line)
    assert (line, table.header_line, table.count, table.sample[0].line) == (2, 2, 1, 3)
    options = spreadsheet.ParseOptions(encoding, separator, ",", spreadsheet.columns_of(table.header), line)
    sent = list(spreadsheet.sent_rows(data, options))
    assert [part.row.line for part in sent] == [2, 3]
    assert sent[1].line == 3
    assert '"Sofá"' in sent[1].text


def test_titles_without_known_names_below_are_left_to_the_visitor() -> None:
    data = b"Lista;\nA;B\n1;2\n"
    first = spreadsheet.first_rows(data, "utf-8-sig", ";")
    assert spreadsheet.header_line_of(first) == 1
    assert spreadsheet.table(data, "utf-8-sig", ";", 2).header == ["A", "B"]


@pytest.mark.parametrize("text", ["=1+1", "+55", "-", "@a", "\t=A1"])
def test_what_excel_would_calculate_comes_back_as_it_was(text: str) -> None:
    written = spreadsheet.written([["name", "price"], [text, "1"]], ";")
    assert f"'{text}".encode() in written
    options = spreadsheet.ParseOptions("utf-8-sig", ";", ",", {"name": 0, "price": 1})
    *_, sent = spreadsheet.sent_rows(written, options)
    assert spreadsheet.product(sent.row, options)["name"] == text
    for value, meant in (("'quoted'", "'quoted'"), ("''=1", "'=1")):
        assert spreadsheet.product(spreadsheet.Row(2, [value, "1"]), options)["name"] == meant
    assert b"''=1" not in spreadsheet.written([["'=1"]], ";")  # a refused row comes back as it was


def test_utf_16_that_is_cut_off_says_where() -> None:
    data = "name;price\nSofá;1\nMesa".encode("utf-16")[:-1]
    with pytest.raises(UnreadableError) as raised:
        spreadsheet.table(data, "utf-16", ";")
    assert (raised.value.reason, raised.value.line) == ("encoding", 3)
