"""What became of a product: who did what to it, and when."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.ui import errors, session
from app.ui.client.api_models import ApiError, HistoryEntry
from app.ui.formats import moment, money, plain
from app.ui.sign_in import access
from app.ui.texts import Texts

NEVER_WAS = 404  # the status of a product of which nothing is known
ICONS = {
    "created": ":material/add_circle:",
    "changed": ":material/edit:",
    "deleted": ":material/delete:",
    "restored": ":material/restore_from_trash:",
}


def show(product_id: int) -> None:
    """Show the history of a product, the newest first."""
    texts = session.texts()
    older = st.session_state.get("history", (None, []))
    places: list[str] = older[1] if older[0] == product_id else []
    try:
        parts = [access.client().read_history(product_id, before=place) for place in (None, *places)]
    except ApiError as error:
        if error.status != NEVER_WAS:
            errors.show(error, texts.could_not_read.format(id=product_id))
        return
    st.header(texts.history, anchor=False)
    with st.container(border=True, width=760):
        for entries, _ in parts:
            _list(entries, texts)
    more = parts[-1][1]
    if more is not None and st.button(texts.older, key="older_history", icon=":material/expand_more:"):
        st.session_state["history"] = (product_id, [*places, more])
        st.rerun()


def person(name: str | None, texts: Texts) -> str:
    """Return what to call who did something; the API has words of its own for those without a name."""
    match name:
        case None:
            return texts.by_unknown
        case "local":
            return texts.by_local
        case "service":
            return texts.by_service
    return plain(name)


def _list(entries: Sequence[HistoryEntry], texts: Texts) -> None:
    for entry in entries:
        what = str(getattr(texts, f"history_{entry.action}", entry.action))
        when = moment(entry.at, session.zone(), texts)
        line = f"{ICONS.get(entry.action, '')} **{what}** · {plain(when)} · {person(entry.person, texts)}"
        changes = [
            f"- {getattr(texts, name, name)}: {_words(name, before, texts)} → {_words(name, after, texts)}"
            for name, (before, after) in entry.changes.items()
        ]
        st.markdown("\n".join([line, "", *changes]))


def _words(name: str, value: Any, texts: Texts) -> str:
    if value in (None, ""):
        return "—"
    return plain(money(value, texts) if name == "price" else value)
