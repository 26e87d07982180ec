"""What may be asked of the list of products, and the conditions, orders and counts that this is in SQL."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from app.api import cursor, search
from app.api.models import CATEGORIA, MAX_ID, ORDERS, PRICE, Categoria, Product
from app.api.schemas import DecimalNumber, WholeNumber

if TYPE_CHECKING:
    Sort = str
else:
    _SORTED = ("id", *ORDERS)
    Sort = Literal[*_SORTED, *(f"-{name}" for name in _SORTED)]
COUNTED = 20_000  # so many products are counted, where an estimate would do for more (`make bench PART=scale`)
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


def _code_or_supplier(query: str) -> dict[str, Any]:
    """Return what a search may be besides words, by the names of its parameters: a code, or an address' beginning.

    An address begins so if it is from `address_from` on and before `address_to`: bounds that an index has.
    """
    text = query.strip()
    if text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_ID)) and 0 < int(text) <= MAX_ID:
        return {"code": int(text)}
    if re.fullmatch(r"[^@\s]+@[^@\s]*", text):
        local, _, domain = text.partition("@")
        start = f"{local}@{domain.lower()}"  # as addresses are stored
        return {"address_from": start, "address_to": f"{start}\U0010ffff"}
    return {}


def _of_code_or_supplier(query: str) -> list[ColumnElement[bool]]:
    match _code_or_supplier(query):
        case {"code": code}:
            return [Product.id == bindparam("code", code, Integer)]
        case {"address_from": start, "address_to": end}:
            address = Product.email_fornecedor
            return [
                and_(
                    address >= bindparam("address_from", start, String), address < bindparam("address_to", end, String)
                )
            ]
    return []


JSON_AMOUNT = {"type": "number", "minimum": 0, "maximum": 9_999_999_999.99, "multipleOf": 0.01}
Amount = Annotated[
    DecimalNumber, Field(ge=0, max_digits=12, decimal_places=2, allow_inf_nan=False), WithJsonSchema(JSON_AMOUNT)
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
        "case and accents do not matter. Also the product with this id, and those of suppliers whose address begins so "
        "(with the @)",
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
        return [condition for _, condition in self.conditions_by_column(connection.dialect)]

    def conditions_by_column(self, dialect: Dialect) -> list[tuple[str, ColumnElement[bool]]]:
        """Return what a product has to meet, each with the column that it is about; values are named parameters."""
        given = self.parameters()
        found: list[tuple[str, Any]] = []
        categories = [bindparam(name, given[name], CATEGORIA) for name in given if name.startswith("categoria_")]
        if categories:
            found.append(("categoria", Product.categoria.in_(categories)))
        if self.price_min is not None:
            found.append(("price", Product.price >= bindparam("price_min", self.price_min, PRICE)))
        if self.price_max is not None:
            found.append(("price", Product.price <= bindparam("price_max", self.price_max, PRICE)))
        created = sorted_by("created_at", dialect)
        if self.created_after is not None:
            found.append(("created_at", created >= bound("created_after", "created_at", self.created_after, dialect)))
        if self.created_before is not None:
            found.append(("created_at", created < bound("created_before", "created_at", self.created_before, dialect)))
        if self.email_fornecedor is not None:
            supplier = Product.email_fornecedor == bindparam("email_fornecedor", self.email_fornecedor, String)
            found.append(("email_fornecedor", supplier))
        if self.q is not None:
            found.append(("search", or_(search.matches(self.q, dialect), *_of_code_or_supplier(self.q))))
        return found

    def parameters(self) -> dict[str, Any]:
        """Return the values of the conditions by name: where the names are the same, so is the SQL."""
        given: dict[str, Any] = {f"categoria_{n}": c for n, c in enumerate(sorted(set(self.categoria)))}
        for name in ("price_min", "price_max", "created_after", "created_before", "email_fornecedor"):
            if (value := getattr(self, name)) is not None:
                given[name] = value
        if self.q is not None:
            given |= search.parameters(self.q)
            given |= _code_or_supplier(self.q)
        return given


class ListQuery(ProductFilter):
    """What may be asked of the list."""

    limit: WholeNumber = Field(50, ge=1, le=200, description="Products on a page", examples=[20])
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
        None,
        description="The page in front of this place: a cursor from the header `Link`; empty, the last page",
        examples=[CURSOR],
    )
    count: Literal["exact", "estimated"] | None = Field(
        None,
        description="Ask for `X-Total-Count`; estimated is quick however many they are, and exact while they are few",
        examples=["estimated"],
    )

    @field_validator("after", "before")
    @classmethod
    def _known(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and "sort" in info.data and (value or info.field_name == "after"):
            cursor.decode(info.data["sort"], value)
        if value is not None and info.field_name == "before" and info.data.get("after") is not None:
            raise ValueError("cannot go with `after`")
        return value


def count(engine: Engine, query: ListQuery) -> tuple[int, str]:
    """Return how many products meet the filter, and whether that is "exact" or "estimated".

    An estimate is the planner's, whose statistics may be old: where it says few they are counted all the same.
    """
    with engine.connect() as connection:
        conditions = query.conditions(connection)
        if query.count == "estimated" and engine.dialect.name == "postgresql":
            estimate = estimated(connection, conditions)
            if estimate > COUNTED:
                return estimate, "estimated"
        return connection.execute(select(func.count()).select_from(Product).where(*conditions)).scalar_one(), "exact"


def estimated(connection: Connection, conditions: Sequence[Any]) -> int:
    """Return how many products PostgreSQL expects to meet the conditions."""
    counted: Select[Any] = select(Product.id).where(*conditions)
    sql = counted.compile(connection, compile_kwargs={"render_postcompile": True})
    plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", sql.construct_params()).scalar_one()
    return int(plan[0]["Plan"]["Plan Rows"])


def order_by(sort: Sort, connection: Connection) -> list[ColumnElement[Any]]:
    """Return the ORDER BY of the whole list in the order `sort`."""
    column = sort.removeprefix("-")
    keyset = [Product.id] if column == "id" else [sorted_by(column, connection.dialect), Product.id]
    return directed(keyset, descending=sort.startswith("-"))


def directed(keyset: Sequence[Any], *, descending: bool) -> list[ColumnElement[Any]]:
    """Return the ORDER BY of a keyset."""
    return [k.desc() if descending else k.asc() for k in keyset]


def sorted_by(column: str, dialect: Dialect) -> Any:
    """Return what is sorted by: what its index is on."""
    if column in ("created_at", "updated_at") and dialect.name == "sqlite":
        return func.strftime(SQLITE_MOMENT, getattr(Product, column), type_=String)
    return ORDERS.get(column, Product.id)


def bound(name: str, column: str, value: Any, dialect: Dialect) -> ColumnElement[Any]:
    """Return `value` as a parameter to compare with what `column` is sorted by."""
    if isinstance(value, datetime) and dialect.name == "sqlite":
        moment = value.astimezone(UTC)
        return bindparam(name, f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}", String)
    return bindparam(name, value, ORDERS[column].type)
