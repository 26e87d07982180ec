"""What a visitor meets first: what all pages share, then the page that was asked for or the way to sign in."""

import sys
from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent
# Streamlit makes this folder importable, not the repository root that holds the package `app`.
if str(HERE.parent.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent.parent))

from app.ui import errors, language, screen, session, turns  # noqa: E402
from app.ui.files import import_banner  # noqa: E402
from app.ui.products import state  # noqa: E402
from app.ui.settings import DEFAULT_API_URL, InvalidApiUrlError, api_url  # noqa: E402
from app.ui.sign_in import access  # noqa: E402
from app.ui.sign_in import page as sign_in  # noqa: E402
from app.ui.texts import LANGUAGES  # noqa: E402

LOGO = HERE / "logo.svg"

st.set_page_config(page_icon=LOGO, layout="wide")
st.logo(LOGO, size="large")

session.follow_language()
header = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom")
heading = header.container(width="content")
controls = header.container(horizontal=True, width="content")
menu = controls.container(width="content")
account = controls.container(width="content")
# With a key for each language: a field that is told another value than its first one may send that one back, when
# somebody goes on before the browser has drawn it, and the language would be another again.
current = st.session_state[language.NAME]
controls.selectbox(
    "Idioma / Language",
    list(LANGUAGES),
    index=list(LANGUAGES).index(current),
    format_func=lambda language: LANGUAGES[language].language,
    key=f"{language.NAME}_{current}",
    on_change=session.language_was_chosen,
    args=(f"{language.NAME}_{current}",),
    label_visibility="collapsed",
    filter_mode=None,
    width=150,
)
session.tell_language()
texts = session.texts()

narrow = session.is_narrow()
if narrow:
    st.html(screen.STYLE)

# The files are not in a folder called `pages`: Streamlit would run those by itself, without this file around them.
page = st.navigation(
    pages := [
        st.Page("views/products.py", title=texts.products, icon=":material/inventory_2:", help=texts.products_help),
        st.Page(
            "views/overview.py",
            title=texts.overview,
            icon=":material/bar_chart:",
            help=texts.overview_help,
            url_path="resumo",
        ),
        st.Page(
            "views/product.py",
            title=texts.product,
            icon=":material/search:",
            help=texts.product_help,
            url_path="produto",  # the load balancer takes /products for the API
        ),
        st.Page(
            "views/files.py",
            title=texts.files,
            icon=":material/swap_vert:",
            help=texts.files_help,
            url_path="arquivos",
        ),
        st.Page(
            "views/deleted.py",
            title=texts.bin,
            icon=":material/delete_sweep:",
            help=texts.bin_help,
            url_path="lixeira",
        ),
    ],
    position="top" if access.may_enter() and not narrow else "hidden",
)
if not access.may_enter():
    heading.title(texts.sign_in_title)
    sign_in.show()
    st.stop()
heading.title(page.title)
if narrow:  # Streamlit's own menu would stay open over the page that was chosen
    with menu:
        titles = [one.title for one in pages]
        if chosen := st.menu_button(texts.menu, titles, key="menu", icon=":material/menu:"):
            st.switch_page(pages[titles.index(chosen)])
if name := access.user_name():
    with account:
        sign_in.account(name)

# At the bottom: at the top it would lie on the button that closes a dialog. On the left as long as one is open:
# its other buttons are on the right.
st.html(
    "<style>[data-testid=stToastContainer] { top: auto !important; bottom: 1rem !important; } "
    "body:has([role=dialog]) [data-testid=stToastContainer] { left: 1rem !important; right: auto !important; } "
    # All of what it says, instead of three lines and Streamlit's English for more.
    "[data-testid=stToastText] { display: block !important; } [data-testid=stToastViewButton] { display: none; } "
    # What they do sees one page of the list only, and the page has both for all of it.
    "[data-testid=stElementToolbar] :is(button[aria-label^='Search'], button[aria-label^='Download']), .gdg-search-bar "
    "{ display: none; } "
    ".st-key-hint { min-height: 2.5rem; justify-content: center; } "
    ".st-key-delete_confirm button { background: #b3261e; border-color: #b3261e; color: #fff; } "
    ".st-key-delete_confirm button:hover { background: #8c1d18; border-color: #8c1d18; color: #fff; }</style>"
)
if announcement := session.take_announcement():
    st.toast(announcement, icon=":material/check_circle:", duration="long")

if session.is_another_page(page.url_path):
    state.set_dialog(None)  # it was opened on another page
    state.refused_prices().clear()  # and nobody sees any more what was refused there

try:
    api_url()
except InvalidApiUrlError as error:
    sentence = texts.invalid_api_url.format(value=f"`{error.value}`", example=f"`{DEFAULT_API_URL}`")
    st.error(sentence, title=texts.invalid_api_url_title, icon=":material/error:")
    st.stop()

with errors.error_boundary(), turns.turn():
    if page.url_path != "arquivos":
        import_banner.show(lambda: state.keep_listed(None))
    page.run()
