"""What became of a product: who created, changed, deleted and restored it, and when. Triggers write it down."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, TypeAdapter
from sqlalchemy import BigInteger, Integer, Select, bindparam, cast, literal, null, select, union_all

from app.api.database import Database
from app.api.models import MAX_ID, DeletedProduct, Product, ProductChange
from app.api.prepared import Prepared, Row
from app.api.schemas import WholeNumber

CREATED = 0  # the entry of a product's creation, which is in the product itself: smaller than every id
MAX_ENTRY = 2**63 - 1


class HistoryQuery(BaseModel, extra="forbid"):
    """Which entries: the newest, or those in front of one."""

    limit: WholeNumber = Field(50, ge=1, le=200, description="Entries in an answer", examples=[20])
    before: WholeNumber = Field(
        MAX_ENTRY, ge=1, le=MAX_ENTRY, description="The entries older than this one, as `Link` has it", examples=[7]
    )


class BeforeAndAfter(BaseModel):
    """The value of a field before and after a change."""

    before: float | str | None = Field(examples=[19.9])
    after: float | str | None = Field(examples=[24.9])


class HistoryEntry(BaseModel):
    """One thing that became of a product."""

    at: datetime = Field(examples=["2026-11-01T12:30:00.123456Z"])
    by: str | None = Field(
        description="Who did it; `service` is a program with the service token, `local` anybody where nobody signs in, "
        "and null is unknown, as for what was done before there was a history",
        examples=["Ana Souza"],
    )
    action: Literal["created", "changed", "deleted", "restored"] = Field(examples=["changed"])
    version: int = Field(description="The version that it led to", examples=[2])
    changes: dict[str, BeforeAndAfter] = Field(
        description="The fields that a change changed", examples=[{"price": {"before": 19.9, "after": 24.9}}]
    )


@dataclass(frozen=True)
class History:
    """Entries, the newest first; `next` is where the older ones begin, if there are any."""

    entries: list[HistoryEntry]
    next: int | None


BODY = TypeAdapter(list[HistoryEntry])


def _creations(table: type[Product | DeletedProduct]) -> Select[*tuple[Any, ...]]:
    nothing = cast(null(), ProductChange.changes.type)
    creation = select(
        cast(literal(CREATED), BigInteger), table.created_at, table.created_by, literal("created"), literal(1), nothing
    )
    return creation.where(table.id == bindparam("product_id", type_=Integer))


_CHANGES = select(
    ProductChange.id,
    ProductChange.at,
    ProductChange.person,
    ProductChange.action,
    ProductChange.version,
    ProductChange.changes,
).where(
    ProductChange.product_id == bindparam("product_id", type_=Integer),
    ProductChange.id < bindparam("before", type_=BigInteger),
)
_READ = Prepared(
    union_all(_CHANGES, _creations(Product), _creations(DeletedProduct))
    .order_by(ProductChange.id.desc())
    .limit(bindparam("wanted", type_=Integer))
)


async def read_history(database: Database, product_id: int, query: HistoryQuery) -> History | None:
    """Return what became of a product, also of one in the bin; None of one that there is not, or no longer."""
    if not 0 < product_id <= MAX_ID:
        return None
    wanted = query.limit + 1
    rows = await database.rows(_READ, {"product_id": product_id, "before": query.before, "wanted": wanted})
    if not rows:
        return None
    page = rows[: query.limit]
    return History(entries=[_entry(row) for row in page], next=page[-1][0] if len(rows) == wanted else None)


def _entry(row: Row) -> HistoryEntry:
    at, person, action, version, changes = row[1:]
    changed = json.loads(changes) if isinstance(changes, str) else changes or {}
    return HistoryEntry(
        at=at,
        by=person or None,
        action=action,
        version=version,
        changes={field: BeforeAndAfter(before=before, after=after) for field, (before, after) in changed.items()},
    )
