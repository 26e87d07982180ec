"""The imports of the last day, as the API has them: from whichever page, browser or device they were begun."""

from collections.abc import Callable

import streamlit as st

from app.ui import errors, session
from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import ApiError, ImportStatus
from app.ui.formats import moment, number, plain
from app.ui.sign_in import access
from app.ui.texts import Texts

SHOWN = 10
SECONDS = 2  # between two looks while one is under way, or the API is not
IDLE_SECONDS = 30  # and else
LOOK_SOON = "imports_look_soon"  # in the session: the page was last drawn at which of the two
ICONS = {"done": ":green[:material/check_circle:]", "undone": ":material/undo:", "cancelled": ":material/block:"}


def show(on_change: Callable[[], object], *, is_busy: bool) -> None:
    """Show them, with a way to end what is under way and to take back what is done.

    `on_change` is called when that has changed products; `is_busy` says that this page has begun one.
    """
    is_busy = is_busy or bool(st.session_state.get(LOOK_SOON))
    st.fragment(_show, run_every=SECONDS if is_busy else IDLE_SECONDS)(on_change)


def _show(on_change: Callable[[], object]) -> None:
    texts = session.texts()
    try:
        found = access.client().recent_imports()[:SHOWN]
    except ApiError as error:
        errors.show(error, texts.recent_imports_failed)
        found, look_soon = [], error.may_pass
    else:
        look_soon = any(not one.is_over for one in found)
    if look_soon != bool(st.session_state.get(LOOK_SOON)):
        st.session_state[LOOK_SOON] = look_soon
        st.rerun()  # at the pace that there is something to see
    if not found:
        return
    with st.container(gap="small"):
        st.subheader(texts.recent_imports, anchor=False)
        for one in found:
            _one(one, on_change, texts)


def _one(one: ImportStatus, on_change: Callable[[], object], texts: Texts) -> None:
    when = moment(one.created_at, session.zone(), texts)
    name = plain(one.file_name or texts.import_unnamed)
    icon = ":material/hourglass_top:" if not one.is_over else ICONS.get(one.state, ":red[:material/error:]")
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f"{icon} **{name}** · {when}  \n{_said(one, texts)}", width="stretch")
        if not one.is_over:
            _button(f"cancel {one.id}", texts.import_cancel, lambda api: api.cancel_import(one.id), on_change)
        elif one.state == "done" and one.imported and one.imported.created + one.imported.updated:
            with st.popover(texts.import_undo, icon=":material/undo:", key=f"undo {one.id}"):
                st.markdown(texts.import_undo_question.format(name=name))
                label = texts.import_undo_confirm
                _button(f"undo_confirm {one.id}", label, lambda api: api.undo_import(one.id), on_change)


def _said(one: ImportStatus, texts: Texts) -> str:
    """Return how far an import is, or what became of it."""
    if one.state == "receiving":
        return texts.import_received.format(count=number(one.rows, texts))
    if one.state == "writing":
        return texts.import_written.format(written=number(one.written, texts), count=number(one.rows, texts))
    if one.imported is not None:
        return counted(one.imported.created, one.imported.updated, one.imported.refused, texts)
    if one.undone is not None:
        counts = {name: number(count, texts) for name, count in one.undone.items()}
        sentence = texts.import_undone.format(**counts)
        return f"{sentence} {texts.import_undone_kept.format(**counts)}" if one.undone["kept"] else sentence
    return texts.import_cancelled if one.state == "cancelled" else texts.import_nothing


def counted(created: int, updated: int, refused: int, texts: Texts) -> str:
    """Return what an import did, in a sentence."""
    counts = {"created": created, "updated": updated, "refused": refused}
    return texts.import_counted.format(**{name: number(count, texts) for name, count in counts.items()})


def _button(key: str, label: str, act: Callable[[ApiClient], object], on_change: Callable[[], object]) -> None:
    """Show a button that does something with an import, and says why where that fails."""
    if st.button(label, key=key):
        try:
            with st.spinner(label):
                act(access.client())
        except ApiError as error:
            errors.show(error, session.texts().import_not_changed)
        else:
            on_change()
            st.rerun()
