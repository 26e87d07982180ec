"""The bin: what was deleted in the last thirty days, and the way back."""

import streamlit as st

from app.ui import address, errors, session
from app.ui.client.api_models import ApiError, DeletedProduct
from app.ui.formats import moment, money, plain
from app.ui.products import history, undo
from app.ui.sign_in import access

texts = session.texts()


def row(deleted: DeletedProduct) -> None:
    """Show a deleted product with the button that takes it back."""
    product = deleted.product
    when = moment(deleted.at, session.zone(), texts)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", border=True):
        with st.container(width="content", gap=None):
            st.markdown(
                f"**{plain(product.name)}** · {plain(money(product.price, texts))} · {plain(product.categoria)}"
            )
            who = history.person(deleted.person, texts)
            st.caption(texts.deleted_when.format(id=product.id, when=plain(when), who=who))
        if st.button(texts.restore, key=f"restore{product.id}", icon=":material/restore_from_trash:"):
            undo.restore([product.id])


def show() -> None:
    """Show the newest of the bin, and older ones as they are asked for."""
    st.caption(texts.bin_hint)
    places: list[str] = st.session_state.setdefault("bin_places", [])
    try:
        parts = [access.client().list_deleted(after=place) for place in (None, *places)]
    except ApiError as error:
        errors.show_and_retry(error, texts.could_not_list)
        return
    for products, _ in parts:
        for product in products:
            row(product)
    if not parts[0][0]:
        st.info(texts.bin_empty, icon=":material/delete_sweep:")
    more = parts[-1][1]
    if more is not None and st.button(texts.older, key="older_deleted", icon=":material/expand_more:"):
        places.append(more)
        st.rerun()


address.tidy({})
show()
