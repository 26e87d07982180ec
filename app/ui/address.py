"""What the address of a page asks for and the page has no use for: said, and taken out of it."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.ui import language, session
from app.ui.formats import plain
from app.ui.texts import LANGUAGES

EVERYWHERE = {language.NAME: tuple(LANGUAGES)}
SHOWN = 60  # characters of a value


def tidy(used: Mapping[str, Sequence[str]]) -> None:
    """Say which parameters have no effect and remove them; `used` are, by name, the values that this page goes by."""
    kept = {**EVERYWHERE, **used}
    ignored = []
    for name in list(st.query_params):
        values = st.query_params.get_all(name)
        effective = [value for value in values if value in kept.get(name, ())]
        dropped = [value for value in values if value not in effective]
        if dropped or name not in kept:
            st.query_params.update({name: effective})
            ignored += [f"{name}={value if len(value) <= SHOWN else value[:SHOWN] + '…'}" for value in dropped]
    if ignored:
        st.warning(plain(session.texts().ignored.format(parts=", ".join(ignored))), icon=":material/link_off:")
