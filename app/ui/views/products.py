"""The list: one page of products in a table, and what can be done with the one that is selected."""

from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from app.ui import dialogs, errors, session
from app.ui.api_models import CATEGORIES, ApiError, Page, Product
from app.ui.formats import moment, money, plain

TABLE = "table"  # its key
NOTHING_SELECTED: dict[str, dict[str, list[int]]] = {"selection": {"rows": [], "columns": [], "cells": []}}
VISIBLE_COLUMNS = ("id", "name", "categoria", "price", "email_fornecedor", "updated_at")  # its menu shows the others
VISIBLE_ROWS = 12
ROW_HEIGHT = 35  # pixels, Streamlit's own

texts = session.texts()
listing = session.listing()


def read_page() -> Page | None:
    """Return the page to show, read now unless it is there already; None after showing why it cannot be."""
    try:
        while listing.page is None:
            st.session_state[TABLE] = NOTHING_SELECTED
            with hint, st.spinner(texts.loading):  # where the hint will be, so nothing moves
                page = session.client().list_products(after=listing.cursors[-1])
            if page.products or len(listing.cursors) == 1:
                listing.page = page
            else:  # the last product of the last page is gone
                listing.turn_back()
    except ApiError as error:
        errors.show(error, texts.could_not_list)
        st.button(texts.retry, key="retry", icon=":material/refresh:")
    return listing.page


def table(products: tuple[Product, ...]) -> Product | None:
    """Show the products and return the selected one."""
    rows = pd.DataFrame(
        {
            "id": [product.id for product in products],
            "name": [product.name for product in products],
            "categoria": [[product.categoria] for product in products],
            "price": [float(product.price) for product in products],
            "email_fornecedor": [product.email_fornecedor for product in products],
            "description": [product.description or "" for product in products],
            "updated_at": [product.updated_at for product in products],
        }
    )
    column = st.column_config
    event = st.dataframe(
        in_words(rows),
        key=TABLE,
        alt=texts.table,
        hide_index=True,
        height=ROW_HEIGHT * (min(len(products), VISIBLE_ROWS) + 1) + 2,
        row_height=ROW_HEIGHT,
        on_select="rerun",
        selection_mode="single-row",
        column_order=VISIBLE_COLUMNS,
        column_config={
            "id": column.NumberColumn(texts.id, width=64),
            "name": column.TextColumn(texts.name, width=320),
            "categoria": column.MultiselectColumn(texts.categoria, options=CATEGORIES, color="auto", width=130),
            "price": column.NumberColumn(texts.price, width=112),
            "email_fornecedor": column.TextColumn(texts.email_fornecedor, width=326),
            "description": column.TextColumn(texts.description),
            "updated_at": column.DatetimeColumn(texts.updated_at, width=134),
        },
    )
    selected = event["selection"]["rows"]
    return products[selected[0]] if selected and selected[0] < len(products) else None


def in_words(rows: pd.DataFrame) -> Styler:
    """Have prices and dates shown in the visitor's way; sorting still goes by the values."""
    here = session.zone()

    def price(value: Any) -> str:
        return money(value, texts)

    def updated_at(value: Any) -> str:
        return moment(value, here, texts)

    return rows.style.format({"price": price, "updated_at": updated_at})


def actions(product: Product | None) -> None:
    """Show the buttons above the table; those about one product wait for a selection."""
    with toolbar:
        none = product is None
        opened = st.button(texts.open, key="open", icon=":material/open_in_full:", disabled=none)
        edited = st.button(texts.edit, key="edit", icon=":material/edit:", disabled=none)
        deleted = st.button(texts.delete, key="delete", icon=":material/delete:", disabled=none)
    if product is None:
        hint.caption(texts.select_a_row)
        return
    hint.caption(texts.selected.format(name=plain(product.name)))
    if opened:
        st.switch_page("views/product.py", query_params={session.LOOKED_UP: str(product.id)})
    if edited:
        dialogs.edit(product.id)
    if deleted:
        dialogs.delete(product.id)


def pager(page: Page) -> None:
    """Show where in the list this page is, and the way to its neighbours."""
    count = len(page.products)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            st.button(
                texts.previous,
                key="previous",
                icon=":material/chevron_left:",
                disabled=len(listing.cursors) == 1,
                on_click=listing.turn_back,
            )
            st.button(
                texts.next,
                key="next",
                icon=":material/chevron_right:",
                disabled=page.after is None,
                on_click=listing.turn_to_next,
            )
            st.markdown(texts.page.format(number=len(listing.cursors)))
        st.caption(texts.count_on_page_one if count == 1 else texts.count_on_page.format(count=count), width="content")


toolbar = st.container(horizontal=True, vertical_alignment="center")
with toolbar:
    st.button(texts.add, key="add", icon=":material/add:", type="primary", on_click=dialogs.add)
    st.button(texts.reload, key="reload", icon=":material/refresh:", on_click=listing.forget)
hint = st.empty()

shown = read_page()
if shown is not None and shown.products:
    actions(table(shown.products))
    pager(shown)
elif shown is not None:
    with st.container(border=True, horizontal_alignment="center"):
        st.space("small")
        st.subheader(texts.no_products, text_alignment="center", anchor=False)
        st.caption(texts.no_products_hint, text_alignment="center")
        st.space("small")

dialogs.show()
