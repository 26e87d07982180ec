"""An ApiError as the sentence a visitor reads."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui import prices, session
from app.ui.client.api_models import ApiError, Failure, FieldError
from app.ui.formats import amount, bare_amount, plain
from app.ui.prices import UnclearPriceError
from app.ui.settings import api_url
from app.ui.sign_in import access
from app.ui.texts import Texts

RETRY_SECONDS = 5
# The API's statuses that mean the same for every request, and the codes of what may be wrong with a value.
_SENTENCES = {401: "unauthorized", 403: "no_permission", 404: "not_found", 503: "not_ready"}
_CODES = {
    "missing": "wrong_missing",
    "string_too_short": "wrong_blank",
    "string_too_long": "wrong_too_long",
    "string_type": "wrong_text",
    "greater_than": "wrong_not_above",
    "decimal_max_places": "wrong_decimal_places",
    "decimal_whole_digits": "wrong_whole_digits",
    "decimal_max_digits": "wrong_digits",
    "decimal_parsing": "wrong_number",
    "enum": "wrong_categoria",
    "int_parsing": "wrong_id",
    "unknown_id": "wrong_unknown_id",
    "stale_version": "wrong_stale_version",
    "ambiguous": "wrong_ambiguous",
    "contradicts": "wrong_contradicts",
}
_WRONG_VALUES = {
    "q": "wrong_q",
    "price_max": "wrong_price_range",
    "created_before": "wrong_day_range",
    "email_fornecedor": "wrong_email",
    "price": "wrong_number",
    "name": "wrong_character",
    "description": "wrong_character",
}


@contextmanager
def error_boundary() -> Iterator[None]:
    """Turn what nobody has thought of into a sentence on the page and a traceback in the log.

    Each part that Streamlit runs by itself (the page, a fragment, a dialog) needs this around it.
    """
    try:
        yield
    except Exception:
        logging.getLogger(__name__).exception("a page failed")
        texts = session.texts()
        st.error(texts.unexpected, title=texts.unexpected_title, icon=":material/error:")


def show(error: ApiError, title: str) -> None:
    """Show what failed (`title`, unless it may have been done) and why: the API's own sentence when it gave one."""
    texts = session.texts()
    title = texts.outcome_unknown_title if error.outcome_unknown else title
    st.error(plain(sentences(error, texts)), title=title, icon=":material/error:")
    is_ours = error.status is None or error.status >= 500  # and not what was asked for
    if error.request_id and is_ours:
        st.caption(texts.request_id.format(id=error.request_id))


def show_and_retry(error: ApiError, title: str) -> None:
    """Show what failed and a button that tries again; what may pass by itself is tried again without being asked."""
    texts = session.texts()
    show(error, title)
    st.button(texts.retry, key="retry", icon=":material/refresh:")
    if error.may_pass:
        _wait_for_the_api()


def mark(error: ApiError, places: Mapping[str, DeltaGenerator]) -> bool:
    """Show what is wrong with each value in its place, by the API's names; False when not all of it has a place."""
    for wrong in error.errors:
        if wrong.field in places:
            mark_one(places[wrong.field], field_sentence(wrong, session.texts()))
    return bool(error.errors) and {wrong.field for wrong in error.errors} <= places.keys()


def mark_one(place: DeltaGenerator, sentence: str) -> None:
    """Show in its place what is wrong with a value."""
    place.markdown(f":red[:small[:material/error: {plain(sentence)}]]")


def explain_price(error: ApiError, price: object) -> None:
    """Have an error say of a price that was sent as it was typed what somebody who types prices has to know."""
    texts = session.texts()
    sentence = price_sentence(price, texts) if isinstance(price, str) else texts.wrong_missing if price is None else ""
    if sentence:
        told = FieldError("price", sentence)
        error.errors = tuple(told if wrong.field == "price" else wrong for wrong in error.errors)


def price_sentence(text: str, texts: Texts) -> str | None:
    """Return why a text is no price, and what to write instead; None when it is one."""
    try:
        prices.read(text)
    except UnclearPriceError as unclear:
        readings = unclear.readings
    else:
        return None
    if not readings:
        return texts.wrong_number
    large, small = readings
    return texts.wrong_price_two_ways.format(
        large=f"R$ {amount(large, texts)}",
        small=f"R$ {amount(small, texts)}",
        write_large=bare_amount(large, texts),
        write_small=bare_amount(small, texts),
    )


@st.fragment(run_every=RETRY_SECONDS)
def _wait_for_the_api() -> None:
    st.caption(session.texts().retrying.format(seconds=RETRY_SECONDS))
    if st.session_state.pop("asked_before", False) and not session.dialog_is_open() and access.client().is_ready():
        st.rerun()
    st.session_state["asked_before"] = True  # the first run is part of the page that has just failed


def sentences(error: ApiError, texts: Texts) -> str:
    """Return why a request failed, value by value where the API says which are wrong."""
    wrong = [f"{getattr(texts, e.field, e.field)}: {field_sentence(e, texts)}" for e in error.errors]
    return " ".join(wrong) or sentence(error, texts)


def sentence(error: ApiError, texts: Texts) -> str:
    """Return why a request failed, and whether it may have had an effect all the same."""
    reason = _reason(error, texts)
    return f"{reason} {texts.outcome_unknown}" if error.outcome_unknown else reason


def field_sentence(error: FieldError, texts: Texts) -> str:
    """Return what is wrong with a value, in the visitor's language where its code is known."""
    name = _WRONG_VALUES.get(error.field) if error.code == "value_error" else _CODES.get(error.code)
    return _text(texts, name).format(**error.context) if name else error.message


def _text(texts: Texts, name: str) -> str:
    text: str = getattr(texts, name)
    return text


def _reason(error: ApiError, texts: Texts) -> str:
    match error.failure:
        case Failure.REFUSED if error.status in _SENTENCES:
            return _text(texts, _SENTENCES[error.status])
        case Failure.REFUSED:
            return error.detail
        case Failure.UNREACHABLE:
            return texts.unreachable.format(url=api_url())
        case Failure.TIMEOUT:
            return texts.timeout
        case Failure.INTERRUPTED:
            return texts.interrupted
        case Failure.NOT_THE_API if error.status is not None and error.status >= 500:
            return texts.server_error.format(status=error.status)
        case Failure.NOT_THE_API if error.status == 403:
            return texts.refused_in_front
        case Failure.NOT_THE_API:
            return texts.not_the_api.format(url=api_url())
