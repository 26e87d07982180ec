"""Changing and deleting many products at once: those that are marked, or all that the filters show."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from app.ui import errors, prices, session
from app.ui.client.api_models import CATEGORIES, ApiError, BulkChange, Chosen, Product, Totals
from app.ui.formats import money, number, plain
from app.ui.prices import UnclearPriceError
from app.ui.products import state, undo
from app.ui.products.list_view import ListView, in_cents
from app.ui.products.undo import Undo
from app.ui.sign_in import access
from app.ui.texts import Texts

COUNT_CHANGED = 409  # the status of a change of another number of products than was confirmed
_EVERYTHING = "everything"  # the key of what all is chosen of: filters, and their totals


def choose_all(view: ListView) -> None:
    """Choose all products that the filters show, on whatever page; their number and total are asked for now."""
    texts = session.texts()
    try:
        totals = access.client().total(Chosen(products=view.filter(session.zone())))
    except ApiError as error:
        session.announce(plain(errors.sentences(error, texts)))
        return
    st.session_state[_EVERYTHING] = (view, totals)


def choose_none() -> None:
    """Choose what is marked in the table, and no more."""
    st.session_state.pop(_EVERYTHING, None)


def all_of(view: ListView) -> Totals | None:
    """Return how many all products are and what they cost, if all that this view's filters show are chosen."""
    kept: tuple[ListView, Totals] | None = st.session_state.get(_EVERYTHING)
    if kept is None or not kept[0].shows_the_same_products_as(view):
        choose_none()
        return None
    return kept[1]


def totals_of(products: Sequence[Product]) -> Totals:
    """Return how many products there are, and what they cost."""
    total = sum((product.price for product in products), Decimal(0))
    return Totals(len(products), total, total / len(products) if products else None)


def totals_words(totals: Totals, texts: Texts) -> str:
    """Say what products cost together and on average."""
    if totals.average is None:
        return ""
    return plain(texts.total_and_average.format(total=money(totals.total, texts), average=money(totals.average, texts)))


def show_change(chosen: Chosen, count: int) -> None:
    """Show what the dialog of a change holds: what to change, what that makes of the products, and the button."""
    texts = session.texts()
    kinds = {"percent": texts.change_percent, "amount": texts.change_amount, "categoria": texts.change_categoria}
    kind = st.radio(
        texts.change_what, list(kinds), format_func=lambda name: kinds[name], horizontal=True, key="bulk_kind"
    )
    change: dict[str, Any] | None
    if kind == "categoria":
        chosen_category = st.selectbox(
            texts.categoria, CATEGORIES, index=None, placeholder=texts.choose_category, key="bulk_categoria"
        )
        change = {"categoria": chosen_category} if chosen_category else None
    else:
        typed = st.text_input(
            texts.percent if kind == "percent" else texts.amount_in_reais,
            key=f"bulk_{kind}",
            placeholder=texts.percent_example if kind == "percent" else texts.amount_example,
            max_chars=20,
        )
        value = read_number(typed)
        if typed.strip() and value is None:
            st.error(texts.wrong_change, icon=":material/error:")
        elif value == 0:
            st.info(texts.zero_change, icon=":material/info:")
        change = {"price": {kind: value}} if value else None
        st.caption(texts.rounding)
    outcome = None if change is None else _preview(chosen, change)
    place = st.empty()
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(texts.cancel, key="bulk_cancel"):
            state.set_dialog(None)
            st.rerun()
        wanted = st.button(
            texts.change_many_confirm.format(count=number(count, texts)),
            key="bulk_confirm",
            type="primary",
            icon=":material/save:",
            disabled=outcome is None,
        )
    if wanted and change is not None:

        def do(on_progress: Callable[[int, int], None]) -> str:
            changed = access.client().change_products(chosen, change, count, on_progress).changed
            undo.forget()
            return texts.changed_many.format(count=number(changed, texts))

        with place.container():
            run(do, texts.changing, texts.could_not_save)


def show_delete(chosen: Chosen, totals: Totals) -> None:
    """Show the question before all that the filters show is deleted."""
    texts = session.texts()
    count = number(totals.count, texts)
    st.markdown(texts.delete_many_question.format(count=count))
    st.caption(totals_words(totals, texts))
    st.caption(texts.delete_many_warning)
    place = st.empty()
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(texts.cancel, key="bulk_cancel"):
            state.set_dialog(None)
            st.rerun()
        wanted = st.button(
            texts.delete_many_confirm.format(count=count),
            key="delete_confirm",
            type="primary",
            icon=":material/delete:",
        )
    if wanted:

        def do(on_progress: Callable[[int, int], None]) -> str:
            deletion = access.client().delete_products(chosen, totals.count, on_progress)
            message = texts.deleted_many.format(count=number(deletion.count, texts))
            undo.offer(Undo(message, deletion=deletion.key))
            return message

        with place.container():
            run(do, texts.deleting_many, texts.could_not_delete)


def run(do: Callable[[Callable[[int, int], None]], str], progress: str, failed: str) -> None:
    """Do something to many products while a bar shows how far it is; close the dialog, or show why not."""
    texts = session.texts()
    bar = st.progress(0.0, texts.counting)

    def tell(done: int, of: int) -> None:
        words = progress.format(done=number(done, texts), count=number(of, texts))
        bar.progress(min(1.0, done / max(1, of)), words)

    try:
        message = do(tell)
    except ApiError as error:
        bar.empty()
        state.keep_listed(None)
        if error.status == COUNT_CHANGED:
            choose_none()  # as many as were chosen are there no more
            st.error(texts.count_changed, title=failed, icon=":material/error:")
        else:
            errors.show(error, failed)
        return
    choose_none()
    state.set_dialog(None)
    state.keep_listed(None)
    session.announce(message)
    st.rerun()


def read_number(typed: str) -> Decimal | None:
    """Return the number that was typed, as a price is; None when it could be two, is none or has part of a cent."""
    try:
        found = prices.read(typed.strip().removesuffix("%"))
    except UnclearPriceError:
        return None
    return None if found is None or in_cents(abs(found)) is None else found


def _preview(chosen: Chosen, change: Mapping[str, Any]) -> BulkChange | None:
    texts = session.texts()
    try:
        outcome = access.client().preview_change(chosen, change)
    except ApiError as error:
        refused = next((e.context.get("refused") for e in error.errors if e.code == "price_out_of_range"), None)
        if refused is not None:
            sentence = texts.price_out_of_range.format(count=number(int(refused), texts))
            st.error(sentence, title=texts.could_not_save, icon=":material/error:")
        elif any(wrong.field == "price.percent" for wrong in error.errors):
            st.error(texts.wrong_percent, icon=":material/error:")
        else:
            errors.show(error, texts.could_not_save)
        return None
    words = texts.change_outcome.format(
        changed=number(outcome.changed, texts),
        count=number(outcome.matching, texts),
        before=money(outcome.total_before, texts),
        after=money(outcome.total_after, texts),
    )
    st.markdown(plain(words))
    field = "categoria" if "categoria" in change else "price"

    def shown(value: Any) -> str:
        return money(Decimal(str(value)), texts) if field == "price" else str(value)

    rows = {
        texts.name: [plain(name) for name, _, _ in outcome.examples],
        texts.before: [plain(shown(before[field])) for _, before, _ in outcome.examples],
        texts.after: [plain(shown(after[field])) for _, _, after in outcome.examples],
    }
    st.table(pd.DataFrame(rows), hide_index=True)
    if outcome.matching > len(outcome.examples):
        st.caption(texts.and_more.format(count=number(outcome.matching - len(outcome.examples), texts)))
    return outcome
