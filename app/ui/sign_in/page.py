"""Signing in and out, as a visitor sees it; app/ui/serve.py sets up how it works."""

import logging

import streamlit as st
from streamlit.errors import StreamlitAuthError

from app.ui import session
from app.ui.formats import plain_label
from app.ui.sign_in import access


def show() -> None:
    """Show the way in, and why somebody who was in no longer is."""
    texts = session.texts()
    if access.has_expired():
        st.info(texts.sign_in_expired, icon=":material/schedule:")
    elif st.query_params.get("sign_in") == "failed":
        st.error(texts.sign_in_failed, icon=":material/error:")
    with st.container(border=True, horizontal_alignment="center"):
        st.space("small")
        st.markdown(texts.sign_in_hint, text_alignment="center")
        asked = st.button(texts.sign_in, key="sign_in", icon=":material/login:", type="primary")
        st.space("small")
    if asked:
        try:
            st.login()
        except StreamlitAuthError:
            logging.getLogger(__name__).exception("start the UI with `python -m app.ui.serve`, which sets up sign-in")
            st.error(texts.sign_in_failed, icon=":material/error:")


def account(name: str) -> None:
    """Show who is signed in, and the way out."""
    texts = session.texts()
    if st.menu_button(plain_label(name), [texts.sign_out], key="account", icon=":material/account_circle:"):
        st.logout()
        st.stop()
