"""The table of products, as SQLAlchemy maps it. Migrations, not this file, create it."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, Dialect, Enum, Float, Identity, Numeric, String, TypeDecorator, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


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
    __mapper_args__ = {"eager_defaults": True}  # generated values come back with the INSERT or UPDATE  # noqa: RUF012

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(String(2000))
    price: Mapped[Decimal] = mapped_column(PRICE)
    categoria: Mapped[Categoria] = mapped_column(CATEGORIA)
    email_fornecedor: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, server_default=func.now(), onupdate=func.now())
