"""What a visitor does and sees, in Streamlit's AppTest."""

from collections.abc import Callable, Mapping
from typing import Any

from streamlit.testing.v1 import AppTest

from app.ui.formats import WORD_JOINER

Visit = Callable[..., AppTest]  # the API's URL, and what the address asks for
VALUES = {  # of a UI in which people sign in
    "OIDC_ISSUER": "https://issuer.example.com/pool",
    "OIDC_CLIENT_ID": "client",
    "OIDC_CLIENT_SECRET": "client-secret",
    "PUBLIC_URL": "https://shop.example.com",
    "COOKIE_SECRET": "a-cookie-secret-of-at-least-32-characters",
}
ANA = {"is_logged_in": True, "email": "ana@example.com", "sub": "1"}


def run(app: AppTest) -> AppTest:
    """Run the script once more."""
    app.run()
    assert not app.exception
    return app


def click(app: AppTest, key: str) -> AppTest:
    """Click a button."""
    app.button(key=key).click()
    return run(app)


def select(app: AppTest, *rows: int) -> AppTest:
    """Select rows of the table, and no others."""
    app.session_state[app.dataframe[0].key or ""] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return run(app)


def type_into_table(app: AppTest, rows: Mapping[int, Mapping[str, Any]]) -> AppTest:
    """Have the table that is edited hold these changes, and no others: new values by row and column."""
    edits = {"edited_rows": {row: dict(values) for row, values in rows.items()}, "added_rows": [], "deleted_rows": []}
    app.session_state[app.data_editor[0].key or ""] = edits
    return run(app)


def fill(app: AppTest, form: str, product: Mapping[str, Any]) -> None:
    """Fill in the fields of a form."""
    app.text_input(key=f"{form}_name").set_value(product["name"])
    app.selectbox(key=f"{form}_categoria").set_value(product["categoria"])
    app.text_input(key=f"{form}_price").set_value(product["price"] and f"{product['price']:.2f}".replace(".", ","))
    app.text_input(key=f"{form}_email_fornecedor").set_value(product["email_fornecedor"])
    app.text_area(key=f"{form}_description").set_value(product["description"])


def errors(app: AppTest) -> str:
    """Return what the page says went wrong."""
    return (
        " ".join(f"{error.proto.title} {error.value}".strip() for error in app.error)
        .replace("\\", "")
        .replace(WORD_JOINER, "")
    )


def messages(app: AppTest) -> str:
    """Return what else the page says."""
    return _unescaped(" ".join(markdown.value for markdown in app.markdown))


def names(app: AppTest) -> list[str]:
    """Return the names of the products in the table."""
    return list(app.dataframe[0].value["name"])


def is_open(app: AppTest, key: str) -> bool:
    """Say whether there is a button with this key, for example a dialog's."""
    return key in {button.key for button in app.button}


def _unescaped(markdown: str) -> str:
    return markdown.replace("\\", "").replace(WORD_JOINER, "")
