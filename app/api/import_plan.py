"""What an import would do with each staged row: create a product, change one, nothing, or refuse it; and doing it."""

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    and_,
    case,
    column,
    false,
    func,
    insert,
    literal,
    select,
    table,
    text,
    true,
    update,
)

from app.api.errors import FieldError, ImportChangedError, RowFieldError
from app.api.import_staging import LISTED, STAGED, CheckedRows
from app.api.models import ImportChange, Product
from app.api.product_rows import FIELDS
from app.api.temporary_tables import make_table, parts_of

PAGES = 200  # of 8 kB that are written to the products between two looks around: a few thousand products
SHOWN = 100  # changes that are shown field by field, and repeated rows
FETCHED = 5000  # rows at a time

Match = Literal["id", "name", "name_and_supplier"]
Mode = Literal["upsert", "create", "update"]
# new, changed and same are what they say; a repeated one is the same product again, word for word. The others are
# refused: see REFUSALS.
Fate = Literal["new", "changed", "same", "repeated", "contradicts", "unknown", "ambiguous", "stale"]
WRITTEN: dict[Mode, tuple[Fate, ...]] = {"upsert": ("new", "changed"), "create": ("new",), "update": ("changed",)}
REFUSALS = ("contradicts", "unknown", "ambiguous", "stale")
PLANNED = table(
    "planned",
    *(column(c.name, c.type) for c in STAGED.c),
    column("target", Integer),  # the id of the product that the row is about
    column("target_version", Integer),
    column("candidates", Integer),
    column("first_line", Integer),  # of the same product
    column("fate", String),
)


class RowChange(BaseModel):
    """What a row of a file changes in a product: the fields that differ, as they are and as they would be."""

    line: int = Field(examples=[7])
    id: int = Field(examples=[1])
    version: int = Field(description="That the product has now", examples=[1])
    name: str = Field(description="The product's name now", examples=["Geladeira Frost Free 375 L"])
    before: dict[str, str | float | None] = Field(examples=[{"price": 2899.9}])
    after: dict[str, str | float | None] = Field(examples=[{"price": 2799.9}])


class ImportPreview(BaseModel):
    """What an import would do; nothing was written."""

    new: int = Field(description="Rows that no product matches", examples=[12])
    changed: int = Field(description="Rows whose product has other values", examples=[30])
    same: int = Field(
        description="Rows whose product is just so already; without `match`, new ones of which the catalogue has the "
        "same, value for value",
        examples=[958],
    )
    repeated: int = Field(
        description="Rows that are word for word an earlier one of the file: with `match` they are left out, without "
        "it they are new, too",
        examples=[1],
    )
    refused: int = Field(examples=[3])
    errors: list[RowFieldError] = Field(
        description=f"What is wrong with the refused rows; the first {LISTED:,} mistakes"
    )
    changes: list[RowChange] = Field(description=f"The first {SHOWN} changes")
    repeated_lines: list[int] = Field(description=f"The first {SHOWN} of the repeated rows", examples=[[9]])
    confirm: str = Field(
        description="Sent as `confirm` with the import, it is done only if it still does just this",
        examples=["5f1c1b1e6f0a8b579d0c0a5f3a2f8f11"],
    )


