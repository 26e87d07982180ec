"""The routes of products: they translate HTTP, `crud` does the work."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Query, Response

from app.api import crud
from app.api.auth import require_sign_in
from app.api.database import SessionDep
from app.api.errors import ProductNotFoundError, problem_responses
from app.api.models import Product
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
def create_product_route(product: ProductCreate, session: SessionDep, response: Response) -> Product:
    """Create a product; `Location` is its address."""
    created = crud.create_product(session, product)
    response.headers["Location"] = f"{router.prefix}/{created.id}"
    return created


@router.get("", include_in_schema=False, response_model=list[ProductResponse])
@router.get("/", response_model=list[ProductResponse], responses=problem_responses(422))
def read_products_route(
    session: SessionDep,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=200, description="Products on a page")] = 50,
    after: Annotated[int, Query(ge=0, description="Products whose id is greater; take it from `Link`")] = 0,
) -> list[Product]:
    """List products by id, one page at a time; the header `Link` with `rel="next"` leads to the next page."""
    products = crud.get_products(session, after=after, limit=limit + 1)
    page = list(products[:limit])
    if len(products) > limit:
        response.headers["Link"] = f'<{router.prefix}/?limit={limit}&after={page[-1].id}>; rel="next"'
    return page


@router.get("/{product_id}", response_model=ProductResponse, responses=problem_responses(404, 422))
def read_product_route(product_id: ProductId, session: SessionDep) -> Product:
    """Read one product."""
    return _found(crud.get_product(session, product_id))


@router.put("/{product_id}", response_model=ProductResponse, responses=problem_responses(404, 422))
def update_product_route(product_id: ProductId, product: ProductUpdate, session: SessionDep) -> Product:
    """Change a product; fields that are absent or null stay as they are."""
    return _found(crud.update_product(session, product_id, product.changes()))


@router.patch("/{product_id}", response_model=ProductResponse, responses=problem_responses(404, 422))
def patch_product_route(
    product_id: ProductId,
    product: Annotated[ProductPatch, Body(media_type="application/merge-patch+json")],
    session: SessionDep,
) -> Product:
    """Change a product by a JSON merge patch (RFC 7396): absent fields stay, `"description": null` clears it."""
    return _found(crud.update_product(session, product_id, product.changes()))


@router.delete("/{product_id}", response_model=ProductResponse, responses=problem_responses(404, 422))
def delete_product_route(product_id: ProductId, session: SessionDep) -> Product:
    """Delete a product and answer with what it was."""
    return _found(crud.delete_product(session, product_id))


def _found(product: Product | None) -> Product:
    if product is None:
        raise ProductNotFoundError
    return product
