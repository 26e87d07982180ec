"""Deleting many products at once: exactly as many as were confirmed, or none."""

from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import Engine, delete, func, select

from app.api.database import transaction
from app.api.errors import ConfirmationError
from app.api.listing import ProductFilter
from app.api.models import MAX_ID, Product
from app.api.schemas import ONLY_DIGITS

SECONDS = 120  # a million products take one of them


class DeleteQuery(ProductFilter):
    """Which products to delete: with these ids, and meeting the filter; without either, all."""

    id: list[Annotated[int, Field(ge=1, le=MAX_ID), ONLY_DIGITS]] = Field(
        [], max_length=1000, description="May be repeated", examples=[[1, 2, 3]]
    )
    confirm: int | None = Field(
        None,
        ge=0,
        description="How many products this deletes; without it, the answer (422) says how many they are",
        examples=[3],
    )


class Deleted(BaseModel):
    """How many products were deleted."""

    deleted: int = Field(examples=[3])


def delete_products(engine: Engine, query: DeleteQuery) -> Deleted:
    """Delete what `query` describes when its `confirm` is the number of those products.

    Raises:
        ConfirmationError: there is no `confirm`, or another number matches; nothing was deleted.
    """
    with transaction(engine, timeout_seconds=SECONDS) as connection:
        conditions = query.conditions(connection)
        if query.id:
            conditions.append(Product.id.in_(sorted(set(query.id))))
        # Before it takes long, while another number still is an answer of its own.
        counted = select(func.count()).select_from(Product).where(*conditions)
        matching = connection.execute(counted).scalar_one()
        if matching != query.confirm:
            raise ConfirmationError(matching, query.confirm)
        deleted = connection.execute(delete(Product).where(*conditions)).rowcount
        if deleted != query.confirm:
            raise ConfirmationError(deleted, query.confirm)  # which takes the deletion back
    return Deleted(deleted=deleted)
