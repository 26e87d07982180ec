"""A page of the list. PostgreSQL writes it as JSON, in one statement where one is enough; for SQLite Python does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from anyio import to_thread
from sqlalchemy import (
    Dialect,
    Engine,
    Integer,
    LargeBinary,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.sql.util import ClauseAdapter

from app.api import cursor
from app.api.crud import COLUMNS, FIELDS
from app.api.database import Database
from app.api.listing import ListQuery, bound, directed, estimated, sorted_by
from app.api.models import Product
from app.api.prepared import Prepared
from app.api.schemas import ProductResponse

# The next three are where `make bench PART=scale` found no filter slower at a million products than the others.
STRETCH = 2000  # how many products are gone through in order, before those that match are collected and sorted
STRETCH_PAGES = 40  # the same in pages; the larger one counts
COLLECTED = 100_000  # so many products are collected and sorted at most
_PLACES = {"after", "before"}
SHAPES = 1000  # of queries, whose statements are kept


def _moment(column: str) -> str:
    """Return a time as Pydantic writes it: with six digits of the second's fraction, or none where it is zero."""
    to_second, to_microsecond = (f'to_char({column}, \'YYYY-MM-DD"T"HH24:MI:SS{more}"Z"\')' for more in ("", ".US"))
    return f"CASE WHEN {column}::timestamptz(0) = {column} THEN {to_second} ELSE {to_microsecond} END"


# A product as ProductResponse is written, byte for byte (tests/api/test_pages.py). A category has nothing to escape.
# `concat` and the casts are for speed: with `||` and `date_trunc` PostgreSQL takes a third longer for a page.
_JSON = f"""concat('{{"name":', json_scalar(name), ',"description":', coalesce(json_scalar(description)::text, 'null'),
    ',"price":', CASE WHEN price = price::numeric(12, 1) THEN price::numeric(12, 1) ELSE price END,
    ',"categoria":"', categoria, '","email_fornecedor":', json_scalar(email_fornecedor), ',"id":', id,
    ',"created_at":"', {_moment("created_at")}, '","updated_at":"', {_moment("updated_at")},
    '","version":', version, '}}')"""
_BETWEEN = b',{"name":'  # two products: within a text every quote has a backslash before it


class Page(NamedTuple):
    """The JSON of its products, and the value of its header `Link` if other pages lie beside it."""

    body: bytes
    link: str | None


@dataclass(frozen=True)
class _Parts:
    """A query in SQL: which products lie where in the order (`bounds`), and what else they have to meet."""

    keyset: list[Any]
    bounds: list[Any]
    others: list[Any]
    descending: bool

    def order(self, keyset: Sequence[Any] = ()) -> list[Any]:
        return directed(keyset or self.keyset, descending=self.descending)

    def positions(self) -> list[Any]:
        """Return what is selected for the links, besides the id."""
        return [self.keyset[0].label("position")] if len(self.keyset) == 2 else []


class _Found(NamedTuple):
    """The JSON of products with commas between them, and their places, in the order of the list.

    PostgreSQL says it in one row: fifty take the event loop half as long again. Where nothing is found all are NULL.
    """

    body: bytes | None
    ids: Sequence[int] | None
    positions: Sequence[Any] | None = None


class _Statements(NamedTuple):
    """What is asked in the event loop: for a page, and whether there are products beyond the stretch it looked at."""

    page: Prepared
    beyond: Prepared | None


async def get_page(database: Database, query: ListQuery) -> Page:
    """Return a page of products."""
    wanted = query.limit + 1
    if database.engine.dialect.name != "postgresql":
        return _page(query, await to_thread.run_sync(_in_python, database.engine, query))
    given = _parameters(query)
    shape = (query.sort, query.before is not None, *given)
    statements = _KEPT.get(shape) or _keep(shape, query, database.engine.dialect)
    found = _Found(*(await database.rows(statements.page, given))[0])
    is_short = len(found.ids or ()) < wanted
    if is_short and statements.beyond is not None and await database.rows(statements.beyond, given):
        found = await to_thread.run_sync(_from_afar, database.engine, query)
    return _page(query, found)


