"""The routes of products: they translate HTTP, `crud` does the work.

A route opens its connection itself and gives back a finished response: one hop to a thread instead of four.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Response
from sqlalchemy import RowMapping

from app.api import crud, listing
from app.api.answers import product_response, products_response
from app.api.auth import require_sign_in
from app.api.database import EngineDep
from app.api.errors import ProductNotFoundError, problem_responses
from app.api.listing import ListQuery
from app.api.schemas import ProductCreate, ProductPatch, ProductResponse, ProductUpdate

router = APIRouter(
    prefix="/products",
    tags=["products"],
    dependencies=[Depends(require_sign_in)],
    responses=problem_responses(401, 503),
)

ProductId = Annotated[int, Path(description="The product's id", examples=[1])]


# The address without its last slash serves too: a redirect would lose the public host name behind a proxy.
@router.post("", include_in_schema=False, status_code=201, response_model=ProductResponse)
@router.post("/", status_code=201, response_model=ProductResponse, responses=problem_responses(422))
def create_product_route(product: ProductCreate, engine: EngineDep) -> Response:
    """Create a product; `Location` is its address."""
    with engine.connect() as connection:
        created = crud.create_product(connection, product)
    return product_response(created, status=201, headers={"Location": f"{router.prefix}/{created['id']}"})


@router.get("", include_in_schema=False, response_model=list[ProductResponse])
@router.get("/", response_model=list[ProductResponse], responses=problem_responses(422))
def read_products_route(engine: EngineDep, query: Annotated[ListQuery, Query()]) -> Response:
    """List products, one page at a time; the header `Link` leads to the pages beside it."""
    headers = {}
    with engine.connect() as connection:
        products, link = listing.get_page(connection, query)
        if query.count:
            total, headers["X-Total-Count-Kind"] = listing.count(connection, query)
            headers["X-Total-Count"] = str(total)
    if link:
        headers["Link"] = link
    return products_response(products, headers=headers)


@router.get("/{product_id}", response_model=ProductResponse, responses=problem_responses(404, 422))
def read_product_route(product_id: ProductId, engine: EngineDep) -> Response:
    """Read one product."""
    with engine.connect() as connection:
        product = crud.get_product(connection, product_id)
    return product_response(_found(product))


@router.put("/{product_id}", response_model=ProductResponse, responses=problem_responses(404, 422))
def update_product_route(product_id: ProductId, product: ProductUpdate, engine: EngineDep) -> Response:
    """Change a product; fields that are absent or null stay as they are."""
    return _update(engine, product_id, product.changes())


@router.patch("/{product_id}", response_model=ProductResponse, responses=problem_responses(404, 422))
def patch_product_route(
    product_id: ProductId,
    product: Annotated[ProductPatch, Body(media_type="application/merge-patch+json")],
    engine: EngineDep,
) -> Response:
    """Change a product by a JSON merge patch (RFC 7396): absent fields stay, `"description": null` clears it."""
    return _update(engine, product_id, product.changes())


@router.delete("/{product_id}", response_model=ProductResponse, responses=problem_responses(404, 422))
def delete_product_route(product_id: ProductId, engine: EngineDep) -> Response:
    """Delete a product and answer with what it was."""
    with engine.connect() as connection:
        product = crud.delete_product(connection, product_id)
    return product_response(_found(product))


def _update(engine: EngineDep, product_id: int, changes: dict[str, Any]) -> Response:
    with engine.connect() as connection:
        product = crud.update_product(connection, product_id, changes)
    return product_response(_found(product))


def _found(product: RowMapping | None) -> RowMapping:
    if product is None:
        raise ProductNotFoundError
    return product
