"""How an uploaded file is read, as a form: guessed, shown with its first products, and put right by the visitor."""

from collections.abc import Mapping
from decimal import Decimal

import pandas as pd
import streamlit as st
from streamlit.typing import UploadedFile

from app.ui import session
from app.ui.client.api_models import CATEGORIES
from app.ui.files import import_check, spreadsheet, workbook
from app.ui.files.import_job import ImportJob, Imports
from app.ui.files.import_result import column_name
from app.ui.files.spreadsheet import ParseOptions, Table, UnreadableError
from app.ui.files.workbook import WorkbookError
from app.ui.formats import exact_money, money, number
from app.ui.prices import DECIMAL_MARKS, readings
from app.ui.sign_in import access
from app.ui.texts import Texts

PREVIEW_ROWS = 5
ENCODING_NAMES = {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252", "utf-16": "UTF-16"}
HEADER_CHOICES = 10  # rows that may have the names of the columns
SHOWN_OF_A_ROW = 60  # characters


def show(imports: Imports, upload: UploadedFile, *, disabled: bool) -> None:
    """Show how a file will be read, or why it cannot be, and the button that imports it."""
    texts = session.texts()
    data = upload.getvalue()
    try:
        data, encoding, separator, header_line = _writing(imports, upload.file_id, data, disabled=disabled)
        table = imports.once(upload.file_id, spreadsheet.table, data, encoding, separator, header_line)
    except WorkbookError as error:
        st.error(getattr(texts, f"workbook_{error}"), title=texts.file_unreadable, icon=":material/error:")
        return
    except UnreadableError as error:
        sentence: str = getattr(texts, f"file_{error.reason}")
        st.error(sentence.format(line=error.line), title=texts.file_unreadable, icon=":material/error:")
        return
    options = _parse_options(upload.file_id, table, encoding, separator, disabled=disabled)
    missing = [getattr(texts, field) for field in spreadsheet.REQUIRED if field not in options.columns]
    wish = None
    if missing or options.decimal_mark is None:
        _preview_of_file(table)
    else:
        _preview(table, options)
        wish = import_check.show(imports, upload.file_id, data, table, options, disabled=disabled)
    skip_refused = st.radio(
        texts.on_wrong_rows,
        [True, False],
        format_func=lambda skip: texts.skip_wrong_rows if skip else texts.all_or_nothing,
        key="skip_refused",
        horizontal=True,
        disabled=disabled,
    )
    if missing:
        st.warning(texts.columns_missing.format(fields=", ".join(missing)), icon=":material/info:")
    elif options.decimal_mark is None:
        st.warning(texts.decimal_style_missing, icon=":material/info:")
    job = ImportJob(upload.file_id, data, table, options, skip_refused, file_name=upload.name)
    if wish is not None:
        job.match, job.mode, job.identity, job.confirm = wish.match, wish.mode, wish.identity, wish.confirm
    count = table.count if wish is None else wish.count
    st.button(
        texts.start_import_one if count == 1 else texts.start_import.format(count=number(count, texts)),
        key="import",
        type="primary",
        icon=":material/upload:",
        disabled=disabled or wish is None or not wish.may_be_done,
        on_click=lambda attempt: imports.begin(attempt, job, access.client()),
        args=(imports.attempts,),
    )


def template(texts: Texts) -> bytes:
    """Return a file to start from, as the programs of a language write one."""
    names = [getattr(texts, field) for field in spreadsheet.FIELDS]
    first, second = (money(Decimal(price), texts).split()[-1] for price in ("2899.90", "1249.50"))
    rows = [
        (texts.name_example, texts.description_example, first, CATEGORIES[1], texts.email_example),
        (texts.other_name_example, "", second, CATEGORIES[2], texts.email_example),
    ]
    return spreadsheet.written([names, *rows], ";" if texts.decimal_mark == "," else ",")


def _writing(imports: Imports, file_id: str, data: bytes, *, disabled: bool) -> tuple[bytes, str, str, int]:
    """Show and return how a file is written: its text, the encoding, the separator, and the line with the names."""
    is_workbook = data.startswith(workbook.BEGINNING)
    with st.grid(3, min_column_width=160):
        if is_workbook:
            data, encoding, separator = imports.once(file_id, workbook.as_csv, data), spreadsheet.WORKBOOK, ";"
        else:
            encoding, separator = _text_writing(imports, file_id, data, disabled=disabled)
        return data, encoding, separator, _header_line(imports, file_id, data, encoding, separator, disabled=disabled)


def _header_line(imports: Imports, file_id: str, data: bytes, encoding: str, separator: str, *, disabled: bool) -> int:
    first = imports.once(file_id, spreadsheet.first_rows, data, encoding, separator)[:HEADER_CHOICES]
    lines = [row.line for row in first]
    guessed = spreadsheet.header_line_of(first)
    if len(lines) < 2:
        return guessed

    def label(line: int) -> str:
        values = " · ".join(filter(None, (value.strip() for value in first[lines.index(line)].values)))
        return f"{line}: {values}"[:SHOWN_OF_A_ROW]

    return st.selectbox(
        session.texts().header_line,
        lines,
        index=lines.index(guessed),
        format_func=label,
        key=f"header {file_id} {encoding} {separator}",
        filter_mode=None,
        disabled=disabled,
    )


def _text_writing(imports: Imports, file_id: str, data: bytes, *, disabled: bool) -> tuple[str, str]:
    """Show and return the encoding and the separator of a text file."""
    texts = session.texts()
    separators = {
        ",": texts.separator_comma,
        ";": texts.separator_semicolon,
        "\t": texts.separator_tab,
        "|": texts.separator_bar,
    }
    encoding = imports.once(file_id, spreadsheet.encoding_of, data)
    encoding = st.selectbox(
        texts.encoding,
        spreadsheet.ENCODINGS,
        index=spreadsheet.ENCODINGS.index(encoding),
        format_func=ENCODING_NAMES.__getitem__,
        key=f"encoding {file_id}",
        filter_mode=None,
        disabled=disabled,
    )
    separator = imports.once(file_id, spreadsheet.separator_of, data, encoding)
    separator = st.selectbox(
        texts.separator,
        spreadsheet.SEPARATORS,
        index=spreadsheet.SEPARATORS.index(separator),
        format_func=separators.__getitem__,
        key=f"separator {file_id}",
        filter_mode=None,
        disabled=disabled,
    )
    return encoding, separator


def _parse_options(file_id: str, table: Table, encoding: str, separator: str, *, disabled: bool) -> ParseOptions:
    """Show and return from which column each field comes, and how the prices are written."""
    texts = session.texts()
    key = f"{file_id} {encoding} {separator} {table.header_line}"  # another way of reading it has other columns
    guessed = spreadsheet.columns_of(table.header)
    first = table.sample[0].values

    def label(column: int) -> str:
        example = first[column].strip() if column < len(first) else ""
        return " · ".join(filter(None, (column_name(table.header, column, texts), example)))

    columns = {}
    st.markdown(f"**{texts.columns}**")
    identity = [name for name in spreadsheet.IDENTITY if name in guessed]  # only what is there
    with st.grid(3, min_column_width=160):
        for field in (*identity[:1], *spreadsheet.FIELDS):
            column = st.selectbox(
                getattr(texts, field),
                range(len(table.header)),
                index=guessed.get(field),
                format_func=label,
                placeholder=texts.choose_column if field in spreadsheet.REQUIRED else texts.no_column,
                key=f"{field} {key}",
                disabled=disabled,
            )
            if column is not None:
                columns[field] = column
        price = columns.get("price")
        prices = [] if price is None else [row.values[price] for row in table.sample if price < len(row.values)]
        guessed_mark = spreadsheet.decimal_mark_of(prices, separator)
        decimal_mark = st.selectbox(
            texts.decimal_style,
            DECIMAL_MARKS,
            index=DECIMAL_MARKS.index(guessed_mark) if guessed_mark else None,
            format_func={",": texts.decimal_comma, ".": texts.decimal_point}.__getitem__,
            placeholder=texts.choose_decimal_style,
            key=f"decimal_mark {price} {key}",
            filter_mode=None,
            disabled=disabled,
        )
    if "version" in guessed and "id" in columns:
        columns["version"] = guessed["version"]
    return ParseOptions(encoding, separator, decimal_mark, columns, table.header_line)


def _preview(table: Table, options: ParseOptions) -> None:
    """Show the first products as they will be imported."""
    texts = session.texts()
    rows = table.sample[:PREVIEW_ROWS]
    products = [spreadsheet.product(row, options) for row in rows]
    values = {field: [_shown(field, product, texts) for product in products] for field in spreadsheet.FIELDS}
    widths = {"name": 240, "description": 240, "price": 112, "categoria": 140, "email_fornecedor": 260}
    column = st.column_config
    st.caption(texts.preview)
    st.dataframe(
        pd.DataFrame({"line": [row.line for row in rows], **values}),
        alt=texts.preview,
        hide_index=True,
        column_config={
            "line": column.NumberColumn(texts.line, width=64),
            **{field: column.TextColumn(getattr(texts, field), width=widths.get(field)) for field in values},
        },
    )


def _preview_of_file(table: Table) -> None:
    """Show the first lines of a file of which it is not clear yet what its columns are."""
    texts = session.texts()
    names = {str(column): column_name(table.header, column, texts) for column in range(len(table.header))}
    rows = [[*row.values, *[""] * len(names)][: len(names)] for row in table.sample[:PREVIEW_ROWS]]
    st.caption(texts.preview_of_file)
    st.dataframe(
        pd.DataFrame(rows, columns=list(names)),
        alt=texts.preview_of_file,
        hide_index=True,
        column_config={column: st.column_config.TextColumn(name) for column, name in names.items()},
    )


def _shown(field: str, product: Mapping[str, str], texts: Texts) -> str:
    """Return a value, a price in the visitor's way and not rounded, so that one that was not understood is seen."""
    value = product[field]
    return exact_money(Decimal(value), texts) if field == "price" and readings(value) else value