_KEPT: dict[tuple[Any, ...], _Statements] = {}


def _keep(shape: tuple[Any, ...], query: ListQuery, dialect: Dialect) -> _Statements:
    """Make the statements for a shape of queries: the same order and parameters of the same names."""
    if len(_KEPT) >= SHAPES:
        _KEPT.pop(next(iter(_KEPT)))
    _KEPT[shape] = made = _statements(query, dialect)
    return made


def _parameters(query: ListQuery) -> dict[str, Any]:
    given = query.parameters()
    if place := query.after or query.before:
        given["position"], given["position_id"] = cursor.decode(query.sort, place)
    wanted = query.limit + 1
    return given | {"wanted": wanted, "stretch": max(STRETCH, STRETCH_PAGES * wanted)}


def _parts(query: ListQuery, dialect: Dialect) -> _Parts:
    descending = query.sort.startswith("-") is not (query.before is not None)
    column = query.sort.removeprefix("-")
    expression = sorted_by(column, dialect)
    # What bounds a stretch of the order's index, and what is looked for within it.
    indexed = (column, "categoria") if column == "price" and len(set(query.categoria)) == 1 else (column,)
    conditions = query.conditions_by_column(dialect)
    bounds = [condition for about, condition in conditions if about in indexed]
    others = [condition for about, condition in conditions if about not in indexed]
    if place := query.after or query.before:
        value, product_id = cursor.decode(query.sort, place)
        here = bindparam("position_id", product_id, Integer)
        if column == "id":
            bounds.append(Product.id < here if descending else Product.id > here)
        else:
            key, position = tuple_(expression, Product.id), tuple_(bound("position", column, value, dialect), here)
            bounds.append(key < position if descending else key > position)
    return _Parts([Product.id] if column == "id" else [expression, Product.id], bounds, others, descending)


def _statements(query: ListQuery, dialect: Dialect) -> _Statements:
    """Return the statements of the event loop.

    PostgreSQL would trust its guess of how many products meet `others`, and where it expects many but there are few,
    look at every product in order. So it goes through a stretch, in which common ones fill the page.
    """
    parts = _parts(query, dialect)
    wanted, stretch = (bindparam(name, type_=Integer) for name in ("wanted", "stretch"))
    if not parts.others:
        return _Statements(Prepared(_in_one_row(_in_order(parts).limit(wanted), query)), None)
    all_columns = select(*COLUMNS, Product.search, *parts.positions())
    near = all_columns.where(*parts.bounds).order_by(*parts.order()).limit(stretch).subquery("near")
    of_near = ClauseAdapter(near)
    keys = [near.c.id] if len(parts.keyset) == 1 else [near.c.position, near.c.id]
    matching = (
        select(literal_column(_JSON).label("body"), near.c.id, *keys[:-1])
        .where(*(of_near.traverse(condition) for condition in parts.others))
        .order_by(*parts.order(keys))
        .limit(wanted)
    )
    beyond = select(Product.id).where(*parts.bounds).order_by(*parts.order()).offset(stretch).limit(1)
    return _Statements(Prepared(_in_one_row(matching, query)), Prepared(beyond))


def _from_afar(engine: Engine, query: ListQuery) -> _Found:
    """Return the first products where few of those in order match; in a thread, planned for these very values.

    They are collected by their own indexes, however few or far away, and sorted. Only where that is too many, it goes
    on in order.
    """
    parts = _parts(query, engine.dialect)
    wanted = query.limit + 1
    with engine.connect() as connection:
        if estimated(connection, [*parts.bounds, *parts.others]) > COLLECTED:
            return _Found(*connection.execute(_in_one_row(_in_order(parts).limit(wanted), query)).one())
        # OFFSET 0 has it planned as if all were wanted, not the first few of many.
        found = select(*parts.keyset).where(*parts.bounds, *parts.others).offset(0).subquery()
        first = select(found.c.id).order_by(*parts.order(list(found.c))).limit(wanted)
        statement = select(literal_column(_JSON).label("body"), Product.id, *parts.positions())
        statement = statement.where(Product.id.in_(first)).order_by(*parts.order())
        return _Found(*connection.execute(_in_one_row(statement, query)).one())