class Plan:
    """The fates of the staged rows, in the temporary table `planned`."""

    def __init__(self, connection: Connection, match: Match) -> None:
        self._connection = connection
        columns = "imported.*, line AS target, line AS target_version, line AS candidates, line AS first_line"
        make_table(connection, PLANNED.name, f"{columns}, name AS fate", STAGED.name)
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"ANALYZE {STAGED.name}"))
        connection.execute(insert(PLANNED).from_select([c.name for c in PLANNED.c], _fates(match)))
        found = connection.execute(select(PLANNED.c.fate, func.count()).group_by(PLANNED.c.fate)).all()
        self.counts: Counter[str] = Counter(dict(found))

    @property
    def refused(self) -> int:
        """How many rows it refuses."""
        return sum(self.counts[fate] for fate in REFUSALS)

    def tell(self, rows: CheckedRows) -> None:
        """Add the rows that it refuses to those that are no products."""
        refused = select(PLANNED).where(PLANNED.c.fate.in_(REFUSALS)).order_by(PLANNED.c.line).limit(LISTED)
        told = self._connection.execute(refused).all()
        for row in told:
            rows.refuse(row.line, [_refusal(row)])
        rows.refused += self.refused - len(told)
        rows.good -= self.refused
        rows.errors.sort(key=lambda error: error.line)

    def changes(self) -> list[RowChange]:
        """Return the first changes, field by field."""
        before = [getattr(Product, name).label(f"old_{name}") for name in FIELDS]
        changed = (
            select(PLANNED, *before)
            .join(Product, Product.id == PLANNED.c.target)
            .where(PLANNED.c.fate == "changed")
            .order_by(PLANNED.c.line)
            .limit(SHOWN)
        )
        found = []
        for row in self._connection.execute(changed).mappings():
            differ = [name for name in FIELDS if row[name] != row[f"old_{name}"]]
            found.append(
                RowChange(
                    line=row["line"],
                    id=row["target"],
                    version=row["target_version"],
                    name=row["old_name"],
                    before={name: _json(name, row[f"old_{name}"]) for name in differ},
                    after={name: _json(name, row[name]) for name in differ},
                )
            )
        return found

    def repeated_lines(self) -> list[int]:
        """Return the first rows that are word for word an earlier one."""
        repeated = select(PLANNED.c.line).where(PLANNED.c.fate == "repeated").order_by(PLANNED.c.line).limit(SHOWN)
        return list(self._connection.execute(repeated).scalars())

    def fingerprint(self, file_hash: bytes) -> str:
        """Return what is the same for the same file as long as the products that it is about stay as they are."""
        digest = hashlib.sha256(file_hash)
        rows = select(PLANNED.c.line, PLANNED.c.fate, PLANNED.c.target, PLANNED.c.target_version)
        ordered = rows.order_by(PLANNED.c.line)
        found = self._connection.execute(ordered, execution_options={"yield_per": FETCHED})
        for part in found.partitions():
            digest.update(repr([tuple(row) for row in part]).encode())
        return digest.hexdigest()[:32]

    def write(self, import_id: uuid.UUID, mode: Mode) -> Iterator[tuple[int, int]]:
        """Do it, for the fates of the mode; yield how many products are created and changed every now and then.

        Raises:
            ImportChangedError: somebody else has changed one of the products meanwhile.
        """
        created = changed = 0
        for part in parts_of(self._connection, PLANNED.name, PAGES):
            if "new" in WRITTEN[mode]:
                created += create(self._connection, import_id, PLANNED, and_(PLANNED.c.fate == "new", part))
            if "changed" in WRITTEN[mode]:
                changed += self._change(import_id, part)
            yield created, changed
        if "changed" in WRITTEN[mode] and changed != self.counts["changed"]:
            raise ImportChangedError

    def _change(self, import_id: uuid.UUID, part: Any) -> int:
        meant = and_(
            PLANNED.c.fate == "changed",
            Product.id == PLANNED.c.target,
            Product.version == PLANNED.c.target_version,
            part,
        )
        kept = [getattr(ImportChange, name) for name in ("import_id", "first_id", "last_id", "version", *FIELDS)]
        before = select(
            literal(import_id, ImportChange.import_id.type),
            Product.id,
            Product.id,
            Product.version + 1,
            *(getattr(Product, name) for name in FIELDS),
        )
        self._connection.execute(insert(ImportChange).from_select(kept, before.where(meant)))
        values: dict[str, Any] = {name: PLANNED.c[name] for name in FIELDS}
        return self._connection.execute(
            update(Product).where(meant).values(version=Product.version + 1, **values)
        ).rowcount


def create(connection: Connection, import_id: uuid.UUID, source: Any, condition: Any) -> int:
    """Make products of the rows of a temporary table that meet the condition; return how many."""
    fields = select(*(source.c[name] for name in FIELDS)).where(condition)
    made = connection.execute(insert(Product).from_select(list(FIELDS), fields).returning(Product.id))
    ids = sorted(made.scalars())
    if ids:
        notes = [
            {"import_id": import_id, "first_id": first, "last_id": last, "version": 1} for first, last in _ranges(ids)
        ]
        connection.execute(insert(ImportChange), notes)
    return len(ids)


