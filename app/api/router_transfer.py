"""The routes that take many products in and give many out, as files that never lie in memory whole."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from app.api import exports, imports, transfers
from app.api.errors import (
    FieldError,
    FilesBusyError,
    ImportRefusedError,
    InvalidRequestError,
    RowFieldError,
)
from app.api.imports import Imported
from app.api.openapi import operation_id
from app.api.openapi_responses import EVERYWHERE, NO_PRICE, header, problem_responses
from app.api.product_rows import Format
from app.api.resources import resources
from app.api.responses import PRODUCTS

FORMATS: dict[str, Format] = {
    "text/csv": "csv",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
}
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
EXAMPLES = {
    "text/csv": "name,description,price,categoria,email_fornecedor\n"
    "Sofá,,1899.90,Móveis,vendas@fornecedor.example.com\n",
    "application/jsonl": '{"name": "Sofá", "price": 1899.9, "categoria": "Móveis", '
    '"email_fornecedor": "vendas@fornecedor.example.com"}\n',
}
CONTENT = {name: {"schema": {"type": "string"}, "example": example} for name, example in EXAMPLES.items()}
BODY = {"requestBody": {"required": True, "content": CONTENT}}
EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": CONTENT,
        "headers": {"Content-Disposition": header("The file's name", 'attachment; filename="products.csv"')},
    }
}
NO_FORMAT = FieldError(
    location="query",
    field="format",
    message="Input should be 'csv' or 'jsonl'",
    code="literal_error",
    context={"expected": "'csv' or 'jsonl'"},
)
WRONG_ROW = RowFieldError(line=7, **dict(NO_PRICE))


def _wrong_type(media_type: str) -> ImportRefusedError:
    detail = (
        f"A file of type {media_type or 'nothing'} cannot be imported; "
        f"send one of {', '.join(FORMATS)} as Content-Type."
    )
    return ImportRefusedError(detail, status=415, code="media_type")


def _too_large(limit: int) -> ImportRefusedError:
    detail = f"The file has more than the {limit} bytes that may be imported at once. Send it in parts."
    return ImportRefusedError(detail, status=413, code="too_large")


def _stalled() -> ImportRefusedError:
    detail = "The file arrived too slowly, so nothing was imported. Send it again, or in parts."
    return ImportRefusedError(detail, status=408, code="stalled")


def _broken_off() -> ImportRefusedError:
    detail = "The upload broke off; nothing was imported. Send the file again."
    return ImportRefusedError(detail, status=400, code="truncated")


router = APIRouter(
    prefix=PRODUCTS,
    tags=["files"],
    responses=EVERYWHERE,
    generate_unique_id_function=operation_id,
)


@router.post(
    "/import",
    summary="Import a file of products",
    responses=problem_responses(
        _broken_off(),
        _stalled(),
        _too_large(2**30),
        _wrong_type("application/json"),
        imports.refused([WRONG_ROW], 1, 3000),
        FilesBusyError(),
    ),
    openapi_extra=BODY,
)
async def import_products_route(
    request: Request,
    on_error: Annotated[
        imports.OnError, Query(description="skip: leave out the rows that are no products", examples=["skip"])
    ] = "abort",
) -> Imported:
    """Create the products of a CSV or JSON Lines file (UTF-8) of any size: all of them, or none."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in FORMATS:
        raise _wrong_type(media_type)
    _refuse_above_limit(request, int(request.headers.get("content-length") or 0))
    engine = resources(request).database.engine
    work = partial(imports.import_products, engine, _chunks(request), FORMATS[media_type], on_error)
    return await resources(request).files.run(work)


@router.get(
    "/export",
    summary="Export products as a file",
    response_class=Response,
    responses=EXPORTED | problem_responses(InvalidRequestError([NO_FORMAT]), FilesBusyError()),
)
async def export_products_route(request: Request, query: Annotated[exports.ExportQuery, Query()]) -> Response:
    """Write all products that meet the filter into one file, which `POST /products/import` takes back."""
    used = resources(request)
    headers = {"Content-Disposition": f'attachment; filename="products.{query.format}"'}
    return transfers.FileDownload(
        used.files, partial(exports.export, used.database.engine, query), headers, MEDIA_TYPES[query.format]
    )


def _chunks(request: Request) -> Iterator[bytes]:
    """Yield the body as it arrives, in the thread that works on it."""
    try:
        yield from transfers.upload(request, partial(_refuse_above_limit, request))
    except transfers.TooSlowError:
        raise _stalled() from None
    except ClientDisconnect:
        raise _broken_off() from None


def _refuse_above_limit(request: Request, size: int) -> None:
    limit = resources(request).settings.import_max_bytes
    if size > limit:
        raise _too_large(limit)
