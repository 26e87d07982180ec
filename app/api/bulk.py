"""Changing or deleting many products at once: exactly as many as were confirmed, or none.

All in one transaction, and in parts, so that whoever waits can be told how far it is.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, model_validator
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Integer,
    SQLColumnExpression,
    case,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    table,
    text,
    update,
)

from app.api.database import transaction
from app.api.errors import ConfirmationError, PriceOutOfRangeError
from app.api.listing import ProductFilter
from app.api.models import PRICE, Categoria, DeletedProduct, Product
from app.api.schemas import ONLY_DIGITS, OneCategoria, ProductIds, require_number
from app.api.temporary_tables import make_table, parts_of

SECONDS = 120  # PostgreSQL gives up on a step after this long
PAGES = 50  # of 8 kB with ids, that one step works through: some 11,000 products
HIGHEST = Decimal("9999999999.99")
CENT = Decimal("0.01")
EXAMPLES = 10  # products that are shown before and after
CHOSEN = table("chosen", column("id", Integer))

_Money = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


class Selection(ProductFilter):
    """Which products: with these ids, and meeting the filter; without either, all."""

    id: ProductIds = Field(default=[])


class ConfirmedSelection(Selection):
    """Which products, and how many they are."""

    confirm: Annotated[int, Field(ge=0), ONLY_DIGITS] | None = Field(
        None,
        description="How many products these are; without it, the answer (422) says how many",
        examples=[3],
    )


class ChangeQuery(ConfirmedSelection):
    """Which products to change, or to look at what a change would make of them."""

    dry_run: bool = Field(
        False, description="Change nothing and answer what would be changed; needs no `confirm`", examples=[True]
    )


_JsonPercent = Annotated[float, Field(ge=-99.99, le=10_000, multiple_of=0.01)]
_Percent = Annotated[
    Decimal,
    Field(ge=Decimal("-99.99"), le=10_000, decimal_places=2, allow_inf_nan=False),
    BeforeValidator(require_number, json_schema_input_type=_JsonPercent),
]
_JsonAmount = Annotated[float, Field(ge=-9_999_999_999.99, le=9_999_999_999.99, multiple_of=0.01)]
_Amount = Annotated[
    Decimal,
    Field(ge=-HIGHEST, le=HIGHEST, decimal_places=2, allow_inf_nan=False),
    BeforeValidator(require_number, json_schema_input_type=_JsonAmount),
]


class PriceChange(BaseModel, extra="forbid"):
    """What to add to prices. The result is rounded to the cent, half a cent away from zero."""

    percent: _Percent | None = Field(None, description="Of each price; negative lowers it", examples=[5])
    amount: _Amount | None = Field(None, description="In reais; negative lowers it", examples=[-10])

    @model_validator(mode="after")
    def _one_of_both(self) -> "PriceChange":
        if (self.percent is None) is (self.amount is None):
            raise ValueError("say either percent or amount")
        return self

    def of(self, price: Any) -> Any:
        """Return what becomes of a price, in SQL or as a decimal; before it is rounded."""
        if self.percent is not None:
            return price * (100 + self.percent) / 100
        return price + self.amount


class ProductsChange(BaseModel, extra="forbid"):
    """What to make of many products."""

    categoria: OneCategoria | None = None
    price: PriceChange | None = Field(None, examples=[{"percent": 5}])

    @model_validator(mode="after")
    def _something(self) -> "ProductsChange":
        if self.categoria is None and self.price is None:
            raise ValueError("say what to change: categoria, price or both")
        return self


class Deleted(BaseModel):
    """How many products were deleted."""

    deleted: int = Field(examples=[3])
    deletion: uuid.UUID | None = Field(
        description="By which they can be taken back together: POST /products/deleted/restore?deletion=…; "
        "null where nothing was deleted",
        examples=["2f1c1b1e-6f0a-4b57-9d0c-0a5f3a2f8f11"],
    )


class Totals(BaseModel):
    """How many products, and what they cost together and on average."""

    count: int = Field(examples=[3])
    total: _Money = Field(examples=[5799.7])
    average: _Money | None = Field(description="Rounded to the cent; null of no products", examples=[1933.23])


class Changeable(BaseModel):
    """What many products can be changed in."""

    price: _Money = Field(examples=[19.9])
    categoria: Categoria


class ChangedExample(BaseModel):
    """One of the products, before and after a change."""

    id: int = Field(examples=[1])
    name: str = Field(examples=["Geladeira Frost Free 375 L"])
    before: Changeable
    after: Changeable


class ProductsChanged(BaseModel):
    """What a change made of many products, or would."""

    matching: int = Field(description="How many were meant", examples=[3])
    changed: int = Field(description="How many of them are not as they were", examples=[3])
    total_before: _Money = Field(examples=[100.0])
    total_after: _Money = Field(examples=[105.0])
    examples: list[ChangedExample] = Field(description=f"The first {EXAMPLES}, in order of id")


@dataclass
class Progress:
    """How many products have been worked on, of how many."""

    done: int = 0
    of: int = 0


def read_totals(engine: Engine, selection: Selection) -> Totals:
    """Return how many products there are in a selection, and what they cost."""
    with engine.connect() as connection:
        statement = select(func.count(), func.sum(Product.price)).where(*_conditions(connection, selection))
        count, total = connection.execute(statement).one()
    total = Decimal(total or 0).quantize(CENT)
    return Totals(count=count, total=total, average=(total / count).quantize(CENT, ROUND_HALF_UP) if count else None)


def delete_products(engine: Engine, query: ConfirmedSelection, progress: Progress) -> Deleted:
    """Delete what `query` describes when its `confirm` is the number of those products.

    Raises:
        ConfirmationError: there is no `confirm`, or another number matches; nothing was deleted.
    """
    deletion = uuid.uuid4()
    with transaction(engine, timeout_seconds=SECONDS) as connection:
        progress.of = matching = _hold(connection, query, _conditions(connection, query), "deleted", "delete")
        if engine.dialect.name == "postgresql":
            name = text("SELECT set_config('catalogue.deletion', :deletion, true)")
            connection.execute(name, {"deletion": str(deletion)})
        for ids in _parts(connection, progress):
            connection.execute(delete(Product).where(Product.id.in_(ids)))
            if engine.dialect.name != "postgresql":
                fresh = update(DeletedProduct).where(DeletedProduct.id.in_(ids))
                connection.execute(fresh.values(deletion=deletion))
    return Deleted(deleted=matching, deletion=deletion if matching else None)


def change_products(engine: Engine, query: ChangeQuery, change: ProductsChange, progress: Progress) -> ProductsChanged:
    """Change what `query` describes when its `confirm` is the number of those products, or only say what it would do.

    Raises:
        ConfirmationError: there is no `confirm`, or another number matches; nothing was changed.
        PriceOutOfRangeError: a price would be none, or too high; nothing was changed.
    """
    with transaction(engine, timeout_seconds=SECONDS) as connection:
        conditions = _conditions(connection, query)
        if not query.dry_run:
            progress.of = _hold(connection, query, conditions, "changed", "change")
            conditions = [Product.id.in_(select(CHOSEN.c.id))]
        outcome, refused = _outcome(connection, conditions, change)
        if refused:
            raise PriceOutOfRangeError(refused)
        if query.dry_run:
            return outcome
        new_price, new_categoria = _new(connection, change)
        different = or_(Product.price != new_price, Product.categoria != new_categoria)
        values = {"price": new_price, "categoria": new_categoria, "version": Product.version + 1}
        outcome.changed = 0
        for ids in _parts(connection, progress):
            statement = update(Product).where(Product.id.in_(ids), different).values(values)
            outcome.changed += connection.execute(statement).rowcount
    return outcome


def _conditions(connection: Connection, selection: Selection) -> list[ColumnElement[bool]]:
    conditions = selection.conditions(connection)
    if selection.id:
        conditions.append(Product.id.in_(sorted(set(selection.id))))
    return conditions


def _require(query: ConfirmedSelection, matching: int, done: str, do: str) -> None:
    if matching != query.confirm:
        raise ConfirmationError(matching, query.confirm, done=done, do=do)


def _new(connection: Connection, change: ProductsChange) -> tuple[SQLColumnExpression[Any], SQLColumnExpression[Any]]:
    """Return what becomes of a product's price and category, as SQL."""
    categoria: Any = (
        Product.categoria if change.categoria is None else literal(change.categoria, Product.categoria.type)
    )
    if change.price is None:
        return Product.price, categoria
    if connection.dialect.name == "postgresql":
        return func.round(change.price.of(Product.price), 2, type_=PRICE), categoria
    # SQLite's numbers are binary: so in whole cents, which are exact.
    cents = func.round(Product.price * 100)
    new: ColumnElement[Any]
    if change.price.percent is not None:
        new = func.round(cents * int((100 + change.price.percent) * 100) / 10_000.0)
    else:
        new = cents + int((change.price.amount or 0) * 100)
    return cast(new / 100.0, PRICE), categoria


