"""The routes that take many products in and give many out, as files that never lie in memory whole."""

import itertools
from collections.abc import Generator, Iterator
from typing import Annotated, Any

import anyio
from anyio import CapacityLimiter, from_thread, to_thread
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from app.api import auth, exports, imports
from app.api.errors import (
    FieldError,
    ImportRefusedError,
    InvalidRequestError,
    RowFieldError,
)
from app.api.imports import Imported
from app.api.openapi import operation_id
from app.api.openapi_responses import EVERYWHERE, NO_PRICE, header, problem_responses
from app.api.resources import resources
from app.api.responses import PRODUCTS

STALLED_SECONDS = 60  # an upload of which nothing arrives for so long is given up
FORMATS: dict[str, imports.Format] = {
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
    detail = f"Nothing of the file arrived for {STALLED_SECONDS} seconds; nothing was imported. Send it again."
    return ImportRefusedError(detail, status=408, code="stalled")


def _broken_off() -> ImportRefusedError:
    detail = "The upload broke off; nothing was imported. Send the file again."
    return ImportRefusedError(detail, status=400, code="truncated")


router = APIRouter(
    prefix=PRODUCTS,
    tags=["files"],
    dependencies=[Depends(auth.require_sign_in)],
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
    return await to_thread.run_sync(
        imports.import_products,
        resources(request).database.engine,
        _chunks(request),
        FORMATS[media_type],
        on_error,
        limiter=resources(request).files,
    )


@router.get(
    "/export",
    summary="Export products as a file",
    response_class=StreamingResponse,
    responses=EXPORTED | problem_responses(InvalidRequestError([NO_FORMAT])),
)
async def export_products_route(request: Request, query: Annotated[exports.ExportQuery, Query()]) -> StreamingResponse:
    """Write all products that meet the filter into one file, which `POST /products/import` takes back."""
    files = resources(request).files
    pieces = exports.export(resources(request).database.engine, query)
    await files.acquire_on_behalf_of(pieces)
    try:
        first = await to_thread.run_sync(next, pieces)  # here, where a database that does not answer is still a 503
    except BaseException:
        files.release_on_behalf_of(pieces)
        raise
    headers = {"Content-Disposition": f'attachment; filename="products.{query.format}"'}
    return _File(files, first, pieces, headers=headers, media_type=MEDIA_TYPES[query.format])


class _File(StreamingResponse):
    """A file whose transaction and place among the files end with it, also when the client goes away in the middle."""

    def __init__(self, files: CapacityLimiter, first: bytes, rest: Generator[bytes], **options: Any) -> None:
        super().__init__(itertools.chain([first], rest), **options)
        self._files, self._rest = files, rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._rest.close()
            self._files.release_on_behalf_of(self._rest)


def _chunks(request: Request) -> Iterator[bytes]:
    """Yield the body as it arrives, in the thread that works on it."""
    stream = request.stream()
    received = 0

    async def next_chunk() -> bytes | None:
        with anyio.fail_after(STALLED_SECONDS):
            return await anext(stream, None)

    while True:
        try:
            chunk = from_thread.run(next_chunk)
        except TimeoutError:
            raise _stalled() from None
        except ClientDisconnect:
            raise _broken_off() from None
        if chunk is None:
            return
        received += len(chunk)
        _refuse_above_limit(request, received)
        yield chunk


def _refuse_above_limit(request: Request, size: int) -> None:
    limit = resources(request).settings.import_max_bytes
    if size > limit:
        raise _too_large(limit)
