"""The products API as the FastAPI tutorial on SQL databases teaches it, to compare with.

https://fastapi.tiangolo.com/tutorial/sql-databases/, with plain SQLAlchemy in place of SQLModel, and a table without
any index but its key. `python -m uvicorn benchmarks.tutorial:app` runs it, on DATABASE_URL.

POOL_SIZE is not the tutorial's: see requests.py.
"""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict, EmailStr, PositiveFloat
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

PAGE = 50  # the tutorial's is 100; the same as the API's, so that both send as much

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://")
engine = create_engine(url, pool_size=int(os.environ.get("POOL_SIZE", "5")))


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "tutorial_products"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str | None]
    price: Mapped[float]
    categoria: Mapped[str]
    email_fornecedor: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class Categoria(StrEnum):
    ELETRONICO = "Eletrônico"
    ELETRODOMESTICO = "Eletrodoméstico"
    MOVEIS = "Móveis"
    ROUPAS = "Roupas"
    CALCADOS = "Calçados"


class ProductBase(BaseModel):
    name: str
    description: str | None = None
    price: PositiveFloat
    categoria: Categoria
    email_fornecedor: EmailStr


class ProductCreate(ProductBase):
    pass


class ProductResponse(ProductBase):
    model_config = ConfigDict(from_attributes=True)

    id: int
    created_at: datetime
    updated_at: datetime


class ProductUpdate(BaseModel):
    name: str | None = None
    description: str | None = None
    price: PositiveFloat | None = None
    categoria: Categoria | None = None
    email_fornecedor: EmailStr | None = None


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]

app = FastAPI()


@app.post("/products/", status_code=201, response_model=ProductResponse)
def create_product(product: ProductCreate, session: SessionDep) -> Product:
    db_product = Product(**product.model_dump())
    session.add(db_product)
    session.commit()
    session.refresh(db_product)
    return db_product


@app.get("/products/", response_model=list[ProductResponse])
def read_products(
    session: SessionDep, offset: int = 0, limit: Annotated[int, Query(le=PAGE)] = PAGE
) -> Sequence[Product]:
    return session.scalars(select(Product).offset(offset).limit(limit)).all()


@app.get("/products/{product_id}", response_model=ProductResponse)
def read_product(product_id: int, session: SessionDep) -> Product:
    product = session.get(Product, product_id)
    if not product:
        raise HTTPException(status_code=404, detail="Product not found")
    return product


@app.put("/products/{product_id}", response_model=ProductResponse)
def update_product(product_id: int, product: ProductUpdate, session: SessionDep) -> Product:
    db_product = session.get(Product, product_id)
    if not db_product:
        raise HTTPException(status_code=404, detail="Product not found")
    for field, value in product.model_dump(exclude_unset=True).items():
        setattr(db_product, field, value)
    session.add(db_product)
    session.commit()
    session.refresh(db_product)
    return db_product
