"""The dialogs that add, edit and delete products; any page may open one.

Which dialog is open is session state: a page calls `show` at its end, and what was typed stays until it is saved.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import uuid4

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui import errors, prices, session
from app.ui.client.api_models import CATEGORIES, EDITABLE, ApiError, Chosen, Product, Totals
from app.ui.formats import amount, money, number, plain, plain_start
from app.ui.products import bulk, comparison, inline_edit, state, undo
from app.ui.products.inline_edit import CONFLICT
from app.ui.products.state import Dialog
from app.ui.products.undo import Undo
from app.ui.sign_in import access

Values = dict[str, Any]
GONE = 409  # the status of a deletion of which some products do not exist
NAMED = 10  # products that a question lists; of more it says how many


def add() -> None:
    """Open the dialog of a new product."""
    draft = _draft()
    is_draft = any(st.session_state.get(f"{draft}_{name}") for name in EDITABLE)
    state.set_dialog(Dialog("add", fields=draft, is_draft=is_draft))


def edit(product_id: int) -> None:
    """Open the dialog that changes a product as it is now, or show why that is not possible."""
    try:
        product = access.client().read_product(product_id)
    except ApiError as error:
        errors.show(error, session.texts().could_not_read.format(id=product_id))
        return
    st.session_state["edits"] = st.session_state.get("edits", 0) + 1
    state.set_dialog(Dialog("edit", (product,), fields=f"edit{st.session_state['edits']}"))


def duplicate(product: Product) -> None:
    """Open the dialog of a new product with all that another one has; a new one half typed before stays as it is."""
    st.session_state["copies"] = st.session_state.get("copies", 0) + 1
    fields = f"copy{st.session_state['copies']}"
    for name in EDITABLE:
        value = getattr(product, name)
        shown = amount(value, session.texts()) if name == "price" else value or ""
        st.session_state[f"{fields}_{name}"] = shown
    state.set_dialog(Dialog("add", fields=fields))


def delete(products: Sequence[Product]) -> None:
    """Open the dialog that asks before it deletes products."""
    state.set_dialog(Dialog("delete", tuple(products)))


def show() -> None:
    """Show the dialog that is open, if any."""
    texts = session.texts()
    match state.open_dialog():
        case Dialog("add") as dialog:
            _dialog(texts.add_title, ":material/add_box:", _add, dialog)
        case Dialog("edit", (product,)) as dialog if dialog.theirs is None:
            _dialog(texts.edit_title.format(id=product.id), ":material/edit:", _edit, product, dialog.fields)
        case Dialog("edit", (product,), mine, theirs):
            _dialog(texts.edit_title.format(id=product.id), ":material/edit:", _choose, product, mine, theirs)
        case Dialog("delete", (product,)) as dialog:
            _dialog(texts.delete_title.format(id=product.id), ":material/delete:", _delete_one, product, dialog.theirs)
        case Dialog("delete", products):
            title = texts.delete_many_title.format(count=len(products))
            _dialog(title, ":material/delete:", _delete_many, products)
        case Dialog("change_many", totals=Totals() as totals) as dialog:
            title = texts.change_many_title.format(count=number(totals.count, texts))
            _dialog(title, ":material/price_change:", bulk.show_change, dialog.chosen, totals.count)
        case Dialog("delete_all", totals=Totals() as totals) as dialog:
            title = texts.delete_many_title.format(count=number(totals.count, texts))
            _dialog(title, ":material/delete:", bulk.show_delete, dialog.chosen, totals)
        case Dialog("review"):
            _dialog(texts.review_title, ":material/rate_review:", inline_edit.review)


def _dialog(title: str, icon: str, body: Callable[..., None], *arguments: object) -> None:
    def still_open() -> None:
        # Only this function runs again while the dialog is open; once it is closed, the page has to.
        if state.open_dialog() is None:
            st.rerun()
        with errors.error_boundary():
            body(*arguments)

    st.dialog(title, icon=icon, width="medium", on_dismiss=_dismissed)(still_open)()


def _dismissed() -> None:
    state.set_dialog(None)


def _draft() -> str:
    """Return how the keys of the fields begin in which a new product is typed."""
    return f"new{st.session_state.setdefault('draft', 1)}"


def _add(dialog: Dialog) -> None:
    texts = session.texts()
    draft = dialog.fields

    def save(values: Values) -> str:
        given = {name: value for name, value in values.items() if value not in (None, "")}
        # One key for one product: a second attempt with the same values does not create it twice.
        if st.session_state.get("attempt", (None,))[0] != (draft, given):
            st.session_state["attempt"] = ((draft, given), uuid4().hex)
        product = access.client().create_product(given, st.session_state["attempt"][1])
        if draft == _draft():
            st.session_state["draft"] += 1  # another number has empty fields
        return texts.created.format(
            name=plain_start(product.name), price=plain(money(product.price, texts)), id=product.id
        )

    if dialog.is_draft:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(texts.draft_came_back, width="content")
            if st.button(texts.drop_draft, key="drop_draft", icon=":material/ink_eraser:"):
                st.session_state["draft"] += 1
                add()
                st.rerun()
    _form(draft, None, texts.save_new, save)


def _edit(product: Product, fields: str) -> None:
    def save(values: Values) -> str:
        changes = {name: value for name, value in values.items() if value != getattr(product, name)}
        return _save_or_ask(product, changes)

    _form(fields, product, session.texts().save_changes, save)


def _choose(product: Product, mine: Mapping[str, Any], theirs: Product) -> None:
    """Show what was to be saved beside what somebody else has saved meanwhile, and let the person choose."""
    texts = session.texts()
    st.warning(texts.conflict, icon=":material/group:")
    comparison.mine_and_theirs(product, mine, theirs)
    with st.container(horizontal=True, horizontal_alignment="right"):
        dropped = st.button(texts.keep_theirs, key="keep_theirs")
        kept = st.button(texts.save_mine, key="save_mine", type="primary", icon=":material/save:")
    if dropped:
        inline_edit.replace_in_list([theirs])
        _done(texts.kept_theirs.format(name=plain_start(theirs.name)), read_again=False)
    if kept:
        with st.spinner(texts.saving):
            try:
                message = _save_or_ask(theirs, mine)
            except ApiError as error:
                errors.show(error, texts.could_not_save)
            else:
                _done(message, read_again=False)


def _save_or_ask(product: Product, changes: Mapping[str, Any]) -> str:
    """Save changes to `product` and return what to say of it; when it is no longer that version, ask what to do."""
    try:
        changed = access.client().update_product(product.id, changes, version=product.version)
    except ApiError as error:
        if error.status != CONFLICT:
            raise
        changed = access.client().read_product(product.id)
        if not inline_edit.has(changed, changes):
            state.set_dialog(Dialog("edit", (product,), changes, changed))
            st.rerun()
    inline_edit.replace_in_list([changed])
    texts = session.texts()
    return texts.updated.format(name=plain_start(changed.name), price=plain(money(changed.price, texts)))


def _delete_one(product: Product, theirs: Product | None) -> None:
    texts = session.texts()
    if theirs is not None:
        st.warning(texts.changed_before_delete, icon=":material/group:")
    facts = {"name": product.name, "categoria": product.categoria, "price": money(product.price, texts)}
    st.markdown(texts.delete_question.format(**{name: plain(value) for name, value in facts.items()}))
    st.caption(texts.delete_warning)

    def delete_it() -> str:
        try:
            gone = access.client().delete_product(product.id, version=product.version)
        except ApiError as error:
            if error.status != CONFLICT:
                raise
            now = access.client().read_product(product.id)
            state.set_dialog(Dialog("delete", (now,), theirs=now))
            st.rerun()
        message = texts.deleted.format(name=plain_start(gone.name))
        undo.offer(Undo(message, product_id=gone.id))
        return message

    _confirm(delete_it, texts.delete_confirm)


def _delete_many(products: Sequence[Product]) -> None:
    texts = session.texts()
    st.markdown(texts.delete_many_question.format(count=len(products)))
    named = [f"- {plain(product.name)}, {plain(money(product.price, texts))}" for product in products[:NAMED]]
    if len(products) > NAMED:
        named.append(f"- {texts.and_more.format(count=len(products) - NAMED)}")
    st.markdown("\n".join(named))
    st.caption(texts.delete_many_warning)

    def delete_them() -> str:
        chosen = Chosen(ids=tuple(product.id for product in products))
        deletion = access.client().delete_products(chosen, len(products))
        message = texts.deleted_many.format(count=deletion.count)
        undo.offer(Undo(message, deletion=deletion.key))
        return message

    _confirm(delete_them, texts.delete_many_confirm.format(count=len(products)))


def _confirm(act: Callable[[], str], label: str) -> None:
    """Show the two answers to a question, and do what was asked about when the answer is yes."""
    texts = session.texts()
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(texts.cancel, key="delete_cancel"):
            state.set_dialog(None)
            st.rerun()
        confirmed = st.button(label, key="delete_confirm", type="primary", icon=":material/delete:")
    if confirmed:
        with st.spinner(texts.deleting):
            try:
                message = act()
            except ApiError as error:
                state.keep_listed(None)
                if error.status == GONE:
                    st.error(texts.some_gone, title=texts.could_not_delete, icon=":material/error:")
                else:
                    errors.show(error, texts.could_not_delete)
            else:
                _done(message)


def _form(key: str, product: Product | None, submit_label: str, save: Callable[[Values], str]) -> None:
    texts = session.texts()
    # What was typed into a form is known when it is sent only: of a new product nothing that was typed is to be lost.
    button, shortcut = (st.form_submit_button, None) if product else (st.button, "Ctrl+Enter")
    with st.form(key, border=False) if product else st.container():
        values, places = _fields(key, product)
        result = st.container()
        with st.container(horizontal=True, horizontal_alignment="right"):
            submitted = button(
                submit_label, key=f"{key}_submit", type="primary", icon=":material/save:", shortcut=shortcut
            )
    if submitted:
        with result, st.spinner(texts.saving):
            try:
                message = save(values)
            except ApiError as error:
                errors.explain_price(error, values["price"])
                _show_in_form(error, places)
            else:
                _done(message, read_again=product is None)


def _fields(key: str, product: Product | None) -> tuple[Values, Mapping[str, DeltaGenerator]]:
    """Show a field for each value; return the values and, by name, the places where messages about them go."""
    texts = session.texts()
    # A new product half typed survives a closed dialog: each key is noted, and comes with the next thing that is done.
    noted: dict[str, Any] = {} if product else {"persist_state": "session", "on_change": "ignore"}
    at_once: dict[str, Any] = {} if product else {"live": "0ms"}
    places = {"name": st.container(gap="xsmall")}
    left, right = st.columns(2)
    places |= {"categoria": left.container(gap="xsmall"), "price": right.container(gap="xsmall")}
    places |= {name: st.container(gap="xsmall") for name in ("email_fornecedor", "description")}

    def identity(name: str) -> dict[str, Any]:
        return {"label": getattr(texts, name), "key": f"{key}_{name}", **noted}

    values: Values = {}
    values["name"] = places["name"].text_input(
        **identity("name") | at_once,
        value=product.name if product else "",
        max_chars=200,
        placeholder=texts.name_example,
    )
    categories = [*dict.fromkeys([*CATEGORIES, *([product.categoria] if product else [])])]
    values["categoria"] = places["categoria"].selectbox(
        **identity("categoria"),
        options=categories,
        index=categories.index(product.categoria) if product else None,
        placeholder=texts.choose_category,
    )
    price = places["price"].text_input(
        **identity("price") | at_once | {"label": texts.price_in_reais},
        value=amount(product.price, texts) if product else "",
        max_chars=prices.LONGEST,
        placeholder=amount(Decimal(0), texts),
    )
    values["price"] = prices.typed(price)
    values["email_fornecedor"] = places["email_fornecedor"].text_input(
        **identity("email_fornecedor") | at_once,
        value=product.email_fornecedor if product else "",
        max_chars=254,
        placeholder=texts.email_example,
    )
    description = places["description"].text_area(
        **identity("description"), value=(product.description or "") if product else "", max_chars=2000
    )
    values["description"] = description or None
    return values, places


def _show_in_form(error: ApiError, places: Mapping[str, DeltaGenerator]) -> None:
    texts = session.texts()
    if errors.mark(error, places):
        st.error(texts.see_fields, title=texts.could_not_save, icon=":material/error:")
    else:
        errors.show(error, texts.could_not_save)


def _done(message: str, *, read_again: bool = True) -> None:
    """Close the dialog; not read again, the list stays where it was scrolled to, with what is selected."""
    state.set_dialog(None)
    if read_again:
        state.keep_listed(None)
    session.announce(message)
    st.rerun()
