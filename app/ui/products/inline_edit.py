"""Editing several products in the table: nothing is saved before all changes were looked at once more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import streamlit as st

from app.ui import errors, session
from app.ui.client.api_models import EDITABLE, ApiError, Product
from app.ui.formats import plain
from app.ui.products import comparison, product_table, state
from app.ui.products.state import Dialog
from app.ui.sign_in import access

MODE = "edit_in_place"  # the key of the switch
GONE = 404  # the status of a change of a product that somebody has deleted
CONFLICT = 412  # the status of a change for a version that is no longer the newest
Drafts = Mapping[int, Mapping[str, Any]]  # what is to become of products: new values, by their ids


@dataclass(frozen=True)
class Change:
    """What is to become of one product: new `values`.

    After an attempt that failed, `error` says why; when somebody else saved first, `theirs` is what they saved.
    """

    product: Product
    values: Mapping[str, Any]
    error: ApiError | None = None
    theirs: Product | None = None


def is_on() -> bool:
    """Say whether the table is there to be edited."""
    return bool(st.session_state.get(MODE))


def is_under_way() -> bool:
    """Say whether there are changes that are not saved; another page or filter would lose them."""
    return is_on() and bool(_drafts() or st.session_state.get(_editor_key(), {}).get("edited_rows"))


def switch() -> None:
    """Show the switch between a table to look at and one to edit; it cannot be turned while there are changes."""
    # It outlives a visit to another page, as the changes do.
    st.toggle(session.texts().edit_in_place, key=MODE, disabled=is_under_way(), persist_state="session")


def table(products: Sequence[Product]) -> Drafts:
    """Show the products to be edited, and return what was changed."""
    key = _editor_key()
    if key not in st.session_state:  # a new table, maybe after a visit to another page: what was typed is still to save
        st.session_state["seed"] = _drafts()
    st.session_state["drafts"] = product_table.edit(products, st.session_state["seed"], key=key)
    return _drafts()


def show_unclear_prices(products: Sequence[Product], changes: Drafts) -> bool:
    """Say of each price that was typed and is none what to write instead; False when there is none such."""
    told = [
        f":red[:small[:material/error: {plain(product.name)}, {plain(changes[product.id]['price'])}: {plain(unclear)}]]"
        for product in products
        if (unclear := _unclear_price(changes.get(product.id, {})))
    ]
    if told:
        st.markdown("  \n".join(told))
    return bool(told)


def actions(products: Sequence[Product], changes: Drafts) -> None:
    """Show the buttons that look through the changes and give them up."""
    texts = session.texts()
    by_id = {product.id: product for product in products}

    def review() -> None:
        st.session_state["saved_names"] = []
        _keep([Change(by_id[product_id], values) for product_id, values in changes.items()])
        state.set_dialog(Dialog("review"))

    label = texts.review_one if len(changes) == 1 else texts.review.format(count=len(changes))
    st.button(
        label if changes else texts.review_none,
        key="review",
        icon=":material/rate_review:",
        type="primary" if changes else "secondary",
        disabled=not changes,
        on_click=review,
    )
    st.button(
        texts.discard,
        key="discard",
        icon=":material/undo:",
        disabled=not is_under_way(),
        on_click=_new_editor,
        args=({},),
    )


def review() -> None:
    """Show what the dialog holds: every change, before and after, and the button that saves them."""
    texts = session.texts()
    pending = _kept()
    if names := st.session_state.get("saved_names"):
        st.success(texts.saved_already.format(names=", ".join(map(plain, names))), icon=":material/check:")
    for change in pending:
        _show(change)
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(texts.go_on_editing, key="review_back"):
            state.set_dialog(None)
            st.rerun()
        wanted = st.button(
            texts.save_one if len(pending) == 1 else texts.save_many.format(count=len(pending)),
            key="review_save",
            type="primary",
            icon=":material/save:",
        )
    if wanted:
        with st.spinner(texts.saving):
            _save(pending)
        st.rerun()


def _show(change: Change) -> None:
    texts = session.texts()
    product, theirs = change.product, change.theirs
    with st.container(border=True):
        st.markdown(f"**{plain(product.name)}** ({texts.id} {product.id})")
        if theirs is None:
            comparison.before_and_after(product, change.values)
        if change.error is not None:
            st.error(plain(errors.sentences(change.error, texts)), icon=":material/error:")
            if change.error.status == GONE:
                _choose_about_gone(change)
        elif unclear := _unclear_price(change.values):
            st.error(plain(unclear), icon=":material/error:")
        if theirs is None:
            return
        st.warning(texts.conflict, icon=":material/group:")
        comparison.mine_and_theirs(product, change.values, theirs)
        st.radio(
            texts.whose,
            ["mine", "theirs"],
            format_func=lambda whose: texts.mine if whose == "mine" else texts.theirs,
            horizontal=True,
            key=_choice_key(theirs),
        )


def _choose_about_gone(change: Change) -> None:
    """Let the person drop a change of a product that somebody else has deleted, or make a new product of it."""
    texts, product = session.texts(), change.product
    with st.container(horizontal=True):
        dropped = st.button(texts.drop_change, key=f"drop{product.id}", icon=":material/remove_done:")
        created = st.button(texts.save_as_new, key=f"as_new{product.id}", icon=":material/add:")
    if created:
        values = {name: vars(product)[name] for name in EDITABLE} | dict(change.values)
        key = st.session_state.setdefault(f"new_of{product.id}_{sorted(values.items())!r}", uuid4().hex)
        try:
            new = access.client().create_product({n: v for n, v in values.items() if v not in (None, "")}, key)
        except ApiError as error:
            errors.explain_price(error, values["price"])
            st.error(plain(errors.sentences(error, texts)), icon=":material/error:")
            return
        _note_saved([new])
        state.keep_listed(None)
    if dropped or created:
        _go_on_with([other for other in _kept() if other.product.id != product.id])
        _leave_list(product)
        st.rerun()


def _unclear_price(values: Mapping[str, Any]) -> str | None:
    """Return why a price among new values is none."""
    price = values.get("price")
    return errors.price_sentence(price, session.texts()) if isinstance(price, str) else None


def _choice_key(theirs: Product) -> str:
    return f"whose{theirs.id}_{theirs.version}"


def _save(pending: Sequence[Change]) -> None:
    """Save one after the other; what was saved, or given up for somebody else's, is no longer pending."""
    left, saved, kept = [], [], []
    for change in pending:
        now = change.theirs or change.product
        if st.session_state.get(_choice_key(now)) == "theirs":
            kept.append(now)
            continue
        try:
            saved.append(access.client().update_product(now.id, change.values, version=now.version))
        except ApiError as error:
            errors.explain_price(error, change.values.get("price"))
            failed = _failed(change, error)
            if failed.theirs is not None and has(failed.theirs, change.values):
                saved.append(failed.theirs)
            else:
                left.append(failed)
    replace_in_list([*saved, *kept])
    _note_saved(saved)
    _go_on_with(left)


