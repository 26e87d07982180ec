"""Every error as an RFC 9457 problem document whose `detail` is a sentence a person can act on."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
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


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None


class ProductNotFoundError(Exception):
    """No product has the id that was asked for."""

    detail = "Product not found"


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

    @app.exception_handler(ProductNotFoundError)
    def not_found(_request: Request, error: ProductNotFoundError) -> JSONResponse:
        return problem(404, error.detail)

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [_field_error(e) for e in error.errors()]
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


def problem(status: int, detail: str, *, errors: Sequence[FieldError] = (), headers: Any = None) -> JSONResponse:
    """Build the response for one problem."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(errors) or None)
    return JSONResponse(body.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def _field_error(error: dict[str, Any]) -> FieldError:
    location, *path = error["loc"]
    if error["type"] == "json_invalid":  # its path is a character offset, not a field
        return FieldError(location="body", field="", message=f"The body is not valid JSON: {error['ctx']['error']}")
    field = ".".join(str(part) for part in path)
    if not field and error["type"] == "missing":
        return FieldError(location=location, field="", message="A JSON body is required")
    if error["type"] == "value_error":  # ours: without Pydantic's "Value error, " in front
        message = str(error["ctx"]["error"]) if "error" in error.get("ctx", {}) else error["msg"]
        return FieldError(location=location, field=field, message=message)
    return FieldError(location=location, field=field, message=MESSAGES.get(error["type"], error["msg"]))