def staged_again(connection: Connection) -> tuple[int, int, list[int]]:
    """Say what of the staged rows, were all of them new, is there already.

    Returns how many there are in the catalogue, value for value; how many are word for word an earlier one of the
    file, and the first lines of those.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ANALYZE {STAGED.name}"))
    twin = select(Product.id).where(_plain(Product.name) == _plain(STAGED.c.name), _same(STAGED)).exists()
    there = connection.execute(select(func.count()).select_from(STAGED).where(twin)).scalar_one()
    number = func.row_number().over(partition_by=[STAGED.c[name] for name in FIELDS], order_by=STAGED.c.line)
    numbered = select(STAGED.c.line, number.label("number")).subquery()
    again = select(numbered.c.line).where(numbered.c.number > 1).order_by(numbered.c.line)
    count = connection.execute(select(func.count()).select_from(again.subquery())).scalar_one()
    return there, count, list(connection.execute(again.limit(SHOWN)).scalars())


def _fates(match: Match) -> Select[Any]:
    """Return the staged rows with the product each is about, and what is to become of it."""
    keys: dict[Match, Sequence[ColumnElement[Any]]] = {
        "id": [STAGED.c.product_id],
        "name": [_plain(STAGED.c.name)],
        "name_and_supplier": [_plain(STAGED.c.name), func.lower(STAGED.c.email_fornecedor)],
    }
    key = keys[match]
    is_identified = STAGED.c.product_id.is_not(None) if match == "id" else true()
    own = [STAGED.c[name] for name in FIELDS]
    first = func.min(STAGED.c.line).over(partition_by=key)
    rows = select(
        *STAGED.c,
        case((is_identified, first), else_=STAGED.c.line).label("first_line"),
        func.row_number().over(partition_by=[*key, *own], order_by=STAGED.c.line).label("occurrence"),
    ).cte("numbered")
    if match == "id":
        meant = Product.id == rows.c.product_id
    else:
        meant = _plain(Product.name) == _plain(rows.c.name)
        if match == "name_and_supplier":
            meant = and_(meant, func.lower(Product.email_fornecedor) == func.lower(rows.c.email_fornecedor))
    found = (
        select(rows.c.line, func.min(Product.id).label("target"), func.count(Product.id).label("candidates"))
        .select_from(rows.outerjoin(Product, meant))
        .group_by(rows.c.line)
        .cte("found")
    )
    has_id = rows.c.product_id.is_not(None) if match == "id" else false()
    fate = case(
        (rows.c.occurrence > 1, "repeated"),
        (rows.c.first_line < rows.c.line, "contradicts"),
        (and_(Product.id.is_(None), has_id), "unknown"),
        (Product.id.is_(None), "new"),
        (found.c.candidates > 1, "ambiguous"),
        (_same(rows), "same"),
        (rows.c.product_version != Product.version, "stale"),
        else_="changed",
    )
    return (
        select(
            *(rows.c[c.name] for c in STAGED.c),
            found.c.target,
            Product.version,
            found.c.candidates,
            rows.c.first_line,
            fate,
        )
        .select_from(rows.join(found, found.c.line == rows.c.line).outerjoin(Product, Product.id == found.c.target))
        .order_by(found.c.target, rows.c.line)  # two imports change the same products one after the other
    )


def _same(rows: Any) -> ColumnElement[bool]:
    return and_(*(getattr(Product, name).is_not_distinct_from(rows.c[name]) for name in FIELDS))


def _plain(name: Any) -> ColumnElement[str]:
    return func.products_plain(name, type_=String)


def _refusal(row: Any) -> FieldError:
    match row.fate:
        case "unknown":
            message = (
                f"There is no product {row.product_id}; it may have been deleted. To create one, leave the id empty"
            )
            return _wrong("id", message, "unknown_id", {"id": row.product_id})
        case "stale":
            message = (
                f"Somebody has changed product {row.target} since: it is version {row.target_version} now, "
                f"the file has {row.product_version}"
            )
            limits = {"id": row.target, "version": row.target_version, "given": row.product_version}
            return _wrong("version", message, "stale_version", limits)
        case "ambiguous":
            message = f"{row.candidates} products are meant by this; say by `id` which one"
            return _wrong("name", message, "ambiguous", {"candidates": row.candidates})
    message = f"Line {row.first_line} is about the same product, and says something else"
    return _wrong("", message, "contradicts", {"line": row.first_line})


def _wrong(field: str, message: str, code: str, context: dict[str, int | float | str]) -> FieldError:
    return FieldError(location="body", field=field, message=message, code=code, context=context)


def _json(name: str, value: Any) -> str | float | None:
    if value is None:
        return None
    return float(value) if name == "price" else str(value)


def _ranges(ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of each run of neighbours."""
    first = last = ids[0]
    for number in ids[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last
