"""The bin: deleted products, which can be taken back for thirty days and are then gone with their history.

A trigger of migration 0008 puts them here, in the transaction of the deletion, with their ids and versions.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from anyio import to_thread
from pydantic import BaseModel, Field, TypeAdapter, field_validator, model_validator
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Integer,
    String,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    tuple_,
)

from app.api import cursor, person
from app.api.database import Database, transaction
from app.api.errors import NotInBinError, RestoreConflictError
from app.api.models import Categoria, DeletedProduct, Product, ProductChange
from app.api.prepared import Prepared
from app.api.schemas import ProductIds, ProductResponse, WholeNumber

DAYS = 30  # a deleted product is kept
SECONDS = 120  # PostgreSQL gives up on a step of a restore after this long
PURGED = 1000  # products in one transaction
PURGE_SECONDS = 3600.0  # between two looks for what is too old
END_SECONDS = 3.0  # that the end of the process waits for a transaction
ORDER = "-deleted_at"
CURSOR = cursor.encode(ORDER, (datetime(2026, 11, 1, 12, 30).astimezone(), 50))
logger = logging.getLogger("uvicorn.error")


class BinQuery(BaseModel, extra="forbid"):
    """Which part of the bin: the products that were deleted last, or those behind a place."""

    limit: WholeNumber = Field(50, ge=1, le=200, description="Products in an answer", examples=[20])
    after: str | None = Field(None, description="A cursor from the header `Link`", examples=[CURSOR])

    @field_validator("after")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None:
            cursor.decode(ORDER, value)
        return value


class DeletedProductResponse(ProductResponse):
    """A product in the bin."""

    deleted_at: datetime = Field(examples=["2026-11-02T12:30:00.123456Z"])
    deleted_by: str | None = Field(examples=["Ana Souza"])
    deletion: uuid.UUID | None = Field(
        description="What products have in common that were deleted at once", examples=[None]
    )


@dataclass(frozen=True)
class BinPage:
    """Some of the bin, the last deleted first, and the cursor of what comes behind it."""

    products: list[DeletedProductResponse]
    after: str | None


class RestoreQuery(BaseModel, extra="forbid"):
    """Which products to take back: these, or all of one deletion."""

    id: ProductIds = Field(default=[])
    deletion: uuid.UUID | None = Field(
        None,
        description="All of one deletion, as its answer named it",
        examples=["2f1c1b1e-6f0a-4b57-9d0c-0a5f3a2f8f11"],
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "RestoreQuery":
        if bool(self.id) is (self.deletion is not None):
            raise ValueError("say which products: either id, which may be repeated, or deletion")
        return self


class Restored(BaseModel):
    """How many products were taken back."""

    restored: int = Field(examples=[3])


_FIELDS = tuple(DeletedProductResponse.model_fields)
_COLUMNS = [getattr(DeletedProduct, name) for name in _FIELDS]
_KEPT = [*ProductResponse.model_fields, "created_by"]  # what comes back
BODY = TypeAdapter(list[DeletedProductResponse])


async def read_bin(database: Database, query: BinQuery) -> BinPage:
    """Return the products that were deleted last, or those behind the place that `query` names."""
    given: dict[str, Any] = {"wanted": query.limit + 1}
    is_postgresql = database.engine.dialect.name == "postgresql"
    if query.after is not None:
        moment, given["position_id"] = cursor.decode(ORDER, query.after)
        given["position"] = moment if is_postgresql else f"{moment:%Y-%m-%d %H:%M:%S}"
    rows = await database.rows(_read(behind=query.after is not None, postgresql=is_postgresql), given)
    found = [dict(zip(_FIELDS, row, strict=True)) for row in rows[: query.limit]]
    products = [
        DeletedProductResponse.model_construct(**{**fields, "categoria": Categoria(fields["categoria"])})
        for fields in found
    ]
    more = len(rows) > query.limit
    last = products[-1] if products else None
    return BinPage(products, cursor.encode(ORDER, (last.deleted_at, last.id)) if more and last else None)


@cache
def _read(*, behind: bool, postgresql: bool) -> Prepared:
    statement = select(*_COLUMNS).order_by(DeletedProduct.deleted_at.desc(), DeletedProduct.id.desc())
    if behind:
        position = bindparam("position", type_=DeletedProduct.deleted_at.type if postgresql else String())
        here = tuple_(position, bindparam("position_id", type_=Integer))
        statement = statement.where(tuple_(DeletedProduct.deleted_at, DeletedProduct.id) < here)
    return Prepared(statement.limit(bindparam("wanted", type_=Integer)))


def restore(engine: Engine, query: RestoreQuery) -> Restored:
    """Take products back as they were, with their ids and versions: those of `query` that are in the bin.

    Raises:
        NotInBinError: none of them is.
        RestoreConflictError: one's id has been given to another product; none was taken back.
    """
    wanted: ColumnElement[bool] = (
        DeletedProduct.id.in_(sorted(set(query.id))) if query.id else DeletedProduct.deletion == query.deletion
    )
    with transaction(engine, timeout_seconds=SECONDS) as connection:
        found = select(DeletedProduct.id).where(wanted)
        if engine.dialect.name == "postgresql":
            found = found.with_for_update()  # two who take back the same: the second finds nothing
        count = connection.execute(select(func.count()).select_from(found.subquery())).scalar_one()
        if not count:
            raise NotInBinError
        is_taken = exists().where(Product.id == DeletedProduct.id)
        columns = [getattr(DeletedProduct, name) for name in _KEPT]
        back = insert(Product).from_select(_KEPT, select(*columns).where(wanted, ~is_taken), include_defaults=False)
        if connection.execute(back).rowcount != count:
            raise RestoreConflictError
        _note(connection, wanted)
        connection.execute(delete(DeletedProduct).where(wanted))
    return Restored(restored=count)


def _note(connection: Connection, wanted: ColumnElement[bool]) -> None:
    entries = select(DeletedProduct.id, DeletedProduct.version, literal(person.current()), literal("restored"))
    columns = ["product_id", "version", "person", "action"]
    connection.execute(insert(ProductChange).from_select(columns, entries.where(wanted), include_defaults=False))


def purge(engine: Engine, is_over: Callable[[], bool] = lambda: False) -> int:
    """Throw away what was deleted more than DAYS ago, with its history; return how many products that were.

    The rest is left for the next time when `is_over` says so.
    """
    total = 0
    while True:
        with transaction(engine, timeout_seconds=SECONDS) as connection:
            is_postgresql = engine.dialect.name == "postgresql"
            oldest: Any = func.now() - timedelta(days=DAYS) if is_postgresql else func.datetime("now", f"-{DAYS} days")
            old = select(DeletedProduct.id).where(DeletedProduct.deleted_at < oldest)
            old = old.order_by(DeletedProduct.deleted_at).limit(PURGED)
            if is_postgresql:
                old = old.with_for_update(skip_locked=True)  # another process is at it, or somebody takes them back
            ids = connection.execute(old).scalars().all()
            connection.execute(delete(DeletedProduct).where(DeletedProduct.id.in_(ids)))
            connection.execute(delete(ProductChange).where(ProductChange.product_id.in_(ids)))
        total += len(ids)
        if len(ids) < PURGED or is_over():
            return total


@asynccontextmanager
async def purging(engine: Engine) -> AsyncIterator[None]:
    """Purge every now and then, while the block runs; its end waits for the transaction under way, not for long."""
    is_over = asyncio.Event()

    async def purge_again_and_again() -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(PURGE_SECONDS):
                    await is_over.wait()
                    return
            try:
                if purged := await to_thread.run_sync(purge, engine, is_over.is_set):
                    logger.info("%s products were deleted more than %s days ago: they are gone", purged, DAYS)
            except Exception as error:  # the database's; the next time is soon
                logger.warning("the bin could not be purged: %s", error)

    task = asyncio.create_task(purge_again_and_again())
    try:
        yield
    finally:
        is_over.set()
        await asyncio.wait([task], timeout=END_SECONDS)
        task.cancel()