def _outcome(
    connection: Connection, conditions: list[ColumnElement[bool]], change: ProductsChange
) -> tuple[ProductsChanged, int]:
    """Return what a change would do, and of how many products it would make what is none."""
    price, categoria = _new(connection, change)

    def number(condition: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    totals = select(
        func.count(),
        number(or_(Product.price != price, Product.categoria != categoria)),
        func.coalesce(func.sum(Product.price), 0),
        func.coalesce(func.sum(price), 0),
        number(or_(price <= 0, price > HIGHEST)),
    ).where(*conditions)
    matching, changed, before, after, refused = connection.execute(totals).one()
    first = select(Product.id, Product.name, Product.price, Product.categoria, price, categoria)
    first = first.where(*conditions).order_by(Product.id).limit(EXAMPLES)
    examples = [
        ChangedExample(
            id=row[0],
            name=row[1],
            before=Changeable(price=row[2], categoria=row[3]),
            after=Changeable(price=row[4], categoria=row[5]),
        )
        for row in connection.execute(first)
    ]
    outcome = ProductsChanged(
        matching=matching,
        changed=changed,
        total_before=Decimal(before).quantize(CENT),
        total_after=Decimal(after).quantize(CENT),
        examples=examples,
    )
    return outcome, refused


def _hold(
    connection: Connection, query: ConfirmedSelection, conditions: list[ColumnElement[bool]], done: str, do: str
) -> int:
    """Keep the products from changing, if they are as many as confirmed; return how many they are.

    Counted before too: what was not confirmed is refused without a million rows being locked.
    """
    matching = connection.execute(select(func.count()).select_from(Product).where(*conditions)).scalar_one()
    _require(query, matching, done, do)
    make_table(connection, CHOSEN.name, "id", Product.__tablename__)
    found = select(Product.id).where(*conditions).with_for_update()
    matching = connection.execute(insert(CHOSEN).from_select(["id"], found)).rowcount
    _require(query, matching, done, do)
    return matching


def _parts(connection: Connection, progress: Progress) -> Iterator[Any]:
    """Yield the ids of the products that are held, part by part."""
    parts = parts_of(connection, CHOSEN.name, PAGES)
    for number, part in enumerate(parts, 1):
        yield select(CHOSEN.c.id).where(part)
        progress.done = progress.of * number // len(parts)
