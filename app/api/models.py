"""The tables, as SQLAlchemy maps them. Migrations, not this file, create them."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Enum,
    Float,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    String,
    TypeDecorator,
    Uuid,
    func,
    literal_column,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

MAX_ID = 2**31 - 1  # the largest value of PostgreSQL's integer


class Categoria(StrEnum):
    """The five categories of the shop; the values are what travels and what is stored."""

    ELETRONICO = "Eletrônico"
    ELETRODOMESTICO = "Eletrodoméstico"
    MOVEIS = "Móveis"
    ROUPAS = "Roupas"
    CALCADOS = "Calçados"


class UTCDateTime(TypeDecorator[datetime]):
    """A point in time; SQLite keeps no offset, so the UTC it was stored in is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Make the stored time aware of its offset."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


# SQLite has no exact decimals: a float of at most twelve digits comes back to the same cents.
PRICE: Any = Numeric(12, 2).with_variant(Float(asdecimal=True, decimal_return_scale=2), "sqlite")
CATEGORIA = Enum(
    Categoria,
    values_callable=lambda categories: [category.value for category in categories],
    native_enum=False,
    length=20,
    name="products_categoria_known",
    create_constraint=True,
)


class Base(DeclarativeBase):
    """What Alembic compares the database with."""


class Product(Base):
    """One product of the catalogue."""

    __tablename__ = "products"
    __table_args__ = (CheckConstraint("price > 0", name="products_price_positive"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(String(2000))
    price: Mapped[Decimal] = mapped_column(PRICE)
    categoria: Mapped[Categoria] = mapped_column(CATEGORIA)
    email_fornecedor: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, server_default=func.now(), onupdate=func.now())
    version: Mapped[int] = mapped_column(server_default="1")  # counts the changes: what ETag and If-Match speak of
    created_by: Mapped[str | None] = mapped_column(String(255))  # migration 0008 has a default: see person.py
    # What PostgreSQL searches; a trigger keeps it. SQLite has no such column, so it is in no SELECT but the search's.
    search: Mapped[Any | None] = mapped_column(TSVECTOR)


# One index for every order of the list, with the id that makes it total. Text goes by its plain form (search.py).
ORDERS: dict[str, Any] = {
    "name": func.products_plain(Product.name, type_=String),
    "description": func.substr(
        func.products_plain(func.coalesce(Product.description, literal_column("''"))),
        literal_column("1"),  # no parameters: a prepared statement would not find its index
        literal_column("100"),
        type_=String,
    ),
    "price": Product.price,
    "categoria": Product.categoria,
    "email_fornecedor": Product.email_fornecedor,
    "created_at": Product.created_at,
    "updated_at": Product.updated_at,
}
for name, order in ORDERS.items():
    Index(f"products_by_{name}", order, Product.id)
# Of one category the dearest or cheapest first, which the others would have to look for among all products.
Index("products_by_categoria_and_price", Product.categoria, Product.price, Product.id)
Index("products_by_search", Product.search, postgresql_using="gin")


class DeletedProduct(Base):
    """A product in the bin. A trigger of migration 0008 puts it here, bin.py takes it back or throws it away."""

    __tablename__ = "deleted_products"
    __table_args__ = (Index("deleted_products_by_deleted_at", "deleted_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(String(2000))
    price: Mapped[Decimal] = mapped_column(PRICE)
    categoria: Mapped[str] = mapped_column(String(20))
    email_fornecedor: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int]
    created_by: Mapped[str | None] = mapped_column(String(255))
    deleted_at: Mapped[datetime] = mapped_column(UTCDateTime, server_default=func.now())
    deleted_by: Mapped[str | None] = mapped_column(String(255))
    deletion: Mapped[uuid.UUID | None] = mapped_column(Uuid)  # of many at once, to take them back together


Index("deleted_products_by_deletion", DeletedProduct.deletion)


class ProductChange(Base):
    """An entry of a product's history. Triggers of migration 0008 write it; the creation is in the product itself."""

    __tablename__ = "product_changes"
    __table_args__ = (Index("product_changes_by_product", "product_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True)
    product_id: Mapped[int]
    version: Mapped[int]
    at: Mapped[datetime] = mapped_column(UTCDateTime, server_default=func.now())
    person: Mapped[str | None] = mapped_column(String(255))
    action: Mapped[str] = mapped_column(String(20))
    changes: Mapped[Any | None] = mapped_column(JSON().with_variant(JSONB, "postgresql"))  # [before, after] by field


class IdempotencyKey(Base):
    """The answer to a create that carried an `Idempotency-Key`, for when it is sent again."""

    __tablename__ = "idempotency_keys"

    caller: Mapped[str] = mapped_column(String(255), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, server_default=func.now(), index=True)


class ProductsSummary(Base):
    """The newest summary of all products: one row, kept because computing it takes long when they are many."""

    __tablename__ = "products_summary"
    __table_args__ = (CheckConstraint("id = 1", name="products_summary_one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    computed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seconds: Mapped[float] = mapped_column(Float)


class Import(Base):
    """An import of a file: how far it is, and what became of it, for whoever asks within a day."""

    __tablename__ = "imports"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    caller: Mapped[str] = mapped_column(String(255))
    key: Mapped[str | None] = mapped_column(String(255))  # Idempotency-Key
    file_name: Mapped[str | None] = mapped_column(String(255))
    attempt: Mapped[int]
    state: Mapped[str] = mapped_column(String(20))
    received_bytes: Mapped[int] = mapped_column(BigInteger)
    rows_read: Mapped[int]
    rows_written: Mapped[int]
    file_hash: Mapped[bytes | None] = mapped_column(LargeBinary)  # SHA-256 of all that was received
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)  # JSON: what was created, or the problem
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, server_default=func.now(), index=True)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, server_default=func.now())


class ImportChange(Base):
    """What an import did to products, so that it can be undone.

    Without a name, it created those from `first_id` to `last_id`. With one, it changed the product `first_id`, which
    was as it says here before. `version` is what the products were made by it.
    """

    __tablename__ = "import_changes"

    import_id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    first_id: Mapped[int] = mapped_column(primary_key=True)
    last_id: Mapped[int]
    version: Mapped[int]
    name: Mapped[str | None] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(String(2000))
    price: Mapped[Decimal | None] = mapped_column(PRICE)
    categoria: Mapped[str | None] = mapped_column(String(20))
    email_fornecedor: Mapped[str | None] = mapped_column(String(254))
