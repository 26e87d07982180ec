"""What the address of a page asks for and the page has no use for: said, and taken out of it."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.ui import language, session
from app.ui.formats import plain
from app.ui.texts import LANGUAGES

EVERYWHERE = {language.NAME: tuple(LANGUAGES)}
SHOWN = 60  # characters of a value
LEFT_WITH = "left_with"  # the key of the parameters of the page that was gone to last


def tidy(used: Mapping[str, Sequence[str]]) -> None:
    """Say which parameters have no effect and remove them; `used` are, by name, the values that this page goes by."""
    kept = {**EVERYWHERE, **used}
    ignored: list[tuple[str, str]] = []
    left_with: Mapping[str, Sequence[str]] = st.session_state.get(LEFT_WITH, {})
    for name in list(st.query_params):
        values = st.query_params.get_all(name)
        effective = [value for value in values if value in kept.get(name, ())]
        dropped = [value for value in values if value not in effective]
        if dropped or name not in kept:
            st.query_params.update({name: effective})
            if values == list(left_with.get(name, ())):
                continue
            ignored += [(name, value) for value in dropped]
    if ignored:
        _say(ignored)


def drop(parameters: Mapping[str, Sequence[str]]) -> None:
    """Take parameters out of the address of which only the API knew that they have no effect, and say so."""
    st.query_params.update({name: [] for name in parameters})
    if ignored := [(name, value) for name, values in parameters.items() for value in values]:
        _say(ignored)


def _say(ignored: Sequence[tuple[str, str]]) -> None:
    parts = [f"{name}={value if len(value) <= SHOWN else value[:SHOWN] + '…'}" for name, value in ignored]
    st.warning(plain(session.texts().ignored.format(parts=", ".join(parts))), icon=":material/link_off:")


def go_to(page: str, parameters: Mapping[str, Sequence[str]]) -> None:
    """Go to another page.

    Streamlit gives the page that is left the other one's parameters before it leaves: who comes back by the browser's
    button finds them there, and did not ask for them.
    """
    st.session_state[LEFT_WITH] = parameters
    st.switch_page(page, query_params=parameters)
