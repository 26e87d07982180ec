"""The routes of products: they translate HTTP, `crud` does the work.

A route of one product, and mostly that of the list, is one statement that the event loop waits for. The others open
their connection themselves, in one hop to a thread. All give back a finished response.
"""

import asyncio
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, BackgroundTasks, Body, Path, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from app.api import bulk_delete, crud, idempotency, listing, openapi_responses, pages, patience, summary
from app.api.bulk_delete import Deleted, DeleteQuery
from app.api.errors import ProductNotFoundError
from app.api.listing import ListQuery
from app.api.openapi import operation_id
from app.api.preconditions import IfMatch, IfNoneMatch, expected_version, not_modified, why_nothing_changed
from app.api.resources import resources
from app.api.responses import PRODUCTS, etag, product_response
from app.api.schemas import ONLY_DIGITS, ProductCreate, ProductPatch, ProductResponse, ProductUpdate


class _AddressOfOne(APIRoute):
    """A route of `/{product_id}`, which leaves alone what is another route's whole address, whatever the method."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether the request is for this route."""
        path: str = scope["path"]
        is_id = path.rpartition("/")[2].isdecimal()
        if not is_id and any(path == getattr(route, "path", "") for route in scope["app"].routes):
            return Match.NONE, {}
        return super().matches(scope)


_OPTIONS: Any = {
    "prefix": PRODUCTS,
    "tags": ["products"],
    "responses": openapi_responses.EVERYWHERE,
    "generate_unique_id_function": operation_id,
}
router = APIRouter(**_OPTIONS)  # the literal addresses
router_of_one = APIRouter(**_OPTIONS, route_class=_AddressOfOne)  # /products/{product_id}
ProductId = Annotated[int, ONLY_DIGITS, Path(description="The product's id", examples=[1])]


@router.post(
    "/",
    summary="Create a product",
    status_code=201,
    response_model=ProductResponse,
    responses=openapi_responses.CREATE,
)
async def create_product_route(
    request: Request, product: ProductCreate, idempotency_key: idempotency.Key = None
) -> Response:
    """Create a product; `Location` is its address."""
    database = resources(request).database
    return await idempotency.create_product(database, product, request.state.caller, idempotency_key)


@router.get(
    "/",
    summary="List products",
    response_model=list[ProductResponse],
    responses=openapi_responses.LIST,
)
async def read_products_route(request: Request, query: Annotated[ListQuery, Query()]) -> Response:
    """List products, one page at a time; the header `Link` leads to the pages beside it."""
    database = resources(request).database
    page = await pages.get_page(database, query)
    headers = {}
    if query.count:
        total, headers["X-Total-Count-Kind"] = await to_thread.run_sync(listing.count, database.engine, query)
        headers["X-Total-Count"] = str(total)
    if page.link:
        headers["Link"] = page.link
    return Response(page.body, 200, headers, "application/json")


@router.delete(
    "/",
    summary="Delete many products",
    response_model=Deleted,
    responses=openapi_responses.DELETE_MANY,
)
async def delete_products_route(request: Request, query: Annotated[DeleteQuery, Query()]) -> Response:
    """Delete the products with these ids, or all that meet the filter; `confirm` has to say how many they are.

    An answer that takes long begins with white space, so that no connection is silent for a minute.
    """
    delete = to_thread.run_sync(bulk_delete.delete_products, resources(request).database.engine, query)
    return await patience.result_response(asyncio.ensure_future(delete))


@router.get(
    "/summary", summary="Sum up the catalogue", response_model=summary.Summary, responses=openapi_responses.SUMMARY
)
def read_summary_route(request: Request, tasks: BackgroundTasks) -> Response:
    """Sum up the whole catalogue; when it is large, as it was up to a minute ago (`as_of`, and `Age` in seconds)."""
    engine = resources(request).database.engine
    body, age, is_old = summary.read_summary(engine)
    if is_old:
        tasks.add_task(summary.refresh_unless_under_way, engine)
    return Response(body, 200, {"Age": str(age)}, "application/json", background=tasks)


@router_of_one.get(
    "/{product_id}",
    summary="Read a product",
    response_model=ProductResponse,
    responses=openapi_responses.READ,
)
async def read_product_route(request: Request, product_id: ProductId, if_none_match: IfNoneMatch = None) -> Response:
    """Read one product; `ETag` names its version."""
    product = await crud.get_product(resources(request).database, product_id)
    if product is None:
        raise ProductNotFoundError
    if not_modified(if_none_match, product):
        return Response(status_code=304, headers={"ETag": etag(product)})
    return product_response(product)


@router_of_one.put(
    "/{product_id}",
    summary="Update a product",
    response_model=ProductResponse,
    responses=openapi_responses.UPDATE,
)
async def update_product_route(
    request: Request, product_id: ProductId, product: ProductUpdate, if_match: IfMatch = None
) -> Response:
    """Change a product; fields that are absent or null stay as they are."""
    return await _update(request, product_id, product.changes(), if_match)


@router_of_one.patch(
    "/{product_id}",
    summary="Update a product by a merge patch",
    response_model=ProductResponse,
    responses=openapi_responses.UPDATE,
    openapi_extra=openapi_responses.PATCH_BODY,
)
async def patch_product_route(
    request: Request,
    product_id: ProductId,
    product: Annotated[ProductPatch, Body(media_type="application/merge-patch+json")],
    if_match: IfMatch = None,
) -> Response:
    """Change a product by a JSON merge patch (RFC 7396): absent fields stay, `"description": null` clears it."""
    return await _update(request, product_id, product.changes(), if_match)


@router_of_one.delete(
    "/{product_id}",
    summary="Delete a product",
    response_model=ProductResponse,
    responses=openapi_responses.DELETE,
)
async def delete_product_route(request: Request, product_id: ProductId, if_match: IfMatch = None) -> Response:
    """Delete a product and answer with what it was."""
    database, version = resources(request).database, expected_version(request, if_match)
    product = await crud.delete_product(database, product_id, version=version)
    if product is None:
        raise await why_nothing_changed(database, product_id)
    return product_response(product)


async def _update(request: Request, product_id: int, changes: dict[str, Any], if_match: str | None) -> Response:
    database, version = resources(request).database, expected_version(request, if_match)
    product = await crud.update_product(database, product_id, changes, version=version)
    if product is None:
        raise await why_nothing_changed(database, product_id)
    return product_response(product)


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
