"""The list of products: filters, one page of a table, and what can be done with the rows that are selected."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.example_products import PRODUCTS
from app.ui import address, errors, session
from app.ui.client.api_models import ApiError, Chosen, Product
from app.ui.files import download
from app.ui.formats import number, plain
from app.ui.products import bulk, dialogs, example, filters, inline_edit, product_cards, product_table, state, undo
from app.ui.products.list_view import END, SIZES, ListView
from app.ui.products.state import Dialog, Listed
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
    hint = st.container(key="hint")
    listed = read(view, places)
    with toolbar:
        st.button(texts.add, key="add", icon=":material/add:", type="primary", shortcut="N", on_click=dialogs.add)
    if listed is not None and listed.page.products and session.is_narrow():
        with hint:
            undo.show()
        product_cards.show(listed.page.products)
        pager(listed)
    elif listed is not None and listed.page.products:
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
            selected, opened = product_table.select_from(
                listed.page.products,
                sort=listed.view.sort,
                on_sort=lambda sort: ListView.from_query_params().go(sort=sort),
            )
            if opened:
                open_page(opened)
            with toolbar:
                act_on(selected, listed.view)
            with hint:
                choice(selected, listed)
        with toolbar:
            inline_edit.switch()
        pager(listed)
    elif listed is not None:
        with hint:
            undo.show()
        empty_state(listed.view)


def wanted() -> ListView:
    """Return what the address asks for, or what is on screen as long as another page would lose changes to it.

    Who comes back from another page without an address of a list sees the one that was there.
    """
    kept, asked = state.listed(), ListView.from_query_params()
    if kept is None:
        return asked
    if session.has_arrived() and asked == ListView():
        kept.view.go(after=kept.view.after, before=kept.view.before, start=kept.view.start)
        return kept.view
    return kept.view if inline_edit.is_under_way() else asked


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
                before="" if view.before == END else view.before or None,
                count=not total_is_known,
            )
    except ApiError as error:
        if error.status == 422 and error.errors and {wrong.field for wrong in error.errors} <= {"after", "before"}:
            # The place is of another order, as in an address that was changed by hand.
            address.drop({name: st.query_params.get_all(name) for name in ("after", "before", "start")})
            view.go()
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


def open_page(product: Product) -> None:
    """Go to the page of a product."""
    address.go_to("views/product.py", {state.LOOKED_UP: [str(product.id)]})


def act_on(selected: Sequence[Product], view: ListView) -> None:
    """Show the buttons about the selected products, or all that the filters show where these are chosen."""
    texts = session.texts()
    everything = bulk.all_of(view)
    one = selected[0] if len(selected) == 1 and everything is None else None
    count = everything.count if everything else len(selected)
    edited = st.button(texts.edit, key="edit", icon=":material/edit:", disabled=one is None)
    label = f"{texts.delete} ({number(count, texts)})" if count > 1 else texts.delete
    deleted = st.button(label, key="delete", icon=":material/delete:", disabled=not count)
    label = f"{texts.change_many} ({number(count, texts)})" if count > 1 else texts.change_many
    changed = st.button(label, key="change_many", icon=":material/price_change:", disabled=count < 2)
    st.button(texts.reload, key="reload", icon=":material/refresh:", on_click=state.keep_listed, args=(None,))
    opened = st.button(texts.open, key="open", icon=":material/open_in_full:", shortcut="O", disabled=one is None)
    if one and opened:
        open_page(one)
    chosen = Chosen(products=view.filter(session.zone())) if everything else Chosen(tuple(p.id for p in selected))
    if one and edited:
        dialogs.edit(one.id)
    if deleted and everything:
        state.set_dialog(Dialog("delete_all", chosen=chosen, totals=everything))
    elif deleted:
        dialogs.delete(selected)
    if changed:
        totals = everything or bulk.totals_of(selected)
        state.set_dialog(Dialog("change_many", chosen=chosen, totals=totals))


def choice(selected: Sequence[Product], listed: Listed) -> None:
    """Show what is selected, what it costs, and the way to choose all; or the way back from a deletion."""
    texts, view = session.texts(), listed.view
    everything = bulk.all_of(view)
    if not selected and everything is None and undo.show():
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        words = _selection_words(selected)
        if everything is not None:
            words = texts.all_chosen.format(count=number(everything.count, texts))
        totals = everything or (bulk.totals_of(selected) if len(selected) > 1 else None)
        st.caption(f"{words} · {bulk.totals_words(totals, texts)}" if totals else words, width="content")
        if everything is not None:
            st.button(texts.choose_marked, key="choose_marked", type="tertiary", on_click=bulk.choose_none)
        elif selected and (listed.total[0] or 0) > len(selected):
            label = texts.choose_all.format(count=_total_words(listed))
            st.button(label, key="choose_all", type="tertiary", on_click=bulk.choose_all, args=(view,))


def pager(listed: Listed) -> None:
    """Show how many products there are, the way to the pages beside this one, and how long a page is."""
    texts, view, page = session.texts(), listed.view, listed.page
    editing = inline_edit.is_under_way()
    first = _first(listed)
    turns: tuple[tuple[str, str, str, dict[str, Any] | None], ...] = (
        (texts.first_page, "first", ":material/first_page:", {} if page.before else None),
        (
            texts.previous,
            "previous",
            ":material/chevron_left:",
            {"before": page.before, "start": max(1, first - view.limit) if first else 0} if page.before else None,
        ),
        (
            texts.next,
            "next",
            ":material/chevron_right:",
            {"after": page.after, "start": first + len(page.products) if first else 0} if page.after else None,
        ),
        (texts.last_page, "last", ":material/last_page:", {"before": END, "start": 0} if page.after else None),
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            for label, key, icon, place in turns:
                st.button(
                    label,
                    key=key,
                    icon=icon,
                    disabled=place is None or editing,
                    on_click=turn,
                    args=(view,),
                    kwargs=place,
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
            st.markdown(_range_words(listed, first), width="content")
            with st.popover(texts.export, icon=":material/download:"):
                download.buttons(("excel", "csv", "jsonl"), view.filter(session.zone()), view.sort)


def turn(view: ListView, **place: Any) -> None:
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
        elif view.q:
            suggest(view)
        st.space("small")


def suggest(view: ListView) -> None:
    """Show near spellings of a search that finds nothing, each a button that searches for it."""
    try:
        found = access.client().suggest(view.q)
    except ApiError:
        return  # what was asked for has been answered
    if found:
        with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
            st.markdown(session.texts().did_you_mean, width="content")
            for n, words in enumerate(found):
                st.button(plain(words), key=f"suggestion{n}", type="tertiary", on_click=view.go, kwargs={"q": words})


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


def _first(listed: Listed) -> int:
    """Return which of all products is the page's first; 0 where that is not known.

    The address may say it, but the catalogue has changed since, or somebody has changed the address.
    """
    page, start, (total, is_exact) = listed.page, listed.view.start, listed.total
    if page.before is None:
        return 1
    if total is None or not is_exact:
        return start
    if page.after is None:
        return max(1, total - len(page.products) + 1)
    return start if 1 < start <= total - len(page.products) else 0


def _range_words(listed: Listed, first: int) -> str:
    """Say which of all products are on the page, where that is known."""
    texts, total = session.texts(), _total_words(listed)
    count = len(listed.page.products)
    if not first or not total or (first == 1 and listed.page.after is None):
        return total
    return texts.page_range.format(first=number(first, texts), last=number(first + count - 1, texts), total=total)


def _total_words(listed: Listed) -> str:
    texts = session.texts()
    total, is_exact = listed.total
    if total is None:
        return ""
    text = texts.total_one if total == 1 else texts.total if is_exact else texts.total_estimated
    return text.format(count=number(total, texts))


products()
