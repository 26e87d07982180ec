"""The list of products: what may be asked of it, and the queries that answer."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, String, func, literal, select, tuple_
from sqlalchemy.sql.util import ClauseAdapter

from app.api import cursor, search
from app.api.crud import COLUMNS
from app.api.models import ORDERS, Categoria, Product
from app.api.schemas import COLUMN_NAMES

if TYPE_CHECKING:
    Sort = str
else:
    Sort = Literal[*COLUMN_NAMES, *(f"-{name}" for name in COLUMN_NAMES)]
STRETCH = 2000  # how many products are gone through in order, before those that match are collected and sorted
STRETCH_PAGES = 40  # the same in pages; the larger one counts
COLLECTED = 100_000  # so many products are collected and sorted at most
COUNTED = 20_000  # so many products are counted, where an estimate would do for more
CURSOR = cursor.encode("id", (50, 50))
A_WORD = r"[^\x00-/:-@\[-`{-\x7f]"  # some character is none of search.py's separators
SQLITE_MOMENT = "%Y-%m-%d %H:%M:%f"  # to the millisecond; SQLite's own default has whole seconds


def _refuse_number(text: str) -> str:
    if re.fullmatch(r"[-+.\d]*", text):  # which Pydantic would take for seconds since 1970
        raise ValueError("must be a time with an offset, such as 2026-11-01T00:00:00Z")
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)  # PostgreSQL takes no offset above 15:59
    except OverflowError:
        raise ValueError("must be in the years 1 to 9999, in UTC") from None


def _refuse_no_words(query: str) -> str:
    if not search.words(query):
        raise ValueError("must have a letter or a digit")
    return query


JSON_AMOUNT = {"type": "number", "minimum": 0, "maximum": 9_999_999_999.99, "multipleOf": 0.01}
Amount = Annotated[
    Decimal, Field(ge=0, max_digits=12, decimal_places=2, allow_inf_nan=False), WithJsonSchema(JSON_AMOUNT)
]
Moment = Annotated[AwareDatetime, BeforeValidator(_refuse_number), AfterValidator(_in_utc)]


class ProductFilter(BaseModel):
    """Which products: those that meet every condition that is given."""

    model_config = ConfigDict(extra="forbid")

    categoria: list[Categoria] = Field(
        [], description="Of one of these categories; may be repeated", examples=[["Eletrodoméstico"]]
    )
    price_min: Amount | None = Field(None, description="At this price or above", examples=[100])
    price_max: Amount | None = Field(None, description="At this price or below", examples=[3000])
    created_after: Moment | None = Field(
        None,
        description="Created at this time or later (RFC 3339, with offset)",
        examples=["2026-11-01T00:00:00-03:00"],
    )
    created_before: Moment | None = Field(
        None, description="Created before this time (RFC 3339, with offset)", examples=["2026-12-01T00:00:00-03:00"]
    )
    email_fornecedor: EmailStr | None = Field(
        None, description="Of this supplier", examples=["vendas@fornecedor.example.com"]
    )
    q: Annotated[str, AfterValidator(_refuse_no_words)] | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Every one of these words begins a word of name or description, or has its Portuguese stem; "
        "case and accents do not matter",
        examples=["geladeira inox"],
        json_schema_extra={"pattern": A_WORD},
    )

    @field_validator("price_max")
    @classmethod
    def _not_below_price_min(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        low = info.data.get("price_min")
        if value is not None and low is not None and value < low:
            raise ValueError("must not be below price_min")
        return value

    @field_validator("created_before")
    @classmethod
    def _after_created_after(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("created_after")
        if value is not None and start is not None and value <= start:
            raise ValueError("must be later than created_after")
        return value

    def conditions(self, connection: Connection) -> list[ColumnElement[bool]]:
        """Return what a product has to meet, as SQL."""
        return [condition for _, condition in self.conditions_by_column(connection)]

    def conditions_by_column(self, connection: Connection) -> list[tuple[str, ColumnElement[bool]]]:
        """Return what a product has to meet, each with the column that it is about."""
        found: list[tuple[str, Any]] = []
        if self.categoria:
            found.append(("categoria", Product.categoria.in_(sorted(set(self.categoria)))))
        if self.price_min is not None:
            found.append(("price", Product.price >= self.price_min))
        if self.price_max is not None:
            found.append(("price", Product.price <= self.price_max))
        created = _expression("created_at", connection)
        if self.created_after is not None:
            found.append(("created_at", created >= _bound("created_at", self.created_after, connection)))
        if self.created_before is not None:
            found.append(("created_at", created < _bound("created_at", self.created_before, connection)))
        if self.email_fornecedor is not None:
            found.append(("email_fornecedor", Product.email_fornecedor == self.email_fornecedor))
        if self.q is not None:
            found.append(("search", search.matches(self.q, connection.dialect)))
        return found


class ListQuery(ProductFilter):
    """What may be asked of the list."""

    limit: int = Field(50, ge=1, le=200, description="Products on a page", examples=[20])
    sort: Sort = Field(
        "id",
        description="The column to sort by, `-` in front for descending. Text goes without accents and case; "
        "description by its first 100 characters",
        examples=["id"],
    )
    after: str | None = Field(
        None, description="The page behind this place: a cursor from the header `Link`", examples=[CURSOR]
    )
    before: str | None = Field(
        None, description="The page in front of this place: a cursor from the header `Link`", examples=[CURSOR]
    )
    count: Literal["exact", "estimated"] | None = Field(
        None,
        description="Ask for `X-Total-Count`; estimated is quick however many they are, and exact while they are few",
        examples=["estimated"],
    )

    @field_validator("after", "before")
    @classmethod
    def _known(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and "sort" in info.data:
            cursor.decode(info.data["sort"], value)
        if value is not None and info.field_name == "before" and info.data.get("after") is not None:
            raise ValueError("cannot go with `after`")
        return value


def get_page(connection: Connection, query: ListQuery) -> tuple[Sequence[RowMapping], str | None]:
    """Return a page of products, and the value of its header `Link` if other pages lie beside it."""
    backwards = query.before is not None
    descending = query.sort.startswith("-") is not backwards
    column = query.sort.removeprefix("-")
    expression = _expression(column, connection)
    keyset = [Product.id] if column == "id" else [expression, Product.id]
    # What bounds a stretch of the order's index, and what is looked for within it.
    indexed = (column, "categoria") if column == "price" and len(set(query.categoria)) == 1 else (column,)
    conditions = query.conditions_by_column(connection)
    bounds = [condition for about, condition in conditions if about in indexed]
    others = [condition for about, condition in conditions if about not in indexed]
    if place := query.after or query.before:
        value, product_id = cursor.decode(query.sort, place)
        here = literal(product_id)
        if column == "id":
            bounds.append(Product.id < here if descending else Product.id > here)
        else:
            key, position = tuple_(*keyset), tuple_(_bound(column, value, connection), here)
            bounds.append(key < position if descending else key > position)
    statement = select(*COLUMNS, *([] if column == "id" else [expression.label("position")]))
    rows = _find(connection, statement, keyset, bounds, others, query.limit + 1, descending=descending)
    more = len(rows) > query.limit
    page = rows[: query.limit]
    if backwards:
        page = page[::-1]
    return page, _links(query, page, more=more)


def _find(
    connection: Connection,
    statement: Select[Any],
    keyset: list[Any],
    bounds: list[Any],
    others: list[Any],
    wanted: int,
    *,
    descending: bool,
) -> Sequence[RowMapping]:
    """Return the first products that meet `others` within `bounds`.

    PostgreSQL would trust its guess of how many they are, and where it expects many but there are few, look at every
    product in order. So it goes through a stretch in which common ones fill the page; those that do not are collected
    by their own indexes, however few or far away, and sorted. Only where that is too many it goes on in order.
    """
    order = _directed(keyset, descending=descending)
    in_order = statement.where(*bounds, *others).order_by(*order).limit(wanted)
    if not others or connection.dialect.name != "postgresql":
        return connection.execute(in_order).mappings().all()
    stretch = max(STRETCH, STRETCH_PAGES * wanted)
    near = statement.add_columns(Product.search).where(*bounds).order_by(*order).limit(stretch).subquery("near")
    of_near = ClauseAdapter(near)
    keys = [near.c.id] if len(keyset) == 1 else [near.c.position, near.c.id]
    matching = select(*(near.c[column.name] for column in statement.selected_columns)).where(
        *(of_near.traverse(condition) for condition in others)
    )
    rows = connection.execute(matching.order_by(*_directed(keys, descending=descending)).limit(wanted)).mappings().all()
    if len(rows) == wanted:
        return rows
    beyond = select(Product.id).where(*bounds).order_by(*order).offset(stretch).limit(1)
    if connection.execute(beyond).first() is None:
        return rows
    if _estimate(connection, [*bounds, *others]) > COLLECTED:
        return connection.execute(in_order).mappings().all()
    # OFFSET 0 has it planned as if all were wanted, not the first few of many.
    found = select(*keyset).where(*bounds, *others).offset(0).subquery()
    first = select(found.c.id).order_by(*_directed(list(found.c), descending=descending)).limit(wanted)
    return connection.execute(statement.where(Product.id.in_(first)).order_by(*order)).mappings().all()


def count(connection: Connection, query: ListQuery) -> tuple[int, str]:
    """Return how many products meet the filter, and whether that is "exact" or "estimated".

    An estimate is the planner's, whose statistics may be old: where it says few they are counted all the same.
    """
    conditions = query.conditions(connection)
    if query.count == "estimated" and connection.dialect.name == "postgresql":
        estimate = _estimate(connection, conditions)
        if estimate > COUNTED:
            return estimate, "estimated"
    return connection.execute(select(func.count()).select_from(Product).where(*conditions)).scalar_one(), "exact"


def _estimate(connection: Connection, conditions: Sequence[Any]) -> int:
    """Return how many products PostgreSQL expects to meet the conditions."""
    counted: Select[Any] = select(Product.id).where(*conditions)
    sql = counted.compile(connection, compile_kwargs={"render_postcompile": True})
    plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", sql.construct_params()).scalar_one()
    return int(plan[0]["Plan"]["Plan Rows"])


def order_by(sort: Sort, connection: Connection) -> list[ColumnElement[Any]]:
    """Return the ORDER BY of the whole list in the order `sort`."""
    column = sort.removeprefix("-")
    keyset = [Product.id] if column == "id" else [_expression(column, connection), Product.id]
    return _directed(keyset, descending=sort.startswith("-"))


def _directed(keyset: Sequence[Any], *, descending: bool) -> list[ColumnElement[Any]]:
    return [k.desc() if descending else k.asc() for k in keyset]


def _expression(column: str, connection: Connection) -> Any:
    """Return what is sorted by: what its index is on."""
    if column in ("created_at", "updated_at") and connection.dialect.name == "sqlite":
        return func.strftime(SQLITE_MOMENT, getattr(Product, column), type_=String)
    return ORDERS.get(column, Product.id)


def _bound(column: str, value: Any, connection: Connection) -> ColumnElement[Any]:
    """Return `value` to compare with `_expression`."""
    if isinstance(value, datetime) and connection.dialect.name == "sqlite":
        moment = value.astimezone(UTC)
        return literal(f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}")
    return literal(value, ORDERS[column].type)


def _links(query: ListQuery, page: Sequence[RowMapping], *, more: bool) -> str | None:
    links = []
    if page and (more or query.before is not None):
        links.append(_link(query, "after", page[-1], "next"))
    if page and (query.after is not None or (query.before is not None and more)):
        links.append(_link(query, "before", page[0], "prev"))
    return ", ".join(links) or None


def _link(query: ListQuery, place: str, row: RowMapping, relation: str) -> str:
    asked = query.model_dump(mode="json", exclude_defaults=True, exclude={"after", "before"})
    value = row["id"] if query.sort in ("id", "-id") else row["position"]
    if isinstance(value, str) and query.sort.removeprefix("-") in ("created_at", "updated_at"):
        value = f"{value}+00:00"  # SQLite's
    asked[place] = cursor.encode(query.sort, (value, row["id"]))
    return f'</products/?{urlencode(asked, doseq=True)}>; rel="{relation}"'
