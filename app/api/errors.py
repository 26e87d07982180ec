"""Every error as an RFC 9457 problem document whose `detail` is a sentence a person can act on."""

import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
# Where Pydantic's own words say little to the person who sent the value.
MESSAGES = {
    "extra_forbidden": "This is not a known field",
    "missing": "This field is required",
    "string_too_short": "This must not be blank",
}
logger = logging.getLogger(__name__)


class FieldError(BaseModel):
    """What is wrong with one value of a request."""

    location: Literal["body", "path", "query", "header", "cookie"]
    field: str
    message: str
    code: str = Field(description="What kind of mistake it is, for programs: Pydantic's name for it, or ours")
    context: dict[str, int | float | str] | None = Field(None, description="The limits that the message speaks of")


class RowFieldError(FieldError):
    """What is wrong with one value of a row of a file."""

    line: int = Field(description="The line at which the row starts; the first of the file is 1")


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[RowFieldError | FieldError] | None = None
    created: int | None = Field(None, description="Of an import: how many products were created")
    refused: int | None = Field(None, description="Of an import: how many rows are no products")


class ApiError(Exception):
    """What keeps a request from being done, as a status and a sentence."""

    status = 500
    detail = ""
    headers: Mapping[str, str] = {}
    errors: Sequence[FieldError] = ()
    members: Mapping[str, int] = {}  # what the problem document says besides


class ProductNotFoundError(ApiError):
    """No product has the id that was asked for."""

    status = 404
    detail = "Product not found"


class PreconditionFailedError(ApiError):
    """The product is not the version that the change was meant for."""

    status = 412
    detail = "Somebody has changed the product since you read it. Read it again and decide what to do with your change."

    def __init__(self, etag: str) -> None:
        super().__init__(self.detail)
        self.headers = {"ETag": etag}


class PreconditionRequiredError(ApiError):
    """The deployment wants every change to say which version it is meant for."""

    status = 428
    detail = "Say which version you changed: send the product's ETag in the header If-Match."


class InvalidHeaderError(ApiError):
    """A header has a value that means nothing."""

    status = 422

    def __init__(self, header: str, message: str) -> None:
        self.detail = f"{header}: {message}"
        super().__init__(self.detail)
        self.errors = [FieldError(location="header", field=header.lower(), message=message, code="invalid_header")]


class ReusedKeyError(ApiError):
    """An idempotency key came with another body before."""

    status = 422
    detail = "This Idempotency-Key was used for another product. Use a new one for every product."
    errors = (
        FieldError(
            location="header", field="idempotency-key", message="was used for another product", code="reused_key"
        ),
    )


class ImportRefusedError(ApiError):
    """A file could not be imported, and nothing was written."""

    def __init__(
        self, detail: str, *, status: int = 422, code: str = "", refused: int = 0, rows: Sequence[RowFieldError] = ()
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.errors = rows or [FieldError(location="body", field="", message=detail, code=code)]
        self.members = {"created": 0, "refused": refused}


class ConfirmationError(ApiError):
    """A bulk delete was not confirmed, or for another number of products than it would delete."""

    def __init__(self, matching: int, confirmed: int | None) -> None:
        self.status = 422 if confirmed is None else 409
        not_done = "Nothing was deleted."
        self.detail = f"{not_done} This would delete {matching} products; to do it, add confirm={matching}."
        if confirmed is not None:
            self.detail = f"{not_done} {confirmed} were confirmed, but {matching} products match now. Look again."
        super().__init__(self.detail)
        context: dict[str, int | float | str] = {"matching": matching}
        message = f"must be the number of products to delete, {matching}"
        code = "confirmation"
        self.errors = [FieldError(location="query", field="confirm", message=message, code=code, context=context)]


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI declaration of the problems a route answers with."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema(ref_template="#/components/schemas/{model}")}}
    return {s: {"description": HTTPStatus(s).phrase, "content": content} for s in statuses}


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> JSONResponse:
        detail = error.detail
        if detail == HTTPStatus.NOT_FOUND.phrase:
            detail = f"There is nothing at {request.url.path}; /docs lists every address."
        elif detail == HTTPStatus.METHOD_NOT_ALLOWED.phrase:
            allowed = (error.headers or {}).get("Allow", "another method")
            detail = f"{request.method} is not possible at {request.url.path}; use {allowed}."
        return problem(error.status_code, detail, headers=error.headers)

    @app.exception_handler(ApiError)
    def ours(_request: Request, error: ApiError) -> JSONResponse:
        return problem(error.status, error.detail, errors=error.errors, headers=error.headers, members=error.members)

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [field_error(e) for e in error.errors()]
        detail = "; ".join(f"{e.field}: {e.message}" if e.field else e.message for e in errors)
        return problem(422, detail, errors=errors)

    @app.exception_handler(OperationalError)
    @app.exception_handler(PoolTimeoutError)
    def database_unavailable(_request: Request, error: Exception) -> JSONResponse:
        logger.error("the database did not answer: %s", error)
        return problem(
            503, "The database does not answer at the moment. Try again in a few seconds.", headers={"Retry-After": "5"}
        )

    @app.exception_handler(Exception)
    def unexpected(_request: Request, _error: Exception) -> JSONResponse:
        return problem(
            500, "Something went wrong on our side; it has been logged. Try again, and report it if it stays."
        )


def problem(
    status: int,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    headers: Any = None,
    members: Mapping[str, int] | None = None,
) -> JSONResponse:
    """Build the response for one problem."""
    body = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(errors) or None, **(members or {})
    )
    return JSONResponse(body.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def field_error(error: Any) -> FieldError:
    """Return one of Pydantic's errors as ours; its location begins with the part of the request it is in."""
    location, *path = error["loc"]
    code, context = error["type"], error.get("ctx", {})
    limits = {name: _plain(limit) for name, limit in context.items() if name != "error"} or None
    if code == "json_invalid":  # its path is a character offset, not a field
        message = f"The body is not valid JSON: {context['error']}"
        return FieldError(location="body", field="", message=message, code=code)
    field = ".".join(str(part) for part in path)
    message = MESSAGES.get(code, error["msg"])
    if not field and code == "missing":
        message = "A JSON body is required"
    elif code == "value_error" and "error" in context:  # ours: without Pydantic's "Value error, " in front
        message = str(context["error"])
    return FieldError(location=location, field=field, message=message, code=code, context=limits)


def _plain(limit: object) -> int | float | str:
    return limit if isinstance(limit, int | float | str) else float(limit) if isinstance(limit, Decimal) else str(limit)
