"""What one visitor's session holds of the products: the page of the list on screen, and the dialog that is open."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import streamlit as st

from app.ui import session
from app.ui.client.api_models import Chosen, Page, Product, Totals
from app.ui.products.list_view import ListView

LOOKED_UP = "id"  # the key of the field with the id to look up, and its name in the address


@dataclass(frozen=True)
class Listed:
    """The page of products on screen. It is read once and kept, so a selected row stays the product that was seen."""

    view: ListView
    page: Page
    total: tuple[int | None, bool]  # how many products there are on all pages, and whether they were counted
    is_current: bool = True  # False as soon as something was changed


@dataclass(frozen=True)
class Dialog:
    """An open dialog; `products` are what it edits or deletes, as they were when the dialog opened.

    When somebody else has saved meanwhile, `theirs` is what they saved and `mine` what was to be changed. The keys of
    its fields begin with `fields`: another dialog has others, so what was typed before does not come back by itself.
    """

    kind: Literal["add", "edit", "delete", "review", "change_many", "delete_all"]
    products: tuple[Product, ...] = ()
    mine: Mapping[str, Any] = field(default_factory=dict)
    theirs: Product | None = None
    fields: str = ""
    is_draft: bool = False  # what was typed before came back
    chosen: Chosen = field(default_factory=Chosen)  # of many at once
    totals: Totals | None = None  # ... how many they are, and what they cost


def listed() -> Listed | None:
    """Return the page of products that was read last."""
    page: Listed | None = st.session_state.get("listed")
    return page


def keep_listed(page: Listed | None) -> None:
    """Keep a page of products to show it again; None has it read anew, once nobody is editing what is on it."""
    kept = listed()
    st.session_state["listed"] = page or (kept and replace(kept, is_current=False))
    if page is None:
        note_change()


def note_change() -> None:
    """Remember that this visitor may have changed the catalogue: figures from before would deny it."""
    st.session_state["has_changed"] = True


def has_changed() -> bool:
    """Say whether the catalogue may have been changed since `change_is_shown` was called last."""
    return bool(st.session_state.get("has_changed"))


def change_is_shown() -> None:
    """Forget that the catalogue was changed."""
    st.session_state["has_changed"] = False


def refused_prices() -> dict[str, str]:
    """Return the prices that were typed into filters and cannot be, by the names of their controls."""
    refused: dict[str, str] = st.session_state.setdefault("refused_prices", {})
    return refused


def open_dialog() -> Dialog | None:
    """Return the dialog that is open, if any."""
    dialog: Dialog | None = st.session_state.get(session.DIALOG)
    return dialog


def set_dialog(dialog: Dialog | None) -> None:
    """Open `dialog` in the next run, or close the one that is open."""
    st.session_state[session.DIALOG] = dialog
