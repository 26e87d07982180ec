"""The dialogs that add, edit and delete a product; any page may open one.

Which dialog is open is session state: a page calls `show` at its end, and what was typed stays until it is saved.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import uuid4

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui import errors, session
from app.ui.api_models import CATEGORIES, ApiError, Product
from app.ui.formats import money, plain
from app.ui.session import Dialog

Values = dict[str, Any]


def add() -> None:
    """Open the dialog of a new product."""
    session.set_dialog(Dialog("add"))


def edit(product_id: int) -> None:
    """Open the dialog that changes a product as it is now, or show why that is not possible."""
    _open("edit", product_id)


def delete(product_id: int) -> None:
    """Open the dialog that asks before it deletes a product, or show why that is not possible."""
    _open("delete", product_id)


def show() -> None:
    """Show the dialog that is open, if any."""
    texts = session.texts()
    match session.open_dialog():
        case Dialog("add"):
            _dialog(texts.add_title, ":material/add_box:", _add)
        case Dialog("edit", Product() as product):
            _dialog(texts.edit_title.format(id=product.id), ":material/edit:", _edit, product)
        case Dialog("delete", Product() as product):
            _dialog(texts.delete_title.format(id=product.id), ":material/delete:", _delete, product)


def _open(kind: Any, product_id: int) -> None:
    try:
        session.set_dialog(Dialog(kind, session.client().read_product(product_id)))
    except ApiError as error:
        errors.show(error, session.texts().could_not_read.format(id=product_id))


def _dialog(title: str, icon: str, body: Callable[..., None], *arguments: object) -> None:
    def still_open() -> None:
        # Only this function runs again while the dialog is open; once it is closed, the page has to.
        if session.open_dialog() is None:
            st.rerun()
        body(*arguments)

    st.dialog(title, icon=icon, width="medium", on_dismiss=_dismissed)(still_open)()


def _dismissed() -> None:
    session.set_dialog(None)


def _add() -> None:
    texts = session.texts()
    draft = st.session_state.setdefault("draft", 1)  # a new number after each success empties the fields

    def save(values: Values) -> str:
        given = {name: value for name, value in values.items() if value not in (None, "")}
        product = session.client().create_product(given, st.session_state.setdefault(f"key{draft}", uuid4().hex))
        st.session_state["draft"] = draft + 1
        return texts.created.format(name=plain(product.name), id=product.id)

    _form(f"new{draft}", None, texts.save_new, save)


def _edit(product: Product) -> None:
    texts = session.texts()

    def save(values: Values) -> str:
        changes = {name: value for name, value in values.items() if value != getattr(product, name)}
        changed = session.client().update_product(product.id, changes, version=product.version)
        return texts.updated.format(name=plain(changed.name))

    _form(f"edit{product.id}", product, texts.save_changes, save)


def _delete(product: Product) -> None:
    texts = session.texts()
    facts = {"name": product.name, "categoria": product.categoria, "price": money(product.price, texts)}
    st.markdown(texts.delete_question.format(**{name: plain(value) for name, value in facts.items()}))
    st.caption(texts.delete_warning.format(id=product.id))
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(texts.cancel, key="delete_cancel"):
            session.set_dialog(None)
            st.rerun()
        confirmed = st.button(texts.delete_confirm, key="delete_confirm", type="primary", icon=":material/delete:")
    if confirmed:
        with st.spinner(texts.deleting):
            try:
                gone = session.client().delete_product(product.id, version=product.version)
            except ApiError as error:
                errors.show(error, texts.could_not_delete)
            else:
                _done(texts.deleted.format(name=plain(gone.name)))


def _form(key: str, product: Product | None, submit_label: str, save: Callable[[Values], str]) -> None:
    texts = session.texts()
    with st.form(key, border=False):
        values, places = _fields(key, product)
        result = st.container()
        with st.container(horizontal=True, horizontal_alignment="right"):
            submitted = st.form_submit_button(submit_label, key=f"{key}_submit", type="primary", icon=":material/save:")
    if submitted:
        with result, st.spinner(texts.saving):
            try:
                message = save(values)
            except ApiError as error:
                _show_in_form(error, places)
            else:
                _done(message)


def _fields(key: str, product: Product | None) -> tuple[Values, Mapping[str, DeltaGenerator]]:
    """Show a field for each value; return the values and, by name, the places where messages about them go."""
    texts = session.texts()
    persist: Any = None if product else "session"  # a new product half typed survives a closed dialog
    places = {"name": st.container(gap="xsmall")}
    left, right = st.columns(2)
    places |= {"categoria": left.container(gap="xsmall"), "price": right.container(gap="xsmall")}
    places |= {name: st.container(gap="xsmall") for name in ("email_fornecedor", "description")}

    def identity(name: str) -> dict[str, Any]:
        return {"label": getattr(texts, name), "key": f"{key}_{name}", "persist_state": persist}

    values: Values = {}
    values["name"] = places["name"].text_input(
        **identity("name"), value=product.name if product else "", max_chars=200, placeholder=texts.name_example
    )
    categories = [*dict.fromkeys([*CATEGORIES, *([product.categoria] if product else [])])]
    values["categoria"] = places["categoria"].selectbox(
        **identity("categoria"),
        options=categories,
        index=categories.index(product.categoria) if product else None,
        placeholder=texts.choose_category,
    )
    price = places["price"].number_input(
        **identity("price") | {"label": texts.price_in_reais},
        value=float(product.price) if product else None,
        min_value=0.01,
        step=0.01,
        format="%.2f",
        placeholder=money(0, texts).split()[-1],
    )
    values["price"] = None if price is None else Decimal(str(price))
    values["email_fornecedor"] = places["email_fornecedor"].text_input(
        **identity("email_fornecedor"),
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
    for wrong in error.errors:
        if wrong.field in places:
            sentence = errors.field_sentence(wrong, texts)
            places[wrong.field].markdown(f":red[:small[:material/error: {plain(sentence)}]]")
    if error.errors and {wrong.field for wrong in error.errors} <= places.keys():
        st.error(texts.see_fields, title=texts.could_not_save, icon=":material/error:")
    else:
        errors.show(error, texts.could_not_save)


def _done(message: str) -> None:
    session.set_dialog(None)
    session.listing().forget()
    session.announce(message)
    st.rerun()