def _in_one_row(rows: Select[Any], query: ListQuery) -> Select[Any]:
    """Return the statement that puts rows of body, id and position together as _Found has them.

    An aggregate takes the rows of a sorted subquery in their order (PostgreSQL's documentation, Aggregate Functions).
    """
    row = rows.subquery("page")
    if query.before is not None:  # which was looked for from its end to its beginning
        keys = [column for name, column in row.c.items() if name == "position"] + [row.c.id]
        row = select(row).order_by(*directed(keys, descending=query.sort.startswith("-"))).subquery("turned")
    joined: Any = func.string_agg(row.c.body, literal_column("','"))
    found: list[Any] = [func.convert_to(joined, literal_column("'UTF8'"), type_=LargeBinary)]
    found += [func.array_agg(column) for name, column in row.c.items() if name != "body"]
    return select(*found)


def _in_order(parts: _Parts) -> Select[Any]:
    statement = select(literal_column(_JSON).label("body"), Product.id, *parts.positions())
    return statement.where(*parts.bounds, *parts.others).order_by(*parts.order())


def _in_python(engine: Engine, query: ListQuery) -> _Found:
    """Return what a database has that cannot write JSON as Pydantic does."""
    parts = _parts(query, engine.dialect)
    statement = select(*COLUMNS, *parts.positions()).where(*parts.bounds, *parts.others).order_by(*parts.order())
    with engine.connect() as connection:
        rows = connection.execute(statement.limit(query.limit + 1)).mappings().all()
    rows = rows if query.before is None else rows[::-1]  # which was looked for from its end to its beginning
    products = [ProductResponse.model_construct(**{name: row[name] for name in FIELDS}) for row in rows]
    body = ",".join(product.model_dump_json() for product in products).encode()
    positions = [row["position"] for row in rows] if parts.positions() else None
    return _Found(body, [row["id"] for row in rows], positions)


def _page(query: ListQuery, found: _Found) -> Page:
    """Return the page; one product more than wanted says that there are more."""
    body, ids = found.body or b"", found.ids or ()
    positions = found.positions or ids
    more = len(ids) > query.limit
    if more and query.before is None:
        body, ids, positions = body[: body.rindex(_BETWEEN)], ids[:-1], positions[:-1]
    elif more:
        body, ids, positions = body[body.index(_BETWEEN) + 1 :], ids[1:], positions[1:]
    return Page(b"[%b]" % body, _links(query, list(zip(positions, ids, strict=True)), more=more))


def _links(query: ListQuery, page: Sequence[cursor.Position], *, more: bool) -> str | None:
    links = []
    if page and (more if query.before is None else query.before):  # an empty `before` is the end
        links.append(_link(query, "after", page[-1], "next"))
    if page and (query.after is not None or (query.before is not None and more)):
        links.append(_link(query, "before", page[0], "prev"))
    return ", ".join(links) or None


def _link(query: ListQuery, place: str, at: cursor.Position, relation: str) -> str:
    value, product_id = at
    if isinstance(value, str) and query.sort.removeprefix("-") in ("created_at", "updated_at"):
        value = f"{value}+00:00"  # SQLite's
    asked = f"{place}={cursor.encode(query.sort, (value, product_id))}"
    if query.model_fields_set - _PLACES:
        same = query.model_dump(mode="json", exclude_defaults=True, exclude=_PLACES)
        asked = f"{urlencode(same, doseq=True)}&{asked}" if same else asked
    return f'</products/?{asked}>; rel="{relation}"'
