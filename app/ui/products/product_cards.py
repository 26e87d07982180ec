"""A page of products as cards, for a screen that no table fits on."""

from collections.abc import Sequence

import streamlit as st

from app.ui import session
from app.ui.client.api_models import Product
from app.ui.formats import money, plain
from app.ui.products import state


def show(products: Sequence[Product]) -> None:
    """Show name, price and category of each product, which lead to its page, where it can be changed and deleted."""
    texts = session.texts()
    with st.container(key="cards", gap="xsmall"):
        for product in products:
            facts = f"{plain(money(product.price, texts))} · {plain(product.categoria)}"
            st.page_link(
                "views/product.py",
                label=f"**{plain(product.name)}**  \n{facts}",
                help="",
                width="stretch",
                query_params={state.LOOKED_UP: str(product.id)},
            )
