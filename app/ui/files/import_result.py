"""What became of an import: how many products were created, and every row that is none, to correct and bring again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import pandas as pd
import streamlit as st

from app.ui import errors, session
from app.ui.client.api_models import FieldError, Imported, ImportStatus
from app.ui.files import spreadsheet
from app.ui.files.import_job import ImportJob, Imports, RefusedRow
from app.ui.files.spreadsheet import ParseOptions, Table
from app.ui.formats import number
from app.ui.texts import LANGUAGES, Texts


def show(imports: Imports, job: ImportJob) -> None:
    """Show what became of an import that is done."""
    texts = session.texts()
    if job.imported is not None:
        _imported(imports, job, job.imported)
    elif job.error is None:
        st.error(texts.unexpected, title=texts.import_unfinished, icon=":material/error:")
    elif job.refused:
        title = f"{texts.import_nothing}: {_refused(job.error.refused, texts)}"
        st.error(texts.refused_hint_nothing, title=title, icon=":material/error:")
        show_refused(job.table, job.refused, job.error.refused)
    elif job.error.has("cancelled"):
        st.info(texts.import_cancelled, icon=":material/block:")
    elif job.error.has("confirmation"):
        st.error(texts.import_changed, title=texts.import_nothing, icon=":material/group:")
    else:
        errors.show(job.error, texts.import_nothing if job.created_nothing else texts.import_unfinished)


def show_earlier(found: ImportStatus) -> None:
    """Show how far an import is, or what became of it, without the file that it was."""
    texts = session.texts()
    if not found.is_over:
        st.info(texts.import_under_way.format(count=number(found.rows, texts)), icon=":material/hourglass_top:")
    elif found.error is not None and found.error.has("cancelled"):
        st.info(texts.import_cancelled, icon=":material/block:")
    elif found.error is not None:
        title = f"{texts.import_nothing}: {_refused(found.error.refused, texts)}" if found.error.refused else None
        st.error(texts.import_again, title=title or texts.import_nothing, icon=":material/error:")
        _mistakes(found.error.errors)
    elif found.imported is not None:
        _done(found.imported, texts)
        if found.imported.refused:
            st.warning(_refused(found.imported.refused, texts), icon=":material/warning:")
            _mistakes(found.imported.errors)


def column_name(header: Sequence[str], column: int, texts: Texts) -> str:
    """Return what to call a column, also one without a name."""
    return header[column].strip() or texts.unnamed_column.format(number=column + 1)


def refused_file(table: Table, options: ParseOptions, refused: Sequence[RefusedRow], texts: Texts) -> bytes:
    """Return the refused rows as they were in the visitor's file, with the reason in a last column."""
    reasons = {language.reason for language in LANGUAGES.values()}  # the last column of such a file, if it is one
    kept = [column for column, name in enumerate(table.header) if name not in reasons]

    def line(values: Sequence[str], reason: str) -> list[str]:
        own = [values[column] if column < len(values) else "" for column in kept]
        return [*own, reason, *values[len(table.header) :]]

    lines = [line(table.header, texts.reason)]
    for one in refused:
        why = [f"{_field(error, texts)}: {_reason(error, texts)}" for error in one.errors]
        lines.append(line(one.row.values, " ".join(why)))
    return spreadsheet.written(lines, options.separator)


def refused_button(table: Table, options: ParseOptions, refused: Sequence[RefusedRow], *, key: str) -> None:
    """Show the button that gives the refused rows back, to be corrected."""
    texts = session.texts()
    st.download_button(
        texts.refused_download,
        lambda: refused_file(table, options, refused, texts),
        texts.refused_file,
        "text/csv",
        key=key,
        icon=":material/download:",
        on_click="ignore",
    )


def _imported(imports: Imports, job: ImportJob, imported: Imported) -> None:
    texts, refused = session.texts(), imported.refused
    _done(imported, texts)
    if refused:
        st.warning(texts.refused_hint, title=_refused(refused, texts), icon=":material/warning:")
        show_refused(job.table, job.refused, refused)
    with st.container(horizontal=True):
        if refused:
            refused_button(job.table, job.options, job.refused, key="refused")
        st.button(texts.import_another, key="another", icon=":material/upload_file:", on_click=imports.forget)


def _done(imported: Imported, texts: Texts) -> None:
    """Say what an import did, if it did anything."""
    said = []
    if imported.created:
        created = number(imported.created, texts)
        said.append(texts.imported_one if imported.created == 1 else texts.imported_count.format(count=created))
    if imported.updated:
        updated = number(imported.updated, texts)
        said.append(texts.updated_one if imported.updated == 1 else texts.updated_count.format(count=updated))
    if imported.unchanged:
        said.append(texts.unchanged_count.format(count=number(imported.unchanged, texts)))
    if said:
        st.success(" ".join(said), icon=":material/check_circle:")


def _refused(count: int, texts: Texts) -> str:
    return texts.refused_one if count == 1 else texts.refused_count.format(count=number(count, texts))


def show_refused(table: Table, refused: Sequence[RefusedRow], count: int) -> None:
    """Show the refused rows, a line for each mistake; there may be more than those, `count` in all."""
    texts = session.texts()
    header = table.header
    told = [replace(error, line=one.row.line) for one in refused for error in one.errors]
    rows = [one.row for one in refused for _ in one.errors]
    columns = {  # by number: a file may have two of the same name
        str(column): [row.values[column] if column < len(row.values) else "" for row in rows]
        for column in range(len(header))
    }
    _mistakes(told, columns, {name: column_name(header, int(name), texts) for name in columns})
    if refused and (untold := count - len(refused)):
        last = refused[-1].row.line
        st.caption(texts.refused_more.format(line=number(last, texts), count=number(untold, texts)))


def _mistakes(
    told: Sequence[FieldError],
    columns: Mapping[str, Sequence[str]] = MappingProxyType({}),
    names: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Show what is wrong with which line of a file, a row for each mistake, beside the file's own columns if given."""
    texts = session.texts()
    config = st.column_config
    if told:
        st.dataframe(
            pd.DataFrame(
                {
                    "line": [error.line for error in told],
                    "field": [_field(error, texts) for error in told],
                    "reason": [_reason(error, texts) for error in told],
                    **columns,
                }
            ),
            alt=texts.refused_rows,
            hide_index=True,
            column_config={
                "line": config.NumberColumn(texts.line, width=64),
                "field": config.TextColumn(texts.field),
                "reason": config.TextColumn(texts.reason),
                **{key: config.TextColumn(name) for key, name in names.items()},
            },
        )


def _field(error: FieldError, texts: Texts) -> str:
    known = (*spreadsheet.FIELDS, *spreadsheet.IDENTITY)
    return str(getattr(texts, error.field)) if error.field in known else texts.whole_row


def _reason(error: FieldError, texts: Texts) -> str:
    return texts.wrong_width if error.code == "field_count" else errors.field_sentence(error, texts)
