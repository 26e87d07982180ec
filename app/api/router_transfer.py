"""The routes that take many products in and give many out, as files that never lie in memory whole."""

import asyncio
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import StringConstraints
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect

from app.api import exports, import_log, import_undo, imports, patience, transfers
from app.api.errors import (
    FieldError,
    FilesBusyError,
    ImportCancelledError,
    ImportChangedError,
    ImportNotFoundError,
    ImportNotUndoableError,
    ImportOutcomeUnknownError,
    ImportOverError,
    ImportRefusedError,
    ImportUnderWayError,
    InvalidRequestError,
    ReusedFileKeyError,
    RowFieldError,
)
from app.api.import_plan import ImportPreview
from app.api.imports import Imported
from app.api.openapi import operation_id
from app.api.openapi_responses import EVERYWHERE, NO_PRICE, header, problem_responses
from app.api.patience import Prefer
from app.api.product_rows import Format
from app.api.resources import resources
from app.api.responses import PRODUCTS
from app.api.schemas import ShortText

FORMATS: dict[str, Format] = {
    "text/csv": "csv",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
}
MEDIA_TYPES = dict.fromkeys(("csv", "excel"), "text/csv; charset=utf-8") | {"jsonl": "application/jsonl"}
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
    message="Input should be 'csv', 'excel' or 'jsonl'",
    code="literal_error",
    context={"expected": "'csv', 'excel' or 'jsonl'"},
)
KEY_EXAMPLE = "2f1c1b1e-6f0a-4b57-9d0c-0a5f3a2f8f11"
AN_ID = uuid.UUID("2f1c1b1e-6f0a-8b57-9d0c-0a5f3a2f8f11")
NO_KEY = FieldError(
    location="query",
    field="idempotency_key",
    message="String should have at most 255 characters",
    code="string_too_long",
    context={"max_length": 255},
)
NO_IMPORT_ID = FieldError(
    location="path",
    field="import_id",
    message="Input should be a valid UUID, invalid character: found `x` at 0",
    code="uuid_parsing",
)
LOCATION = header("The import's address", imports.location(AN_ID))
IMPORTED: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"Location": LOCATION}},
    202: {
        "model": imports.ImportState,
        "description": "The whole file has arrived and can be imported; `Prefer: respond-async` asks for this answer",
        "headers": {
            "Location": LOCATION,
            "Preference-Applied": header("That the preference was met (RFC 7240)", "respond-async"),
        },
    },
}
FileKey = Annotated[
    Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$")] | None,
    Header(
        description="Any text of up to 255 visible ASCII characters, a new one for every file: one that is sent again "
        "with it within 24 hours is the same import, and imported once",
        examples=[KEY_EXAMPLE],
    ),
]
ImportId = Annotated[uuid.UUID, Path(description="The import's id", examples=[str(AN_ID)])]
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
    response_model=Imported,
    responses=IMPORTED
    | problem_responses(
        _broken_off(),
        _stalled(),
        ImportUnderWayError(),
        ImportCancelledError(),
        ImportChangedError(),
        _too_large(2**30),
        _wrong_type("application/json"),
        imports.refused([WRONG_ROW], 1, 3000),
        ReusedFileKeyError(),
        ImportOutcomeUnknownError(imports.location(AN_ID)),
        FilesBusyError(),
    ),
    openapi_extra=BODY,
)
async def import_products_route(
    request: Request,
    query: Annotated[imports.ImportQuery, Query()],
    idempotency_key: FileKey = None,
    prefer: Prefer = None,
) -> Response:
    """Create the products of a CSV or JSON Lines file (UTF-8) of any size: all of them, or none.

    With `match` a row changes the product that it is about, if there is one; where it has a `version`, as an export
    has, only if that is the product's version still.

    When the whole file has arrived, nobody has to wait for the rest: `GET /products/imports/{import_id}` says how it
    goes on. An answer that takes long begins with white space, so that no connection is silent for a minute.
    """
    file_format = _format(request)
    used, loop, received = resources(request), asyncio.get_running_loop(), asyncio.Event()
    caller: str = request.state.caller
    run = imports.ImportRun(
        used.database.engine,
        _chunks(request),
        file_format,
        query,
        caller=caller,
        key=idempotency_key,
        on_received=lambda: loop.call_soon_threadsafe(received.set),
    )
    work = await used.files.start(run)
    has_arrived = asyncio.ensure_future(received.wait())
    either: list[asyncio.Future[Any]] = [work, has_arrived]
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        has_arrived.cancel()
    headers = {"Location": imports.location(run.id)}
    if not patience.wants_no_result(prefer) or (work.done() and work.exception()):
        return await patience.result_response(work, headers)
    found = await to_thread.run_sync(import_log.find, used.database.engine, caller, run.id)

    async def end() -> None:
        """Keep the request open until all is done: the server waits for it before it ends, as for every request."""
        await asyncio.wait([work])

    body = imports.ImportState.of(found).model_dump_json()
    return Response(
        body, 202, headers | {"Preference-Applied": "respond-async"}, "application/json", BackgroundTask(end)
    )


