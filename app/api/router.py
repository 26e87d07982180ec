"""The routes of products: they translate HTTP, `crud` does the work.

A route of one product is one statement that the event loop waits for. The others open their connection themselves, in
one hop to a thread. All give back a finished response.
"""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, BackgroundTasks, Body, Depends, Path, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.convertors import StringConvertor, register_url_convertor

from app.api import auth, bulk_delete, crud, declarations, idempotency, listing, summary
from app.api.answers import etag, product_response, products_response
from app.api.bulk_delete import Deleted, DeleteQuery
from app.api.database import EngineDep, get_database
from app.api.errors import ProductNotFoundError
from app.api.listing import ListQuery
from app.api.preconditions import IfMatch, IfNoneMatch, expected_version, not_modified, why_nothing_changed
from app.api.schemas import ProductCreate, ProductPatch, ProductResponse, ProductUpdate

router = APIRouter(
    prefix="/products",
    tags=["products"],
    dependencies=[Depends(auth.require_sign_in)],
    responses=declarations.EVERYWHERE,
)


class _ProductId(StringConvertor):
    """What can be a product's id; the other addresses beside it have no methods but their own."""

    regex = "(?!(?:import|export|summary)$)[^/]+"


register_url_convertor("product", _ProductId())
ProductId = Annotated[int, Path(description="The product's id", examples=[1])]


# An address is looked for in the order of the routes, so what is asked for most comes first.
@router.post(
    "/",
    summary="Create a product",
    status_code=201,
    response_model=ProductResponse,
    responses=declarations.CREATE,
)
async def create_product_route(
    request: Request, product: ProductCreate, idempotency_key: idempotency.Key = None
) -> Response:
    """Create a product; `Location` is its address."""
    database = get_database(request)
    if idempotency_key is not None:
        return await to_thread.run_sync(
            idempotency.create_once, database.engine, request.state.caller, idempotency_key, product, router.prefix
        )
    created = await crud.create_product(database, product)
    return product_response(created, status=201, headers={"Location": f"{router.prefix}/{created['id']}"})


@router.get(
    "/",
    summary="List products",
    response_model=list[ProductResponse],
    responses=declarations.LIST,
)
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


@router.get(
    "/{product_id:product}",
    summary="Read a product",
    response_model=ProductResponse,
    responses=declarations.READ,
)
async def read_product_route(request: Request, product_id: ProductId, if_none_match: IfNoneMatch = None) -> Response:
    """Read one product; `ETag` names its version."""
    product = await crud.get_product(get_database(request), product_id)
    if product is None:
        raise ProductNotFoundError
    if not_modified(if_none_match, product):
        return Response(status_code=304, headers={"ETag": etag(product)})
    return product_response(product)


@router.put(
    "/{product_id:product}",
    summary="Update a product",
    response_model=ProductResponse,
    responses=declarations.UPDATE,
)
async def update_product_route(
    request: Request, product_id: ProductId, product: ProductUpdate, if_match: IfMatch = None
) -> Response:
    """Change a product; fields that are absent or null stay as they are."""
    return await _update(request, product_id, product.changes(), if_match)


@router.patch(
    "/{product_id:product}",
    summary="Update a product by a merge patch",
    response_model=ProductResponse,
    responses=declarations.UPDATE,
    openapi_extra=declarations.PATCH_BODY,
)
async def patch_product_route(
    request: Request,
    product_id: ProductId,
    product: Annotated[ProductPatch, Body(media_type="application/merge-patch+json")],
    if_match: IfMatch = None,
) -> Response:
    """Change a product by a JSON merge patch (RFC 7396): absent fields stay, `"description": null` clears it."""
    return await _update(request, product_id, product.changes(), if_match)


@router.delete(
    "/{product_id:product}",
    summary="Delete a product",
    response_model=ProductResponse,
    responses=declarations.DELETE,
)
async def delete_product_route(request: Request, product_id: ProductId, if_match: IfMatch = None) -> Response:
    """Delete a product and answer with what it was."""
    database, version = get_database(request), expected_version(request, if_match)
    product = await crud.delete_product(database, product_id, version=version)
    if product is None:
        raise await why_nothing_changed(database, product_id)
    return product_response(product)


@router.delete(
    "/",
    summary="Delete many products",
    responses=declarations.DELETE_MANY,
)
def delete_products_route(engine: EngineDep, query: Annotated[DeleteQuery, Query()]) -> Deleted:
    """Delete the products with these ids, or all that meet the filter; `confirm` has to say how many they are."""
    return bulk_delete.delete_products(engine, query)


@router.get("/summary", summary="Sum up the catalogue", response_model=summary.Summary, responses=declarations.SUMMARY)
def read_summary_route(engine: EngineDep, tasks: BackgroundTasks) -> Response:
    """Sum up the whole catalogue; when it is large, as it was up to a minute ago (`as_of`, and `Age` in seconds)."""
    body, age, is_old = summary.read_summary(engine)
    if is_old:
        tasks.add_task(summary.refresh_unless_under_way, engine)
    return Response(body, 200, {"Age": str(age)}, "application/json", background=tasks)


# The addresses without their last slash serve too: a redirect would lose the public host name behind a proxy.
for route in [r for r in router.routes if isinstance(r, APIRoute) and r.path == f"{router.prefix}/"]:
    router.add_api_route(
        "",
        route.endpoint,
        methods=list(route.methods or ()),
        status_code=route.status_code,
        response_model=route.response_model,
        include_in_schema=False,
    )


async def _update(request: Request, product_id: int, changes: dict[str, Any], if_match: str | None) -> Response:
    database, version = get_database(request), expected_version(request, if_match)
    product = await crud.update_product(database, product_id, changes, version=version)
    if product is None:
        raise await why_nothing_changed(database, product_id)
    return product_response(product)