def _note_saved(products: Sequence[Product]) -> None:
    """Remember what was saved from this review, for as long as some of it is left."""
    st.session_state["saved_names"] = [
        *st.session_state.get("saved_names", []),
        *(product.name for product in products),
    ]


def _go_on_with(left: Sequence[Change]) -> None:
    """Leave only these changes to be reviewed and saved; without any, the review is over."""
    texts = session.texts()
    _keep(left)
    _new_editor({change.product.id: change.values for change in left})
    if not left:
        state.set_dialog(None)
        count = len(st.session_state.get("saved_names", []))
        if count:
            session.announce(texts.saved_one if count == 1 else texts.saved_many.format(count=count))


def _failed(change: Change, error: ApiError) -> Change:
    if error.status != CONFLICT:
        return replace(change, error=error)
    try:
        theirs = access.client().read_product(change.product.id)
    except ApiError as gone:
        return replace(change, error=gone)
    return replace(change, error=None, theirs=theirs)


def _leave_list(gone: Product) -> None:
    """Show the list without a product that is no longer there."""
    listed = state.listed()
    if listed is not None:
        products = tuple(product for product in listed.page.products if product.id != gone.id)
        state.keep_listed(replace(listed, page=replace(listed.page, products=products)))


def has(product: Product, values: Mapping[str, Any]) -> bool:
    """Say whether a product is as it was to become: an attempt that seemed to fail was made, or others did it."""
    return all(getattr(product, name) == value for name, value in values.items())


def replace_in_list(saved: Sequence[Product]) -> None:
    """Show the products as they are now where they stood: sorting anew would move rows under who edits them."""
    state.note_change()
    listed = state.listed()
    if listed is not None:
        new = {product.id: product for product in saved}
        page = replace(listed.page, products=tuple(new.get(old.id, old) for old in listed.page.products))
        state.keep_listed(replace(listed, page=page))


def _editor_key() -> str:
    return f"editor{st.session_state.get('editors', 0)}"


def _new_editor(drafts: Drafts) -> None:
    """Have the table show what is stored, except for `drafts`."""
    st.session_state["editors"] = st.session_state.get("editors", 0) + 1
    st.session_state["drafts"] = drafts


def _drafts() -> Drafts:
    drafts: Drafts = st.session_state.get("drafts", {})
    return drafts


def _keep(changes: Sequence[Change]) -> None:
    st.session_state["changes"] = tuple(changes)


def _kept() -> tuple[Change, ...]:
    changes: tuple[Change, ...] = st.session_state.get("changes", ())
    return changes
