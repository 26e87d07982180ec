"""The controls above the list: search, categories, further filters and the order; each change is a new address."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui import errors, prices, session
from app.ui.client.api_models import CATEGORIES, ApiError
from app.ui.formats import amount, money, plain
from app.ui.products import state
from app.ui.products.list_view import COLUMNS, LONGEST, ListView, in_cents
from app.ui.texts import Texts

KEY = "list_{}"  # the controls' keys, by the name of what they set
PRICES = ("price_min", "price_max")
FURTHER = ("price_min", "price_max", "email_fornecedor", "created_from", "created_to")  # behind one button
Places = Mapping[str, DeltaGenerator]  # where to say what is wrong with a value, by the API's names


def show(view: ListView, *, disabled: bool) -> Places:
    """Show the controls as `view` has them, and return the places beside them.

    They are disabled while there are changes that another page would lose.
    """
    texts = session.texts()
    narrow = session.is_narrow()
    _follow(view)

    def width(pixels: int) -> Any:
        return "stretch" if narrow else pixels

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

    with st.container(horizontal=not narrow, vertical_alignment="bottom"):
        st.text_input(
            **control("q", str.strip),
            type="search",
            max_chars=LONGEST["q"],
            placeholder=texts.q_example,
            icon=":material/search:",
            width="stretch",
        )
        popover: Any = "stretch" if narrow else "content"
        # Not pills: a selected one is too pale to read in the dark theme.
        st.multiselect(
            **control("categoria", tuple),
            options=CATEGORIES,
            placeholder=texts.all_categories,
            select_all=False,
            filter_mode=None,
            width=width(330),
        )
        with st.popover(_further_label(view, texts), icon=":material/filter_list:", disabled=disabled, width=popover):
            places = _further(control, texts)
        orders = [minus + column for column in COLUMNS for minus in ("", "-")]
        st.selectbox(
            **control("sort", str),
            options=sorted(orders, key=lambda order: order not in ("id", "-id")),
            format_func=lambda order: order_text(order, texts),
            filter_mode=None,
            width=width(230),
        )
    if view.is_filtered or state.refused_prices():
        with st.container(horizontal=True, vertical_alignment="center"):
            if chosen := _further_words(view, texts):
                st.markdown(plain(texts.further_chosen.format(filters="; ".join(chosen))), width="content")
            st.button(
                texts.clear_filters,
                key="clear_filters",
                icon=":material/filter_list_off:",
                type="tertiary",
                disabled=disabled,
                on_click=_clear,
                args=(view,),
            )
    below = st.empty()
    if wrong := {name: sentence for name in PRICES if (sentence := _refusal(name, texts))}:
        for name, sentence in wrong.items():
            errors.mark_one(places[name], sentence)
        told = " ".join(f"{getattr(texts, name)}: {sentence}" for name, sentence in wrong.items())
        below.error(plain(told), icon=":material/error:")  # the further ones may be out of sight
    return places | {"q": below}


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
    prices_row, days = st.columns(2), st.columns(2)
    for name, place in zip(PRICES, prices_row, strict=True):
        place.text_input(
            **control(name, prices.typed) | {"on_change": _price_typed, "args": (name,)},
            max_chars=prices.LONGEST,
            placeholder=amount(Decimal(0), texts),
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
    return dict(zip(names, (*prices_row, *days, email), strict=True))


def _price_typed(name: str) -> None:
    """Have the address say a price that was typed; one that cannot be stays where it is, for `_refusal` to tell."""
    text = st.session_state[KEY.format(name)]
    typed = prices.typed(text)
    price = in_cents(typed) if isinstance(typed, Decimal) else None
    if typed is None or price is not None:
        state.refused_prices().pop(name, None)
        ListView.from_query_params().go(**{name: price})
    else:
        state.refused_prices()[name] = text


def _refusal(name: str, texts: Texts) -> str | None:
    """Return why a price that was typed cannot be, if it cannot."""
    text = state.refused_prices().get(name)
    return None if text is None else errors.price_sentence(text, texts) or texts.wrong_price_filter


def _clear(view: ListView) -> None:
    state.refused_prices().clear()
    ListView(sort=view.sort, limit=view.limit).go()


def _follow(view: ListView) -> None:
    """Set the controls to what the address says: it may be a link's, or one that the reader went back to."""
    texts = session.texts()
    shown = {
        "q": view.q,
        "categoria": list(view.categoria),
        "sort": view.sort,
        **{name: state.refused_prices().get(name, _written(getattr(view, name), texts)) for name in PRICES},
        "email_fornecedor": view.email_fornecedor,
        "created_from": view.created_from,
        "created_to": view.created_to,
    }
    for name, value in shown.items():
        if st.session_state.get(KEY.format(name), ...) != value:
            st.session_state[KEY.format(name)] = value


def _written(price: Decimal | None, texts: Texts) -> str:
    return "" if price is None else amount(price, texts)


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
