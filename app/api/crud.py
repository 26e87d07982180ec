"""What is done with products in the database: list, read, create, update, delete."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.api.models import Product
from app.api.schemas import ProductCreate

MAX_ID = 2**31 - 1  # the largest value of PostgreSQL's integer


def get_products(session: Session, *, after: int, limit: int) -> Sequence[Product]:
    """Return up to `limit` products whose id is greater than `after`, by id (keyset pagination)."""
    if after >= MAX_ID:
        return []
    return session.scalars(select(Product).where(Product.id > after).order_by(Product.id).limit(limit)).all()


def get_product(session: Session, product_id: int) -> Product | None:
    """Return the product with this id, or None."""
    return session.get(Product, product_id) if 0 < product_id <= MAX_ID else None


def create_product(session: Session, new: ProductCreate) -> Product:
    """Store a new product and return it with what the database generated."""
    product = Product(**new.model_dump())
    session.add(product)
    session.commit()
    return product


def update_product(session: Session, product_id: int, changes: Mapping[str, Any]) -> Product | None:
    """Change the named fields of a product and return it, or None when there is no such product."""
    product = get_product(session, product_id)
    if product is not None:
        for field, value in changes.items():
            setattr(product, field, value)
        session.commit()
    return product


def delete_product(session: Session, product_id: int) -> Product | None:
    """Delete a product and return it as it last was, or None when there is no such product."""
    product = get_product(session, product_id)
    if product is not None:
        session.delete(product)
        session.commit()
    return product
