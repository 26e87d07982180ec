"""The routes that take many products in and give many out, as files that never lie in memory whole."""

import itertools
from collections.abc import Iterator
from typing import Annotated, Any

import anyio
from anyio import from_thread, to_thread
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from app.api import exports, imports
from app.api.auth import require_sign_in
from app.api.database import EngineDep
from app.api.errors import ImportRefusedError, problem_responses
from app.api.imports import Imported

IMPORTS = 2  # at a time in one process, so that they leave threads and connections to the others; more wait
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
BODY = {
    "requestBody": {
        "required": True,
        "content": {name: {"schema": {"type": "string"}, "example": example} for name, example in EXAMPLES.items()},
    }
}
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {name: {"schema": {"type": "string"}, "example": example} for name, example in EXAMPLES.items()},
    }
}

router = APIRouter(
    prefix="/products",
    tags=["files"],
    dependencies=[Depends(require_sign_in)],
    responses=problem_responses(401, 503),
)


@router.post("/import", responses=problem_responses(400, 408, 413, 415, 422), openapi_extra=BODY)
async def import_products_route(
    request: Request,
    engine: EngineDep,
    on_error: Annotated[imports.OnError, Query(description="skip: leave out the rows that are no products")] = "abort",
) -> Imported:
    """Create the products of a CSV or JSON Lines file (UTF-8) of any size: all of them, or none."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in FORMATS:
        accepted = ", ".join(FORMATS)
        detail = f"A file of type {media_type or 'nothing'} cannot be imported; send one of {accepted} as Content-Type."
        raise ImportRefusedError(detail, status=415, code="media_type")
    _refuse_above_limit(request, int(request.headers.get("content-length") or 0))
    return await to_thread.run_sync(
        imports.import_products,
        engine,
        _chunks(request),
        FORMATS[media_type],
        on_error,
        limiter=request.app.state.imports,
    )


@router.get("/export", response_class=StreamingResponse, responses=problem_responses(422) | FILE)
def export_products_route(engine: EngineDep, query: Annotated[exports.ExportQuery, Query()]) -> StreamingResponse:
    """Write all products that meet the filter into one file, which `POST /products/import` takes back."""
    pieces = exports.export(engine, query)
    first = next(pieces)  # here, where a database that does not answer is still a 503
    name = f"products.{query.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(itertools.chain([first], pieces), headers=headers, media_type=MEDIA_TYPES[query.format])


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
            detail = f"Nothing of the file arrived for {STALLED_SECONDS} seconds; nothing was imported. Send it again."
            raise ImportRefusedError(detail, status=408, code="stalled") from None
        except ClientDisconnect:
            detail = "The upload broke off; nothing was imported. Send the file again."
            raise ImportRefusedError(detail, status=400, code="truncated") from None
        if chunk is None:
            return
        received += len(chunk)
        _refuse_above_limit(request, received)
        yield chunk


def _refuse_above_limit(request: Request, size: int) -> None:
    limit: int = request.app.state.import_max_bytes
    if size > limit:
        detail = f"The file has more than the {limit} bytes that may be imported at once. Send it in parts."
        raise ImportRefusedError(detail, status=413, code="too_large")
