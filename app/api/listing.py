"""The list of products: what may be asked of it, and the one query that answers."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, select

from app.api.crud import COLUMNS
from app.api.models import Product

MAX_ID = 2**31 - 1


def get_products(connection: Connection, *, after: int, limit: int) -> Sequence[RowMapping]:
    """Return up to `limit` products whose id is greater than `after`, by id (keyset pagination)."""
    if after >= MAX_ID:
        return []
    rows = connection.execute(select(*COLUMNS).where(Product.id > after).order_by(Product.id).limit(limit))
    return rows.mappings().all()
