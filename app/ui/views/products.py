"""The list of products: filters, one page of a table, and what can be done with the rows that are selected."""

from collections.abc import Sequence

import streamlit as st

from app.example_products import PRODUCTS
from app.ui import address, errors, session
from app.ui.client.api_models import ApiError, Product
from app.ui.files import download
from app.ui.formats import number, plain
from app.ui.products import dialogs, example, filters, inline_edit, product_table, state
from app.ui.products.list_view import SIZES, ListView
from app.ui.products.state import Listed
from app.ui.sign_in import access

SKELETON = 456  # pixels: as high as a full table, so nothing moves when it comes


# A fragment: what is done here runs this function again, and not the rest of the page.
@st.fragment
def products() -> None:
    """Show the list that the address asks for, and the dialog that is open."""
    with errors.error_boundary():
        table_and_controls()
        dialogs.show()


def table_and_controls() -> None:
    """Show one page of the list with all that can be done with it."""
    texts = session.texts()
    address.tidy(ListView.used_parameters())
    view = wanted()
    places = filters.show(view, disabled=inline_edit.is_under_way())
    toolbar = st.container(horizontal=True, vertical_alignment="center")
    hint = st.empty()
    listed = read(view, places)
    with toolbar:
        st.button(texts.add, key="add", icon=":material/add:", type="primary", on_click=dialogs.add)
    if listed is not None and listed.page.products:
        if inline_edit.is_on():
            with toolbar:
                actions = st.container(horizontal=True, width="content")
            changes = inline_edit.table(listed.page.products)
            with actions:
                inline_edit.actions(listed.page.products, changes)
            with hint:
                if not inline_edit.show_unclear_prices(listed.page.products, changes):
                    st.caption(texts.edit_hint)
        else:
            selected = product_table.select_from(
                listed.page.products,
                sort=listed.view.sort,
                on_sort=lambda sort: ListView.from_query_params().go(sort=sort),
            )
            with toolbar:
                act_on(selected)
            hint.caption(_selection_words(selected))
        with toolbar:
            inline_edit.switch()
        pager(listed)
    elif listed is not None:
        empty_state(listed.view)


def wanted() -> ListView:
    """Return what the address asks for, or what is on screen as long as another page would lose changes to it."""
    kept = state.listed()
    return kept.view if kept is not None and inline_edit.is_under_way() else ListView.from_query_params()


def read(view: ListView, places: filters.Places) -> Listed | None:
    """Return the page to show, read now unless it is there already; None after showing why it cannot be."""
    texts = session.texts()
    kept = state.listed()
    if kept is not None and kept.view == view and (kept.is_current or inline_edit.is_under_way()):
        return kept
    total_is_known = kept is not None and kept.is_current and kept.view.shows_the_same_products_as(view)
    product_table.select_nothing(view.sort)
    try:
        with st.skeleton(height=SKELETON):
            page = access.client().list_products(
                view.filter(session.zone()),
                sort=view.sort,
                limit=view.limit,
                after=view.after or None,
                before=view.before or None,
                count=not total_is_known,
            )
    except ApiError as error:
        if error.status == 422 and error.errors and {wrong.field for wrong in error.errors} <= {"after", "before"}:
            view.go()  # the place is of another order, as in an address that was changed by hand
            return read(ListView.from_query_params(), places)
        if not filters.tell(error, places):
            errors.show_and_retry(error, texts.could_not_list)
        return None
    if not page.products and (view.after or view.before):  # what was there is gone: the page beside it
        view.go(before=view.after)
        return read(ListView.from_query_params(), places)
    total = kept.total if total_is_known and kept is not None else (page.total, page.total_is_exact)
    state.keep_listed(listed := Listed(view, page, total))
    return listed


