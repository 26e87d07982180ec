"""What is done with one product in the database: create, read, update, delete. Each is one statement."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from app.api.models import MAX_ID, Product
from app.api.schemas import ProductCreate, ProductResponse

COLUMNS = [getattr(Product, name) for name in ProductResponse.model_fields]

_READ = select(*COLUMNS).where(Product.id == bindparam("id"))
_CREATE = insert(Product).returning(*COLUMNS)


def get_product(connection: Connection, product_id: int) -> RowMapping | None:
    """Return the product with this id, or None."""
    if not 0 < product_id <= MAX_ID:
        return None
    return connection.execute(_READ, {"id": product_id}).mappings().one_or_none()


def create_product(connection: Connection, new: ProductCreate) -> RowMapping:
    """Store a new product and return it with what the database generated."""
    return connection.execute(_CREATE, dict(new)).mappings().one()


def update_product(
    connection: Connection, product_id: int, changes: Mapping[str, Any], *, version: int | None = None
) -> RowMapping | None:
    """Change the named fields of a product and return it.

    None when there is no such product or, where `version` is given, when it has another version by now. Every change
    makes a new version, also to the value that was there; no field named is no change.
    """
    if not 0 < product_id <= MAX_ID:
        return None
    if not changes:
        product = get_product(connection, product_id)
        return product if product is not None and version in (None, product["version"]) else None
    changed = update(Product).where(Product.id == product_id).values(**changes, version=Product.version + 1)
    if version is not None:
        changed = changed.where(Product.version == version)
    return connection.execute(changed.returning(*COLUMNS)).mappings().one_or_none()


def delete_product(connection: Connection, product_id: int, *, version: int | None = None) -> RowMapping | None:
    """Delete a product and return it as it last was; None as for `update_product`."""
    if not 0 < product_id <= MAX_ID:
        return None
    deleted = delete(Product).where(Product.id == product_id)
    if version is not None:
        deleted = deleted.where(Product.version == version)
    return connection.execute(deleted.returning(*COLUMNS)).mappings().one_or_none()
