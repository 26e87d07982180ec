"""What an import would do, said by the API before anything is written, and what the visitor wants of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from app.ui import errors, session
from app.ui.client.api_models import ApiError, ImportPreview, Match, Mode
from app.ui.files import import_result, spreadsheet
from app.ui.files.import_job import Imports, refused_rows
from app.ui.files.spreadsheet import ParseOptions, Table
from app.ui.formats import money, number
from app.ui.sign_in import access
from app.ui.texts import Texts

AT_ONCE_ROWS = 5000  # of larger files the visitor says when to look through them
MODES: Sequence[Mode] = ("upsert", "create", "update")


@dataclass(frozen=True)
class Wish:
    """What is wanted of a file: by what its rows find products, and which of those are written.

    `confirm` is what the API answered when it was asked what that would do; `count` how many products it is about.
    """

    match: Match | None
    mode: Mode
    identity: Sequence[str]
    confirm: str | None
    count: int

    @property
    def may_be_done(self) -> bool:
        """Whether somebody has seen what it does; what creates only does nobody any harm."""
        return self.count > 0 and (self.confirm is not None or self.match is None)


def show(imports: Imports, file_id: str, data: bytes, table: Table, options: ParseOptions, *, disabled: bool) -> Wish:
    """Show by what rows find products, what the import would do then, and what there is to choose about it."""
    texts = session.texts()
    match = _match(file_id, options, texts, disabled=disabled)
    overwrite = bool(match) and bool(st.session_state.get(f"overwrite {file_id}"))
    has = [name for name in spreadsheet.IDENTITY if name in options.columns]
    identity = tuple(name for name in has if match == "id" or (match and name == "version"))
    if overwrite:
        identity = tuple(name for name in identity if name != "version")
    asked = (file_id, repr(options), match, identity)
    found = None if disabled else _look(imports, asked, data, table, options, texts)
    if not isinstance(found, ImportPreview):
        return Wish(match, "upsert", identity, None, 0 if found is None and not disabled else table.count)
    st.markdown(f"**{_summary(found, texts)}**")
    if match is None and found.same:
        st.warning(texts.check_there_already.format(count=number(found.same, texts)), icon=":material/warning:")
    if found.repeated:
        lines = ", ".join(number(line, texts) for line in found.repeated_lines[:10])
        sentence = texts.check_repeated_left_out if match else texts.check_repeated
        st.info(sentence.format(count=number(found.repeated, texts), lines=lines), icon=":material/content_copy:")
    _changes(found, texts)
    if refused := imports.checked[2]:
        st.caption(texts.refused_rows)
        import_result.show_refused(table, refused, found.refused)
        import_result.refused_button(table, options, refused, key="refused_beforehand")
    if match and (overwrite or any(error.code == "stale_version" for error in found.errors)):
        st.checkbox(texts.overwrite_stale, key=f"overwrite {file_id}")
    mode: Mode = "upsert"
    if found.new and found.changed:
        mode = st.radio(
            texts.import_mode,
            MODES,
            format_func={
                "upsert": texts.mode_upsert,
                "create": texts.mode_create.format(count=number(found.new, texts)),
                "update": texts.mode_update.format(count=number(found.changed, texts)),
            }.__getitem__,
            key=f"mode {file_id}",
            horizontal=True,
        )
    count = (found.new if mode != "update" else 0) + (found.changed if mode != "create" else 0)
    return Wish(match, mode, identity, found.confirm, count)


def _match(file_id: str, options: ParseOptions, texts: Texts, *, disabled: bool) -> Match | None:
    choices: list[Match | None] = [*(["id"] if "id" in options.columns else []), None, "name_and_supplier", "name"]  # type: ignore[list-item]
    names: dict[Match | None, str] = {
        "id": texts.match_id,
        None: texts.match_nothing,
        "name_and_supplier": texts.match_name_and_supplier,
        "name": texts.match_name,
    }
    return st.selectbox(
        texts.match,
        choices,
        index=0,
        format_func=names.__getitem__,
        key=f"match {file_id} {'id' in options.columns}",
        filter_mode=None,
        disabled=disabled,
        width=400,
    )


def _look(
    imports: Imports, key: Any, data: bytes, table: Table, options: ParseOptions, texts: Texts
) -> ImportPreview | ApiError | None:
    """Return what the API says of the file, asked once for each way of reading it."""
    _, _, match, identity = key
    known, found, _ = imports.checked
    if known != key:
        if table.count > AT_ONCE_ROWS and not st.button(texts.check, key="check", icon=":material/fact_check:"):
            st.caption(texts.check_hint)
            return None
        with st.spinner(texts.checking):
            try:
                rows = spreadsheet.sent_rows(data, options, identity)
                found = access.client().preview_import(spreadsheet.pieces(rows), match=match)
            except ApiError as error:
                found = error
        errors_of_rows = found.errors if isinstance(found, ImportPreview) else ()
        imports.checked = (key, found, refused_rows(errors_of_rows, data, options, identity))
    if isinstance(found, ApiError):
        errors.show(found, texts.could_not_check)
        st.button(texts.retry, key="check_again", icon=":material/refresh:", on_click=imports.forget_check)
    return found


def _summary(found: ImportPreview, texts: Texts) -> str:
    counts = {name: number(getattr(found, name), texts) for name in ("new", "changed", "same", "refused")}
    return texts.check_summary.format(**counts)


def _changes(found: ImportPreview, texts: Texts) -> None:
    rows = [
        (
            change.line,
            change.id,
            change.name,
            getattr(texts, name),
            _words(change.before[name], texts),
            _words(new, texts),
        )
        for change in found.changes
        for name, new in change.after.items()
    ]
    if not rows:
        return
    shown = len(found.changes)
    st.caption(texts.check_changes if shown == found.changed else texts.check_first_changes.format(count=shown))
    column = st.column_config
    st.dataframe(
        pd.DataFrame(rows, columns=["line", "id", "name", "field", "before", "after"]),
        alt=texts.check_changes,
        hide_index=True,
        column_config={
            "line": column.NumberColumn(texts.line, width=64),
            "id": column.NumberColumn(texts.id, width=80, format="%d"),
            **{name: column.TextColumn(getattr(texts, name)) for name in ("name", "field", "before", "after")},
        },
    )


def _words(value: Any, texts: Texts) -> str:
    if value in (None, ""):
        return "—"
    return money(value, texts) if isinstance(value, Decimal) else str(value)
