"""An ApiError as the sentence a visitor reads."""

import streamlit as st

from app.ui import session
from app.ui.api_client import ApiError, Failure
from app.ui.formats import plain
from app.ui.settings import api_url
from app.ui.texts import Texts


def show(error: ApiError, title: str) -> None:
    """Show what failed (`title`) and why: the API's own sentence when it gave one."""
    st.error(plain(sentence(error, session.texts())), title=title, icon=":material/error:")


def sentence(error: ApiError, texts: Texts) -> str:
    """Return why a request failed, and whether it may have had an effect all the same."""
    reason = _reason(error, texts)
    return f"{reason} {texts.outcome_unknown}" if error.outcome_unknown else reason


def _reason(error: ApiError, texts: Texts) -> str:
    match error.failure:
        case Failure.REFUSED if error.status == 401:
            return texts.unauthorized
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
