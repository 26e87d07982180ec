"""What is done with one product in the database: create, read, update, delete. Each is one statement."""

from functools import cache
from typing import cast

from sqlalchemy import bindparam, delete, insert, select, update

from app.api import person
from app.api.database import Database
from app.api.models import MAX_ID, Categoria, Product
from app.api.prepared import Parameters, Prepared, Row
from app.api.responses import Fields
from app.api.schemas import ProductBase, ProductCreate, ProductResponse

FIELDS = tuple(ProductResponse.model_fields)
COLUMNS = [getattr(Product, name) for name in FIELDS]
CREATE = Prepared(insert(Product).returning(*COLUMNS), (*ProductBase.model_fields, "created_by"))

_ID = Product.id == bindparam("product_id")
_VERSION = Product.version == bindparam("expected")
_READ = Prepared(select(*COLUMNS).where(_ID))
_DELETE = Prepared(delete(Product).where(_ID).returning(*COLUMNS))
_DELETE_VERSION = Prepared(delete(Product).where(_ID, _VERSION).returning(*COLUMNS))


async def get_product(database: Database, product_id: int) -> Fields | None:
    """Return the product with this id, or None."""
    return await _product(database, _READ, product_id, {})


def values(new: ProductCreate) -> Parameters:
    """Return the parameters of CREATE: the product, and whose it is."""
    return {**dict(new), "created_by": person.current()}


async def create_product(database: Database, new: ProductCreate) -> Fields:
    """Store a new product and return it with what the database generated."""
    return _fields(cast("Row", await database.first_row(CREATE, values(new))))


async def update_product(
    database: Database, product_id: int, changes: Parameters, *, version: int | None = None
) -> Fields | None:
    """Change the named fields of a product and return it.

    None when there is no such product or, where `version` is given, when it has another version by now. Every change
    makes a new version, also to the value that was there; no field named is no change.
    """
    if not changes:
        product = await get_product(database, product_id)
        return product if product is not None and version in (None, product["version"]) else None
    statement = _update(tuple(changes), versioned=version is not None)
    return await _product(database, statement, product_id, {**changes, "expected": version})


async def delete_product(database: Database, product_id: int, *, version: int | None = None) -> Fields | None:
    """Delete a product and return it as it last was; None as for `update_product`."""
    statement = _DELETE if version is None else _DELETE_VERSION
    return await _product(database, statement, product_id, {"expected": version})


@cache  # of five fields there are few choices
def _update(fields: tuple[str, ...], *, versioned: bool) -> Prepared:
    statement = update(Product).where(_ID, *([_VERSION] if versioned else []))
    return Prepared(statement.values(version=Product.version + 1).returning(*COLUMNS), fields)


async def _product(database: Database, statement: Prepared, product_id: int, parameters: Parameters) -> Fields | None:
    if not 0 < product_id <= MAX_ID:
        return None
    row = await database.first_row(statement, {"product_id": product_id, **parameters})
    return None if row is None else _fields(row)


def _fields(row: Row) -> Fields:
    fields = dict(zip(FIELDS, row[: len(FIELDS)], strict=True))  # what is behind them is Prepared's
    fields["categoria"] = Categoria(fields["categoria"])  # which a statement by itself gives back as text
    return fields
