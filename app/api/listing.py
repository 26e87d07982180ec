"""The list of products: what may be asked of it, and the queries that answer."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    ValidationInfo,
    field_validator,
)
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, String, func, literal, select, tuple_

from app.api import cursor, search
from app.api.crud import COLUMNS
from app.api.models import ORDERS, Categoria, Product

Column = Literal["id", "name", "description", "price", "categoria", "email_fornecedor", "created_at", "updated_at"]
Sort = Literal[
    Column, "-id", "-name", "-description", "-price", "-categoria", "-email_fornecedor", "-created_at", "-updated_at"
]
COUNTED = 10_000  # products that are counted where an estimate is asked for: it takes milliseconds
SQLITE_MOMENT = "%Y-%m-%d %H:%M:%f"  # to the millisecond; SQLite's own default has whole seconds


def _refuse_no_words(query: str) -> str:
    if not search.words(query):
        raise ValueError("must have a letter or a digit")
    return query


Amount = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2, allow_inf_nan=False, examples=[100])]
Moment = Annotated[AwareDatetime, Field(examples=["2026-11-01T00:00:00-03:00"])]


class ProductFilter(BaseModel):
    """Which products: those that meet every condition that is given."""

    model_config = ConfigDict(extra="forbid")

    categoria: list[Categoria] = Field([], description="Of one of these categories; may be repeated")
    price_min: Amount | None = Field(None, description="At this price or above")
    price_max: Amount | None = Field(None, description="At this price or below")
    created_after: Moment | None = Field(None, description="Created at this time or later (RFC 3339, with offset)")
    created_before: Moment | None = Field(None, description="Created before this time (RFC 3339, with offset)")
    email_fornecedor: EmailStr | None = Field(None, description="Of this supplier")
    q: Annotated[str, AfterValidator(_refuse_no_words)] | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Every one of these words begins a word of name or description, or has its Portuguese stem; "
        "case and accents do not matter",
        examples=["geladeira inox"],
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
        conditions: list[Any] = []
        if self.categoria:
            conditions.append(Product.categoria.in_(sorted(set(self.categoria))))
        if self.price_min is not None:
            conditions.append(Product.price >= self.price_min)
        if self.price_max is not None:
            conditions.append(Product.price <= self.price_max)
        if self.created_after is not None:
            conditions.append(
                _expression("created_at", connection) >= _bound("created_at", self.created_after, connection)
            )
        if self.created_before is not None:
            conditions.append(
                _expression("created_at", connection) < _bound("created_at", self.created_before, connection)
            )
        if self.email_fornecedor is not None:
            conditions.append(Product.email_fornecedor == self.email_fornecedor)
        if self.q is not None:
            conditions.append(search.matches(self.q, connection.dialect))
        return conditions


class ListQuery(ProductFilter):
    """What may be asked of the list."""

    limit: int = Field(50, ge=1, le=200, description="Products on a page")
    sort: Sort = Field(
        "id",
        description="The column to sort by, `-` in front for descending. Text goes without accents and case; "
        "description by its first 100 characters",
    )
    after: str | None = Field(None, description="The page behind this place: a cursor from the header `Link`")
    before: str | None = Field(None, description="The page in front of this place: a cursor from the header `Link`")
    count: Literal["exact", "estimated"] | None = Field(
        None,
        description=f"Ask for `X-Total-Count`; estimated is quick however many they are, and exact up to {COUNTED:,}",
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
    statement = select(*COLUMNS, *([] if column == "id" else [expression.label("position")]))
    statement = statement.where(*query.conditions(connection))
    keyset = [Product.id] if column == "id" else [expression, Product.id]
    if place := query.after or query.before:
        value, product_id = cursor.decode(query.sort, place)
        here = literal(product_id)
        if column == "id":
            statement = statement.where(Product.id < here if descending else Product.id > here)
        else:
            key, position = tuple_(*keyset), tuple_(_bound(column, value, connection), here)
            statement = statement.where(key < position if descending else key > position)
    statement = statement.order_by(*(k.desc() if descending else k.asc() for k in keyset)).limit(query.limit + 1)
    rows = list(connection.execute(statement).mappings())
    more = len(rows) > query.limit
    page = rows[: query.limit]
    if backwards:
        page.reverse()
    return page, _links(query, page, more=more)


def count(connection: Connection, query: ListQuery) -> tuple[int, str]:
    """Return how many products meet the filter, and whether that is "exact" or "estimated".

    An estimate is the planner's, whose statistics may be old: up to COUNTED products are counted all the same.
    """
    conditions = query.conditions(connection)
    if query.count == "estimated" and connection.dialect.name == "postgresql":
        first = select(Product.id).where(*conditions).order_by(Product.id).limit(COUNTED + 1).subquery()
        counted = connection.execute(select(func.count()).select_from(first)).scalar_one()
        return (
            (counted, "exact") if counted <= COUNTED else (max(_estimate(connection, conditions), counted), "estimated")
        )
    return connection.execute(select(func.count()).select_from(Product).where(*conditions)).scalar_one(), "exact"


def _estimate(connection: Connection, conditions: Sequence[ColumnElement[bool]]) -> int:
    counted: Select[Any] = select(Product.id).where(*conditions)
    sql = counted.compile(connection, compile_kwargs={"render_postcompile": True})
    plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", sql.construct_params()).scalar_one()
    return int(plan[0]["Plan"]["Plan Rows"])


def order_by(sort: Sort, connection: Connection) -> list[ColumnElement[Any]]:
    """Return the ORDER BY of the whole list in the order `sort`."""
    column = sort.removeprefix("-")
    keyset = [Product.id] if column == "id" else [_expression(column, connection), Product.id]
    return [k.desc() if sort.startswith("-") else k.asc() for k in keyset]


def _expression(column: str, connection: Connection) -> Any:
    """Return what is sorted by: what the index of migration 0002 is on."""
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