@router.post(
    "/import/preview",
    summary="Preview an import",
    response_model=ImportPreview,
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
async def preview_import_route(request: Request, options: Annotated[imports.ImportOptions, Query()]) -> Response:
    """Say what an import of this file would do, row by row where it matters; nothing is written."""
    file_format = _format(request)
    used = resources(request)
    preview = partial(imports.preview, used.database.engine, _chunks(request), file_format, options)
    return await patience.result_response(await used.files.start(preview))


@router.get("/imports", summary="List imports", responses=problem_responses(InvalidRequestError([NO_KEY])))
def read_imports_route(
    request: Request,
    idempotency_key: Annotated[
        ShortText | None, Query(description="The one with this key", examples=[KEY_EXAMPLE])
    ] = None,
) -> list[imports.ImportState]:
    """List your newest imports, the newest first; an import is kept for a day."""
    found = import_log.newest(resources(request).database.engine, request.state.caller, idempotency_key)
    return [imports.ImportState.of(one) for one in found]


@router.get(
    "/imports/{import_id}",
    summary="Read an import",
    responses=problem_responses(ImportNotFoundError(), InvalidRequestError([NO_IMPORT_ID])),
)
def read_import_route(request: Request, import_id: ImportId) -> imports.ImportState:
    """Say how far an import is, or what became of it: the same from every process of the API."""
    found = import_log.find(resources(request).database.engine, request.state.caller, import_id)
    return imports.ImportState.of(found)


@router.delete(
    "/imports/{import_id}",
    summary="Cancel an import",
    responses=problem_responses(ImportNotFoundError(), ImportOverError(), InvalidRequestError([NO_IMPORT_ID])),
)
def cancel_import_route(request: Request, import_id: ImportId) -> imports.ImportState:
    """End an import that is under way: nothing of it will have been written."""
    found = import_log.cancel(resources(request).database.engine, request.state.caller, import_id)
    return imports.ImportState.of(found)


@router.post(
    "/imports/{import_id}/undo",
    summary="Undo an import",
    response_model=imports.ImportState,
    responses=problem_responses(ImportNotFoundError(), ImportNotUndoableError(), InvalidRequestError([NO_IMPORT_ID])),
)
async def undo_import_route(request: Request, import_id: ImportId) -> Response:
    """Take an import back as a whole, within a day: what it created is deleted, what it changed is as it was.

    Products that somebody has changed or deleted since stay as they are, and are counted.
    """
    engine, caller = resources(request).database.engine, request.state.caller

    def undo() -> imports.ImportState:
        import_undo.undo(engine, caller, import_id)
        return imports.ImportState.of(import_log.find(engine, caller, import_id))

    return await patience.result_response(asyncio.ensure_future(to_thread.run_sync(undo)))


@router.get(
    "/export",
    summary="Export products as a file",
    response_class=Response,
    responses=EXPORTED | problem_responses(InvalidRequestError([NO_FORMAT]), FilesBusyError()),
)
async def export_products_route(request: Request, query: Annotated[exports.ExportQuery, Query()]) -> Response:
    """Write all products that meet the filter into one file, which `POST /products/import` takes back.

    All but `format=excel`, which is for people; the UI takes that back, too.
    """
    used = resources(request)
    ending = "jsonl" if query.format == "jsonl" else "csv"
    headers = {"Content-Disposition": f'attachment; filename="products.{ending}"'}
    return transfers.FileDownload(
        used.files, partial(exports.export, used.database.engine, query), headers, MEDIA_TYPES[query.format]
    )


def _format(request: Request) -> Format:
    """Return the format of the file that comes with a request, unless it is refused before it arrives."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in FORMATS:
        raise _wrong_type(media_type)
    _refuse_above_limit(request, int(request.headers.get("content-length") or 0))
    return FORMATS[media_type]


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
