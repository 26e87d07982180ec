"""Two versions of a product beside each other, field by field."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from app.ui import session
from app.ui.client.api_models import EDITABLE, Product
from app.ui.formats import money, plain
from app.ui.texts import Texts


def before_and_after(product: Product, changes: Mapping[str, Any]) -> None:
    """Show what changes make of a product."""
    texts = session.texts()
    rows = {name: (vars(product)[name], value) for name, value in changes.items()}
    _table({name: [_words(value, texts) for value in row] for name, row in rows.items()}, texts.before, texts.after)


def mine_and_theirs(product: Product, changes: Mapping[str, Any], theirs: Product) -> None:
    """Show what one person changed in a product beside what somebody else saved meanwhile: all fields of either."""
    texts = session.texts()
    rows = {}
    for name in EDITABLE:
        saved = vars(theirs)[name]
        if name in changes or saved != vars(product)[name]:
            mine = _words(changes[name], texts) if name in changes else texts.unchanged
            rows[name] = [mine, _words(saved, texts)]
    _table(rows, texts.mine, texts.theirs)


def _table(rows: Mapping[str, list[str]], *heads: str) -> None:
    texts = session.texts()
    fields = {texts.field: [getattr(texts, name) for name in rows]}
    columns = {head: [row[n] for row in rows.values()] for n, head in enumerate(heads)}
    st.table(pd.DataFrame(fields | columns), hide_index=True)


def _words(value: Any, texts: Texts) -> str:
    if value in (None, ""):
        return "—"
    return plain(money(value, texts) if isinstance(value, Decimal) else value)
