"""Taking an import back as a whole, within the day for which it is kept."""

import uuid

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Engine, and_, case, delete, func, select, update

from app.api import import_log
from app.api.database import transaction
from app.api.errors import ImportNotUndoableError
from app.api.models import Import, ImportChange, Product
from app.api.product_rows import FIELDS

SECONDS = 600  # PostgreSQL gives up on a step after this long


class Undone(BaseModel):
    """What became of an import that was undone."""

    deleted: int = Field(description="Products that it had created", examples=[12])
    restored: int = Field(description="Products that it had changed, and that are as they were", examples=[29])
    kept: int = Field(
        description="Products that somebody has changed or deleted since: these were left as they are", examples=[1]
    )


def undo(engine: Engine, caller: str, import_id: uuid.UUID) -> None:
    """Delete what an import created and restore what it changed, but for what was changed since; once only.

    Raises:
        ImportNotFoundError: the caller has none with this id.
        ImportNotUndoableError: it is not done, or by a version that kept no changes.
    """
    import_log.find(engine, caller, import_id)
    one = Import.id == import_id
    with transaction(engine, timeout_seconds=SECONDS) as connection:
        taken = update(Import).where(one, Import.state == "done").values(state="undone", updated_at=func.now())
        if not connection.execute(taken).rowcount:  # of two at once, the second has waited for the first
            if connection.execute(select(Import.state).where(one)).scalar_one_or_none() == "undone":
                return
            raise ImportNotUndoableError
        mine = ImportChange.import_id == import_id
        size = func.coalesce(func.sum(ImportChange.last_id - ImportChange.first_id + 1), 0)
        total = connection.execute(select(size).where(mine)).scalar_one()
        written = connection.execute(select(Import.rows_written).where(one)).scalar_one()
        if written != total:
            raise ImportNotUndoableError
        deleted = connection.execute(delete(Product).where(*_made_by(import_id))).rowcount
        was = and_(mine, ImportChange.name.is_not(None), Product.id == ImportChange.first_id)
        values = {name: getattr(ImportChange, name) for name in FIELDS}
        restore = update(Product).where(was, Product.version == ImportChange.version)
        restored = connection.execute(restore.values(version=Product.version + 1, **values)).rowcount
        connection.execute(delete(ImportChange).where(mine))
        answer = Undone(deleted=deleted, restored=restored, kept=total - deleted - restored)
        connection.execute(update(Import).where(one).values(answer=answer.model_dump_json().encode()))


def _made_by(import_id: uuid.UUID) -> list[ColumnElement[bool]]:
    """Return the conditions that a product was made by the import, and not changed since.

    Each product looks in the primary key for the one range that may be its own. Joined, PostgreSQL may compare every
    product with every range, of which imports at the same time have as many as rows.
    """
    mine = ImportChange.import_id == import_id
    made = mine & ImportChange.name.is_(None)
    is_in_it = ImportChange.name.is_(None) & (ImportChange.last_id >= Product.id)
    nearest = select(case((is_in_it, ImportChange.version))).where(mine, ImportChange.first_id <= Product.id)
    nearest = nearest.order_by(ImportChange.first_id.desc()).limit(1).correlate(Product)
    return [
        Product.id >= select(func.min(ImportChange.first_id)).where(made).scalar_subquery(),
        Product.id <= select(func.max(ImportChange.last_id)).where(made).scalar_subquery(),
        Product.version == nearest.scalar_subquery(),
    ]
