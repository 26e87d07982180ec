"""An ApiError as the sentence a visitor reads."""

import streamlit as st

from app.ui import session
from app.ui.api_models import ApiError, Failure, FieldError
from app.ui.formats import plain
from app.ui.settings import api_url
from app.ui.texts import Texts

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
}
_WRONG_VALUES = {
    "email_fornecedor": "wrong_email",
    "price": "wrong_number",
    "name": "wrong_character",
    "description": "wrong_character",
}


def show(error: ApiError, title: str) -> None:
    """Show what failed (`title`) and why: the API's own sentence when it gave one."""
    st.error(plain(sentence(error, session.texts())), title=title, icon=":material/error:")


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
        case Failure.NOT_THE_API:
            return texts.not_the_api.format(url=api_url())
