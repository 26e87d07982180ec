"""The way back from a deletion, offered until something else is done to products."""

from dataclasses import dataclass

import streamlit as st

from app.ui import errors, session
from app.ui.client.api_models import ApiError
from app.ui.formats import number
from app.ui.products import state
from app.ui.sign_in import access

KEY = "undo"


@dataclass(frozen=True)
class Undo:
    """What was deleted: one product, or all of a deletion; `message` says so in Markdown."""

    message: str
    product_id: int | None = None
    deletion: str | None = None


def offer(undo: Undo) -> None:
    """Offer to take a deletion back, from the next run on."""
    st.session_state[KEY] = undo


def forget() -> None:
    """Offer nothing any more: something else was done."""
    st.session_state.pop(KEY, None)


def is_of(product_id: int) -> bool:
    """Say whether the deletion to take back is this product's own."""
    undo: Undo | None = st.session_state.get(KEY)
    return undo is not None and undo.product_id == product_id


def show() -> bool:
    """Show what was deleted and the button that takes it back; False when there is nothing of the kind."""
    undo: Undo | None = st.session_state.get(KEY)
    if undo is None:
        return False
    texts = session.texts()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(undo.message, width="content")
        asked = st.button(texts.undo, key="undo_delete", icon=":material/undo:", type="tertiary")
    if asked:
        restore([undo.product_id] if undo.product_id else [], undo.deletion)
    return True


def restore(ids: list[int], deletion: str | None = None) -> None:
    """Take products back, say so, and run the page again; or show why that is not possible."""
    texts = session.texts()
    try:
        count = access.client().restore(ids=ids, deletion=deletion)
    except ApiError as error:
        errors.show(error, texts.could_not_restore)
        return
    forget()
    state.keep_listed(None)
    session.announce(texts.restored_one if count == 1 else texts.restored_many.format(count=number(count, texts)))
    st.rerun()
