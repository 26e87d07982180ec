"""The controls above the list: search, categories, further filters and the order; each change is a new address."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui import errors, session
from app.ui.client.api_models import CATEGORIES, ApiError
from app.ui.formats import money, plain
from app.ui.products.list_view import COLUMNS, HIGHEST_PRICE, LONGEST, ListView
from app.ui.texts import Texts

KEY = "list_{}"  # the controls' keys, by the name of what they set
FURTHER = ("price_min", "price_max", "email_fornecedor", "created_from", "created_to")  # behind one button
Places = Mapping[str, DeltaGenerator]  # where to say what is wrong with a value, by the API's names


def show(view: ListView, *, disabled: bool) -> Places:
    """Show the controls as `view` has them, and return the places beside them.

    They are disabled while there are changes that another page would lose.
    """
    texts = session.texts()
    _follow(view)

    def control(name: str, read: Callable[[Any], Any]) -> dict[str, Any]:
        def changed() -> None:
            # Not `view`: another control may have changed the address since it was shown.
            ListView.from_query_params().go(**{name: read(st.session_state[KEY.format(name)])})

        return {
            "label": getattr(texts, name),
            # The label of a control that is disabled is too pale to read.
            "label_visibility": "hidden" if disabled else "visible",
            "key": KEY.format(name),
            "on_change": changed,
            "disabled": disabled,
        }

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            **control("q", str.strip),
            type="search",
            max_chars=LONGEST["q"],
            placeholder=texts.q_example,
            icon=":material/search:",
            width="stretch",
        )
        # Not pills: a selected one is too pale to read in the dark theme.
        st.multiselect(
            **control("categoria", tuple),
            options=CATEGORIES,
            placeholder=texts.all_categories,
            select_all=False,
            filter_mode=None,
            width=330,
        )
        with st.popover(_further_label(view, texts), icon=":material/filter_list:", disabled=disabled):
            places = _further(control, texts)
        orders = [minus + column for column in COLUMNS for minus in ("", "-")]
        st.selectbox(
            **control("sort", str),
            options=sorted(orders, key=lambda order: order not in ("id", "-id")),
            format_func=lambda order: order_text(order, texts),
            filter_mode=None,
            width=230,
        )
    if view.is_filtered:
        with st.container(horizontal=True, vertical_alignment="center"):
            if chosen := _further_words(view, texts):
                st.markdown(plain(texts.further_chosen.format(filters="; ".join(chosen))), width="content")
            st.button(
                texts.clear_filters,
                key="clear_filters",
                icon=":material/filter_list_off:",
                type="tertiary",
                disabled=disabled,
                on_click=ListView(sort=view.sort, limit=view.limit).go,
            )
    return places | {"q": st.empty()}


def tell(error: ApiError, places: Places) -> bool:
    """Show what is wrong with the filters; False when something else is wrong."""
    if not errors.mark(error, places):
        return False
    # The place of the search is below all controls. All of it is told there: the further ones may be out of sight.
    places["q"].error(plain(errors.sentences(error, session.texts())), icon=":material/error:")
    return True


def order_text(order: str, texts: Texts) -> str:
    """Say how the list is sorted."""
    if order.removeprefix("-") == "id":
        return texts.newest_first if order == "-id" else texts.oldest_first
    direction = texts.descending if order.startswith("-") else texts.ascending
    return direction.format(column=getattr(texts, order.removeprefix("-")))


def _further(control: Callable[[str, Callable[[Any], Any]], dict[str, Any]], texts: Texts) -> dict[str, DeltaGenerator]:
    prices, days = st.columns(2), st.columns(2)
    for name, place in zip(("price_min", "price_max"), prices, strict=True):
        place.number_input(
            **control(name, _price),
            value=None,
            min_value=0.0,
            max_value=float(HIGHEST_PRICE),
            step=1.0,
            format="%.2f",
        )
    for name, place in zip(("created_from", "created_to"), days, strict=True):
        place.date_input(**control(name, lambda day: day), value=None, format=texts.date_input_format)
    email = st.container()
    email.text_input(
        **control("email_fornecedor", str.strip),
        max_chars=LONGEST["email_fornecedor"],
        placeholder=texts.email_example,
    )
    names = ("price_min", "price_max", "created_after", "created_before", "email_fornecedor")
    return dict(zip(names, (*prices, *days, email), strict=True))


def _price(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{value:.2f}")


def _follow(view: ListView) -> None:
    """Set the controls to what the address says: it may be a link's, or one that the reader went back to."""
    shown = {
        "q": view.q,
        "categoria": list(view.categoria),
        "sort": view.sort,
        "price_min": None if view.price_min is None else float(view.price_min),
        "price_max": None if view.price_max is None else float(view.price_max),
        "email_fornecedor": view.email_fornecedor,
        "created_from": view.created_from,
        "created_to": view.created_to,
    }
    for name, value in shown.items():
        if st.session_state.get(KEY.format(name), ...) != value:
            st.session_state[KEY.format(name)] = value


def _further_label(view: ListView, texts: Texts) -> str:
    chosen = sum(getattr(view, name) not in (None, "") for name in FURTHER)
    return f"{texts.further_filters} ({chosen})" if chosen else texts.further_filters


def _further_words(view: ListView, texts: Texts) -> list[str]:
    words = []
    for name in FURTHER:
        value = getattr(view, name)
        if value not in (None, ""):
            shown = money(value, texts) if isinstance(value, Decimal) else value
            if name.startswith("created_"):
                shown = value.strftime(texts.day_format)
            words.append(f"{getattr(texts, name)} {shown}")
    return words