def act_on(selected: Sequence[Product]) -> None:
    """Show the buttons about the selected products."""
    texts = session.texts()
    one = selected[0] if len(selected) == 1 else None
    edited = st.button(texts.edit, key="edit", icon=":material/edit:", disabled=one is None)
    label = f"{texts.delete} ({len(selected)})" if len(selected) > 1 else texts.delete
    deleted = st.button(label, key="delete", icon=":material/delete:", disabled=not selected)
    st.button(texts.reload, key="reload", icon=":material/refresh:", on_click=state.keep_listed, args=(None,))
    if one is None:
        st.button(texts.open, key="open", icon=":material/open_in_full:", disabled=True)
    else:  # not a button that switches the page: that would be two steps in the browser's history
        address = {state.LOOKED_UP: str(one.id)}
        st.page_link(
            "views/product.py", label=texts.open, icon=":material/open_in_full:", help="", query_params=address
        )
    if one and edited:
        dialogs.edit(one.id)
    if deleted:
        dialogs.delete(selected)


def pager(listed: Listed) -> None:
    """Show how many products there are, the way to the pages beside this one, and how long a page is."""
    texts, view, page = session.texts(), listed.view, listed.page
    editing = inline_edit.is_under_way()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            for label, key, icon, place, cursor in (
                (texts.previous, "previous", ":material/chevron_left:", "before", page.before),
                (texts.next, "next", ":material/chevron_right:", "after", page.after),
            ):
                st.button(
                    label,
                    key=key,
                    icon=icon,
                    disabled=cursor is None or editing,
                    on_click=turn,
                    args=(view,),
                    kwargs={place: cursor},
                )
            st.selectbox(
                texts.page_size,
                SIZES,
                index=SIZES.index(view.limit),
                key=f"page_size{view.limit}",
                format_func=lambda size: texts.per_page.format(size=size),
                on_change=lambda: ListView.from_query_params().go(limit=st.session_state[f"page_size{view.limit}"]),
                disabled=editing,
                label_visibility="collapsed",
                filter_mode=None,
                width=150,
            )
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            st.markdown(_total_words(listed), width="content")
            with st.popover(texts.export, icon=":material/download:"):
                shown = view.filter(session.zone())
                download.button(texts.export_csv, shown, view.sort, "csv", key="export_csv")
                download.button(texts.export_jsonl, shown, view.sort, "jsonl", key="export_jsonl")


def turn(view: ListView, **place: str) -> None:
    """Turn the page of `view`, unless a filter was typed into just before: its first page is to come."""
    if ListView.from_query_params() == view:
        view.go(**place)


def empty_state(view: ListView) -> None:
    """Show that there are no products, or none that meet the filters, and what to do about it."""
    texts = session.texts()
    with st.container(border=True, horizontal_alignment="center"):
        st.space("small")
        st.subheader(texts.no_matches if view.is_filtered else texts.no_products, text_alignment="center", anchor=False)
        st.caption(texts.no_matches_hint if view.is_filtered else texts.no_products_hint, text_alignment="center")
        if not view.is_filtered:
            load_examples()
        st.space("small")


def load_examples() -> None:
    """Show the button that fills an empty catalogue with example products."""
    texts = session.texts()
    count = number(PRODUCTS, texts)
    if st.button(texts.load_examples.format(count=count), key="load_examples", icon=":material/dataset:"):
        try:
            with st.spinner(texts.loading_examples):
                example.load(access.client())
        except ApiError as error:
            errors.show(error, texts.could_not_load_examples)
        else:
            state.keep_listed(None)
            session.announce(texts.examples_loaded.format(count=count))
            st.rerun()


def _selection_words(selected: Sequence[Product]) -> str:
    texts = session.texts()
    if not selected:
        return texts.select_a_row
    if len(selected) == 1:
        return texts.selected.format(name=plain(selected[0].name))
    return texts.selected_many.format(count=len(selected))


def _total_words(listed: Listed) -> str:
    texts = session.texts()
    total, is_exact = listed.total
    if total is None:
        return ""
    text = texts.total_one if total == 1 else texts.total if is_exact else texts.total_estimated
    return text.format(count=number(total, texts))


products()
