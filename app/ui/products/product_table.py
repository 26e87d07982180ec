"""A page of products as a table: to look at and select from, or to edit in place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import pandas as pd
import pyarrow
import streamlit as st

from app.ui import prices, session
from app.ui.client.api_models import CATEGORIES, EDITABLE, Product
from app.ui.formats import moment, money
from app.ui.products.list_view import COLUMNS
from app.ui.texts import Texts

NOTHING_SELECTED: dict[str, dict[str, list[Any]]] = {"selection": {"rows": [], "columns": [], "cells": []}}
CATEGORY_COLORS = ("blue", "green", "orange", "violet", "red")  # as pale or dark as the theme has them
OPEN = "open_row"  # the column of buttons
# The table's menu shows the others.
VISIBLE_COLUMNS = (OPEN, "id", "name", "categoria", "price", "email_fornecedor", "updated_at")
VISIBLE_ROWS = 12
ROW_HEIGHT = 35  # pixels, Streamlit's own


def select_from(
    products: Sequence[Product], *, sort: str, on_sort: Callable[[str], None]
) -> tuple[list[Product], Product | None]:
    """Show the products and return the selected ones, and the one whose button was clicked.

    A click on a column's head calls `on_sort` with an order.
    """
    texts = session.texts()
    key = _key(sort)

    def selected() -> None:
        # The whole list is sorted, which only the API can do: a selected column is a wish for an order.
        for column in st.session_state[key]["selection"]["columns"]:
            if column in COLUMNS:
                on_sort(f"-{column}" if sort == column else column)

    columns = _columns(texts, sort)
    columns[OPEN] = st.column_config.ButtonColumn("", type="tertiary", width=64, key=OPEN)
    columns["categoria"] = st.column_config.MultiselectColumn(
        _head("categoria", texts, sort), options=CATEGORIES, color=CATEGORY_COLORS, width=140
    )
    columns["price"] = st.column_config.TextColumn(_head("price", texts, sort), alignment="right", width=150)
    columns["updated_at"] = st.column_config.TextColumn(_head("updated_at", texts, sort), width=140)
    columns["created_at"] = st.column_config.TextColumn(_head("created_at", texts, sort), width=140)
    event = st.dataframe(
        _shown(products, texts),
        key=key,
        alt=texts.table,
        hide_index=True,
        height=_height(products),
        row_height=ROW_HEIGHT,
        on_select=selected,
        selection_mode=["multi-row", "single-column"],
        column_order=VISIBLE_COLUMNS,
        column_config=columns,
    )
    chosen = [products[row] for row in event["selection"]["rows"] if row < len(products)]
    clicked = st.session_state.get(OPEN)
    return chosen, products[clicked.row] if clicked and clicked.row < len(products) else None


def select_nothing(sort: str) -> None:
    """Have no row selected when the table is shown next."""
    st.session_state[_key(sort)] = NOTHING_SELECTED


def edit(
    products: Sequence[Product], drafts: Mapping[int, Mapping[str, Any]], *, key: str
) -> dict[int, dict[str, Any]]:
    """Show the products to be edited in place, with `drafts` of changes; return what was changed, by their ids."""
    texts = session.texts()
    column = st.column_config
    columns = _columns(texts, "")
    columns["name"] = column.TextColumn(texts.name, width=300, required=True, max_chars=200)
    columns["categoria"] = column.SelectboxColumn(texts.categoria, options=CATEGORIES, required=True, width=140)
    # Text: what a browser makes of a number depends on its language, and of one that is pasted on nobody's.
    columns["price"] = column.TextColumn(
        texts.price, required=True, max_chars=prices.LONGEST, alignment="right", width=150
    )
    columns["email_fornecedor"] = column.TextColumn(texts.email_fornecedor, width=280, required=True, max_chars=254)
    columns["description"] = column.TextColumn(texts.description, width=280, max_chars=2000)
    rows = _rows(shown := [replace(product, **drafts.get(product.id, {})) for product in products])
    rows["price"] = [
        product.price if isinstance(product.price, str) else money(product.price, texts) for product in shown
    ]
    edited = st.data_editor(
        rows,
        key=key,
        alt=texts.table,
        hide_index=True,
        height=_height(products),
        row_height=ROW_HEIGHT,
        num_rows="fixed",
        disabled=["id"],
        column_order=["id", *EDITABLE],
        column_config=columns,
        placeholder="",
    )
    found = (
        (product, _changes(product, row)) for product, row in zip(products, edited.to_dict("records"), strict=True)
    )
    return {product.id: changes for product, changes in found if changes}


def _key(sort: str) -> str:
    return f"table_{sort}"  # a new table for a new order: the browser keeps a column selected otherwise


def _changes(product: Product, row: dict[Any, Any]) -> dict[str, Any]:
    values = {name: None if pd.isna(row[name]) or row[name] == "" else row[name] for name in EDITABLE}
    values["price"] = None if values["price"] is None else prices.typed(values["price"])
    return {name: value for name, value in values.items() if value != getattr(product, name)}


def _shown(products: Sequence[Product], texts: Texts) -> Any:
    """Return the rows as they are read, as what a table is sent as: pandas would take a quarter of the whole page."""
    here = session.zone()
    columns = {one.name: [getattr(product, one.name) for product in products] for one in fields(Product)}
    del columns["version"]
    columns["description"] = [description or "" for description in columns["description"]]
    columns["price"] = [money(price, texts) for price in columns["price"]]
    columns["categoria"] = [[category] for category in columns["categoria"]]
    for name in ("created_at", "updated_at"):
        columns[name] = [moment(when, here, texts) for when in columns[name]]
    return pyarrow.table({OPEN: [texts.open] * len(products), **columns})


def _rows(products: Sequence[Product]) -> pd.DataFrame:
    rows = pd.DataFrame([vars(product) for product in products])
    words = [name for name in EDITABLE if name != "price"]
    rows[words] = rows[words].fillna("").astype(str)
    return rows.drop(columns="version")


def _columns(texts: Texts, sort: str) -> dict[str, Any]:
    column = st.column_config
    return {
        **{name: column.TextColumn(_head(name, texts, sort)) for name in EDITABLE},
        "id": column.NumberColumn(_head("id", texts, sort), width=90, format="%d"),
        "name": column.TextColumn(_head("name", texts, sort), width=290),
        "email_fornecedor": column.TextColumn(_head("email_fornecedor", texts, sort), width=300),
    }


def _head(name: str, texts: Texts, sort: str) -> str:
    label = str(getattr(texts, name))
    return f"{label} {'↓' if sort.startswith('-') else '↑'}" if sort.removeprefix("-") == name else label


def _height(products: Sequence[Product]) -> int:
    return ROW_HEIGHT * (min(len(products), VISIBLE_ROWS) + 1) + 2
