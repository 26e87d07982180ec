"""One product by its id; the address, for example /produto?id=42, leads straight to it."""

import streamlit as st

from app.ui import address, errors, session
from app.ui.client.api_models import ApiError, Product
from app.ui.formats import moment, money, plain
from app.ui.products import dialogs, history, state, undo
from app.ui.sign_in import access

CARD = 300  # pixels, about as high as the card of a product
FIELD = "product_id"  # its key
GONE = 404  # the status of a product that was deleted, or never was
MAX_ID = 2**31 - 1  # the largest there can be
DIGITS = len(str(MAX_ID))
LONGEST = 40  # characters of what is typed

texts = session.texts()


def look_up(product_id: int) -> Product | None:
    """Return the product, or None after showing why there is none."""
    try:
        with st.skeleton(height=CARD):
            return access.client().read_product(product_id)
    except ApiError as error:
        if error.status == GONE and undo.is_of(product_id):
            return None  # as the words beside the way back say already
        errors.show_and_retry(error, texts.could_not_read.format(id=product_id))
        return None


def card(product: Product) -> None:
    """Show everything known about a product, and what can be done with it."""
    here = session.zone()
    with st.container(border=True, width=760):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(plain(product.name), anchor=False, width="content")
            st.subheader(plain(money(product.price, texts)), anchor=False, width="content")
        st.badge(plain(product.categoria), color="green")
        if product.description:
            st.text(product.description)
        else:
            st.caption(texts.no_description)
        facts = {
            texts.id: str(product.id),
            texts.email_fornecedor: product.email_fornecedor,
            texts.created_at: moment(product.created_at, here, texts),
            texts.updated_at: moment(product.updated_at, here, texts),
        }
        with st.grid(2, min_column_width=280):
            for label, fact in facts.items():
                with st.container(gap=None):
                    st.caption(label)
                    st.text(fact)  # as it is, to be copied
        with st.container(horizontal=True):
            edited = st.button(texts.edit, key="edit", icon=":material/edit:")
            st.button(
                texts.duplicate,
                key="duplicate",
                icon=":material/content_copy:",
                on_click=dialogs.duplicate,
                args=(product,),
            )
            deleted = st.button(texts.delete, key="delete", icon=":material/delete:")
    if edited:
        dialogs.edit(product.id)
    if deleted:
        dialogs.delete([product])


def neighbours(product_id: int) -> None:
    """Show the way to the products beside this one, in the order of the list it was opened from."""
    kept = state.listed()
    ids = [product.id for product in kept.page.products] if kept else []
    if product_id not in ids:
        return
    here = ids.index(product_id)
    for label, key, icon, place in (
        (texts.previous_product, "previous_product", ":material/chevron_left:", here - 1),
        (texts.next_product, "next_product", ":material/chevron_right:", here + 1),
    ):
        is_there = 0 <= place < len(ids)
        # Not a link: one that leads to the page that it is on leaves the address as it is.
        st.button(
            label,
            key=key,
            icon=icon,
            disabled=not is_there,
            on_click=st.query_params.update,
            args=({state.LOOKED_UP: str(ids[place]) if is_there else []},),
        )


def looked_up() -> None:
    """Have the address say what was typed: one step in the browser's history."""
    typed = st.session_state[FIELD].strip()
    st.query_params.update({state.LOOKED_UP: typed or []})


asked = (st.query_params.get_all(state.LOOKED_UP) or [""])[-1]
address.tidy({state.LOOKED_UP: [asked]})  # which is told below where it is no id
is_number = asked.isascii() and asked.isdecimal() and len(asked) <= DIGITS
wanted = int(asked) if is_number and 0 < int(asked) <= MAX_ID else None
if st.session_state.get(FIELD, ...) != asked[:LONGEST]:
    st.session_state[FIELD] = asked[:LONGEST]  # a link's, or what the reader went back to
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.text_input(texts.product_id, max_chars=LONGEST, width=240, key=FIELD, on_change=looked_up)
    # It says again what was typed: a click may come before the browser knows the address of what it ended.
    st.button(texts.look_up, key="look_up", icon=":material/search:", type="primary", on_click=looked_up)
    if wanted is not None:
        neighbours(wanted)

if asked and wanted is None:
    st.error(plain(texts.no_id.format(value=asked[:LONGEST])), icon=":material/error:")
elif wanted is None:
    st.caption(texts.look_up_hint)
else:
    undo.show()
    if found := look_up(wanted):
        card(found)
    history.show(wanted)

dialogs.show()
