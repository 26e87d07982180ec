"""What became of an import: how many products were created, and every row that is none, to correct and bring again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import pandas as pd
import streamlit as st

from app.ui import errors, session
from app.ui.client.api_models import FieldError, ImportStatus
from app.ui.files import spreadsheet
from app.ui.files.import_form import column_name
from app.ui.files.import_job import ImportJob, Imports
from app.ui.formats import number
from app.ui.texts import LANGUAGES, Texts


def show(imports: Imports, job: ImportJob) -> None:
    """Show what became of an import that is done."""
    texts = session.texts()
    if job.imported is not None:
        _imported(imports, job, job.imported.created, job.imported.refused)
    elif job.error is None:
        st.error(texts.unexpected, title=texts.import_unfinished, icon=":material/error:")
    elif job.refused:
        title = f"{texts.import_nothing}: {_refused(job.error.refused, texts)}"
        st.error(texts.refused_hint_nothing, title=title, icon=":material/error:")
        _refused_rows(job, job.error.refused)
    else:
        errors.show(job.error, texts.import_nothing if job.created_nothing else texts.import_unfinished)


def show_earlier(found: ImportStatus) -> None:
    """Show how far an import is, or what became of it, without the file that it was."""
    texts = session.texts()
    if not found.is_over:
        st.info(texts.import_under_way.format(count=number(found.rows, texts)), icon=":material/hourglass_top:")
    elif found.error is not None:
        title = f"{texts.import_nothing}: {_refused(found.error.refused, texts)}" if found.error.refused else None
        st.error(texts.import_again, title=title or texts.import_nothing, icon=":material/error:")
        _mistakes(found.error.errors)
    elif found.imported is not None:
        _created(found.imported.created, texts)
        if found.imported.refused:
            st.warning(_refused(found.imported.refused, texts), icon=":material/warning:")
            _mistakes(found.imported.errors)


def refused_file(job: ImportJob, texts: Texts) -> bytes:
    """Return the refused rows as they were in the visitor's file, with the reason in a last column."""
    reasons = {language.reason for language in LANGUAGES.values()}  # the last column of such a file, if it is one
    kept = [column for column, name in enumerate(job.table.header) if name not in reasons]

    def line(values: Sequence[str], reason: str) -> list[str]:
        own = [values[column] if column < len(values) else "" for column in kept]
        return [*own, reason, *values[len(job.table.header) :]]

    lines = [line(job.table.header, texts.reason)]
    for refused in job.refused:
        why = [f"{_field(error, texts)}: {_reason(error, texts)}" for error in refused.errors]
        lines.append(line(refused.row.values, " ".join(why)))
    return spreadsheet.written(lines, job.options.separator)


def _imported(imports: Imports, job: ImportJob, created: int, refused: int) -> None:
    texts = session.texts()
    _created(created, texts)
    if refused:
        st.warning(texts.refused_hint, title=_refused(refused, texts), icon=":material/warning:")
        _refused_rows(job, refused)
    with st.container(horizontal=True):
        if refused:
            st.download_button(
                texts.refused_download,
                refused_file(job, texts),
                texts.refused_file,
                "text/csv",
                key="refused",
                type="primary",
                icon=":material/download:",
                on_click="ignore",
            )
        st.button(texts.import_another, key="another", icon=":material/upload_file:", on_click=imports.forget)


def _created(count: int, texts: Texts) -> None:
    if count:
        sentence = texts.imported_one if count == 1 else texts.imported_count.format(count=number(count, texts))
        st.success(sentence, icon=":material/check_circle:")


def _refused(count: int, texts: Texts) -> str:
    return texts.refused_one if count == 1 else texts.refused_count.format(count=number(count, texts))


def _refused_rows(job: ImportJob, count: int) -> None:
    """Show the refused rows, a line for each mistake."""
    texts = session.texts()
    header = job.table.header
    told = [replace(error, line=refused.row.line) for refused in job.refused for error in refused.errors]
    rows = [refused.row for refused in job.refused for _ in refused.errors]
    columns = {  # by number: a file may have two of the same name
        str(column): [row.values[column] if column < len(row.values) else "" for row in rows]
        for column in range(len(header))
    }
    _mistakes(told, columns, {name: column_name(header, int(name), texts) for name in columns})
    if untold := count - len(job.refused):
        last = job.refused[-1].row.line
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
    return str(getattr(texts, error.field)) if error.field in spreadsheet.FIELDS else texts.whole_row


def _reason(error: FieldError, texts: Texts) -> str:
    return texts.wrong_width if error.code == "field_count" else errors.field_sentence(error, texts)
