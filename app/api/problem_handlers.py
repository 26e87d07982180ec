"""Every error as an RFC 9457 problem document whose `detail` is a sentence a person can act on."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.api import database_faults
from app.api.errors import (
    LISTED,
    ApiError,
    FieldError,
    InvalidRequestError,
    RowFieldError,
    UnexpectedError,
    UnreadableBodyError,
    field_error,
    shown,
)

MEDIA_TYPE = "application/problem+json"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[RowFieldError | FieldError] | None = None
    created: int | None = Field(None, description="Of an import: how many products were created")
    refused: int | None = Field(None, description="Of an import: how many rows are no products")


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document; `async`, since threads may all be busy."""

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        path = shown(request.scope["path"])  # not the URL's: that is made with whatever the header Host says
        match error.status_code, error.detail:
            case 400, "There was an error parsing the body":  # FastAPI's sentence, whatever was wrong
                return problem_response(UnreadableBodyError())
            case 404, _:
                return problem(404, f"There is nothing at {path}; /docs lists every address.")
            case 405, _:
                allowed = ", ".join(_methods(request))
                detail = f"{request.method} is not possible at {path}; use {allowed}."
                return problem(405, detail, headers={"Allow": allowed})
        return problem(error.status_code, error.detail, headers=error.headers)

    @app.exception_handler(ApiError)
    async def ours(_request: Request, error: ApiError) -> JSONResponse:
        return problem_response(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        found = error.errors()
        mistakes = [field_error(mistake) for mistake in found[:LISTED]]
        return problem_response(InvalidRequestError(mistakes, unlisted=len(found) - len(mistakes)))

    async def database_fault(_request: Request, error: Exception) -> JSONResponse:
        problem_found = database_faults.problem_of(error)
        if problem_found is None:
            raise error
        return problem_response(problem_found)

    for fault in database_faults.FAULTS:
        app.exception_handler(fault)(database_fault)

    @app.exception_handler(Exception)
    async def unexpected(_request: Request, _error: Exception) -> JSONResponse:
        return problem_response(UnexpectedError())


def problem_response(error: ApiError) -> JSONResponse:
    """Build the response for an error of ours."""
    return problem(error.status, error.detail, errors=error.errors, headers=error.headers, members=error.members)


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


def _methods(request: Request) -> list[str]:
    """Return the methods that are possible at the request's address: each of them has a route of its own."""
    routes = request.app.router.routes
    return [m for m in METHODS if any(r.matches({**request.scope, "method": m})[0] == Match.FULL for r in routes)]
