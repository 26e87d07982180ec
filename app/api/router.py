"""The routes of products: they translate HTTP, `crud` does the work.

A route of one product, and mostly that of the list, is one statement that the event loop waits for. The others open
their connection themselves, in one hop to a thread. All give back a finished response.
"""

import asyncio
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from anyio import to_thread
from fastapi import APIRouter, BackgroundTasks, Body, Path, Query, Request, Response
from starlette.routing import Match
from starlette.types import Scope

from app.api import bin as recycle_bin
from app.api import bulk, crud, history, idempotency, listing, openapi_responses, pages, patience, suggestions, summary
from app.api.errors import ProductNotFoundError
from app.api.listing import ListQuery
from app.api.openapi import operation_id
from app.api.preconditions import IfMatch, IfNoneMatch, expected_version, not_modified, why_nothing_changed
from app.api.resources import resources
from app.api.responses import PRODUCTS, etag, product_response
from app.api.schemas import ProductCreate, ProductPatch, ProductResponse, ProductUpdate, WholeNumber
from app.api.strict_json import StrictRoute


class _AddressOfOne(StrictRoute):
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
router = APIRouter(**_OPTIONS, route_class=StrictRoute)  # the literal addresses
router_of_one = APIRouter(**_OPTIONS, route_class=_AddressOfOne)  # /products/{product_id}
ProductId = Annotated[WholeNumber, Path(description="The product's id", examples=[1])]


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
    response_model=bulk.Deleted,
    responses=openapi_responses.DELETE_MANY,
)
async def delete_products_route(request: Request, query: Annotated[bulk.ConfirmedSelection, Query()]) -> Response:
    """Delete the products with these ids, or all that meet the filter; `confirm` has to say how many they are.

    An answer that takes long begins with white space, so that no connection is silent for a minute; with
    `Accept: application/jsonl` it says meanwhile how far it is, and ends with a line with `result` or `problem`.
    """
    engine, progress = resources(request).database.engine, bulk.Progress()
    work = to_thread.run_sync(bulk.delete_products, engine, query, progress)
    return await patience.progress_response(request, asyncio.ensure_future(work), lambda: vars(progress))


@router.patch(
    "/",
    summary="Change many products",
    response_model=bulk.ProductsChanged,
    responses=openapi_responses.CHANGE_MANY,
)
async def change_products_route(
    request: Request, query: Annotated[bulk.ChangeQuery, Query()], change: bulk.ProductsChange
) -> Response:
    """Set the category of many products, or change their prices by a percentage or an amount, all or none.

    `confirm` has to say how many they are; `dry_run` answers what would be changed. Long answers are as a delete's.
    """
    engine, progress = resources(request).database.engine, bulk.Progress()
    work = to_thread.run_sync(bulk.change_products, engine, query, change, progress)
    return await patience.progress_response(request, asyncio.ensure_future(work), lambda: vars(progress))


@router.get("/totals", summary="Add up products", response_model=bulk.Totals, responses=openapi_responses.TOTALS)
async def read_totals_route(request: Request, query: Annotated[bulk.Selection, Query()]) -> Response:
    """Count the products with these ids, or all that meet the filter, and add up what they cost."""
    work = to_thread.run_sync(bulk.read_totals, resources(request).database.engine, query)
    return await patience.result_response(asyncio.ensure_future(work))


@router.get(
    "/suggestions",
    summary="Suggest another search",
    response_model=suggestions.Suggestions,
    responses=openapi_responses.SUGGESTIONS,
)
async def read_suggestions_route(request: Request, query: Annotated[suggestions.SuggestionsQuery, Query()]) -> Response:
    """Suggest words that are in the catalogue for a search that finds nothing: those that differ by one letter."""
    found = await to_thread.run_sync(suggestions.suggest, resources(request).database.engine, query)
    return Response(found.model_dump_json(), 200, media_type="application/json")


@router.get(
    "/deleted",
    summary="List deleted products",
    response_model=list[recycle_bin.DeletedProductResponse],
    responses=openapi_responses.BIN,
)
async def read_bin_route(request: Request, query: Annotated[recycle_bin.BinQuery, Query()]) -> Response:
    """List the products that were deleted in the last 30 days, the newest deletion first."""
    page = await recycle_bin.read_bin(resources(request).database, query)
    address = urlencode({"limit": query.limit, "after": page.after})
    link = {"Link": f'<{PRODUCTS}/deleted?{address}>; rel="next"'} if page.after else {}
    return Response(recycle_bin.BODY.dump_json(page.products), 200, link, "application/json")


@router.post(
    "/deleted/restore",
    summary="Restore deleted products",
    response_model=recycle_bin.Restored,
    responses=openapi_responses.RESTORE,
)
async def restore_products_route(request: Request, query: Annotated[recycle_bin.RestoreQuery, Query()]) -> Response:
    """Take deleted products back as they were, with their ids and versions."""
    work = to_thread.run_sync(recycle_bin.restore, resources(request).database.engine, query)
    return await patience.result_response(asyncio.ensure_future(work))


@router.get(
    "/summary", summary="Sum up the catalogue", response_model=summary.Summary, responses=openapi_responses.SUMMARY
)
def read_summary_route(
    request: Request,
    tasks: BackgroundTasks,
    time_zone: Annotated[
        summary.TimeZone, Query(description="Whose days are counted, by its IANA name", examples=["America/Sao_Paulo"])
    ] = "UTC",
    fresh: Annotated[
        bool, Query(description="Compute it now, however large the catalogue is", examples=[True])
    ] = False,
) -> Response:
    """Sum up the whole catalogue; when it is large, as it was minutes ago at most (`as_of`, and `Age` in seconds)."""
    engine = resources(request).database.engine
    body, age, is_old = summary.read_summary(engine, ZoneInfo(time_zone), fresh=fresh)
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


@router_of_one.get(
    "/{product_id}/history",
    summary="Read what became of a product",
    response_model=list[history.HistoryEntry],
    responses=openapi_responses.HISTORY,
)
async def read_history_route(
    request: Request, product_id: ProductId, query: Annotated[history.HistoryQuery, Query()]
) -> Response:
    """Say who created, changed, deleted and restored a product, and when; the newest first, also of a deleted one."""
    found = await history.read_history(resources(request).database, product_id, query)
    if found is None:
        raise ProductNotFoundError
    address = f"{PRODUCTS}/{product_id}/history?{urlencode({'limit': query.limit, 'before': found.next})}"
    link = {"Link": f'<{address}>; rel="next"'} if found.next else {}
    return Response(history.BODY.dump_json(found.entries), 200, link, "application/json")


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
for route in [r for r in router.routes if isinstance(r, StrictRoute) and r.path == f"{router.prefix}/"]:
    router.add_api_route(
        "",
        route.endpoint,
        methods=list(route.methods or ()),
        status_code=route.status_code,
        response_model=route.response_model,
        include_in_schema=False,
    )
