"""What the routes of products answer with besides their models, for the OpenAPI document: headers, links, problems."""

import json
from http import HTTPStatus
from typing import Any

from app.api import auth
from app.api.errors import (
    ApiError,
    BodyTooLargeError,
    BodyTooSlowError,
    ConfirmationError,
    DatabaseUnavailableError,
    FieldError,
    InvalidHeaderError,
    InvalidRequestError,
    NotInBinError,
    OverloadedError,
    PreconditionFailedError,
    PreconditionRequiredError,
    PriceOutOfRangeError,
    ProductNotFoundError,
    RestoreConflictError,
    ReusedKeyError,
    UnreadableBodyError,
    UrlTooLongError,
)
from app.api.listing import CURSOR
from app.api.preconditions import NO_TAG
from app.api.problem_handlers import MEDIA_TYPE, problem_response

Json = dict[str, Any]
Responses = dict[int | str, Json]
PROBLEM = {"$ref": "#/components/schemas/Problem"}  # openapi.py puts it there
HEADERS = {
    "ETag": "The version that the product has now",
    "Location": "Where to ask what became of it",
    "Retry-After": "Seconds until it is worth another try",
    "WWW-Authenticate": "How to sign in",
}


def header(description: str, example: str, pattern: str = "") -> Json:
    """Return the declaration of a response header."""
    schema = {"type": "string", "pattern": pattern} if pattern else {"type": "string"}
    return {"description": description, "schema": schema, "example": example}


def problem_responses(*problems: ApiError) -> Responses:
    """Return the OpenAPI declaration of the problems a route answers with; they are the examples."""
    responses: Responses = {}
    for error in problems:
        response = responses.setdefault(error.status, {"description": HTTPStatus(error.status).phrase})
        content = response.setdefault("content", {MEDIA_TYPE: {"schema": PROBLEM, "examples": {}}})
        name = type(error).__name__.removesuffix("Error")
        value = json.loads(bytes(problem_response(error).body))
        content[MEDIA_TYPE]["examples"][name] = {"summary": error.detail, "value": value}
        for name, example in error.headers.items():
            response.setdefault("headers", {})[name] = header(HEADERS[name], example)
    return responses


def _number(description: str, example: int) -> Json:
    return {"description": description, "schema": {"type": "integer", "minimum": 0}, "example": example}


def _link(operation: str, parameters: dict[str, str]) -> Json:
    return {"operationId": operation, "parameters": parameters}


# The mistakes of the examples.
NO_ID = FieldError(
    location="path",
    field="product_id",
    message="Input should be a valid integer, unable to parse string as an integer",
    code="int_parsing",
)
NO_PRICE = FieldError(
    location="body", field="price", message="Input should be greater than 0", code="greater_than", context={"gt": 0}
)
NO_ZONE = FieldError(
    location="query",
    field="time_zone",
    message="must be a time zone of the IANA database, such as America/Sao_Paulo",
    code="value_error",
)
NO_LIMIT = FieldError(
    location="query",
    field="limit",
    message="Input should be less than or equal to 200",
    code="less_than_equal",
    context={"le": 200},
)
NO_RANGE = FieldError(location="query", field="price_max", message="must not be below price_min", code="value_error")

NO_CHOICE = FieldError(
    location="query",
    field="",
    message="say which products: either id, which may be repeated, or deletion",
    code="value_error",
)

ETAG = {"ETag": header("The product's version", '"1"', r'^"\d+"$')}
LOCATION = {"Location": header("The product's address", "/products/1")}
ID = {"product_id": "$response.body#/id"}
VERSION = {"if-match": "$response.header.ETag"}
LINKS = {
    "read": _link("read_product", ID),
    "update": _link("update_product", ID | VERSION),
    "patch": _link("patch_product", ID | VERSION),
    "delete": _link("delete_product", ID | VERSION),
}
TOTAL = {
    "X-Total-Count": _number("How many products meet the filter, when `count` asks for it", 600),
    "X-Total-Count-Kind": header("Whether that is exact or estimated", "exact", "^(exact|estimated)$"),
}
PAGES = {"Link": header("The pages beside this one (RFC 8288)", f'</products/?after={CURSOR}>; rel="next"')}

EVERYWHERE = problem_responses(*auth.PROBLEMS, UrlTooLongError(), OverloadedError(), DatabaseUnavailableError())
BODY = (UnreadableBodyError(), BodyTooLargeError(2**16), BodyTooSlowError(10))
CREATE: Responses = {
    201: {"headers": ETAG | LOCATION, "links": LINKS},
    **problem_responses(*BODY, InvalidRequestError([NO_PRICE]), ReusedKeyError()),
}
LIST: Responses = {
    200: {"headers": PAGES | TOTAL, "links": {"first": _link("read_product", {"product_id": "$response.body#/0/id"})}},
    **problem_responses(InvalidRequestError([NO_LIMIT])),
}
DELETE_MANY = problem_responses(ConfirmationError(3, 2), ConfirmationError(3, None), InvalidRequestError([NO_RANGE]))
CHANGE_MANY = problem_responses(
    *BODY,
    ConfirmationError(3, 2, done="changed", do="change"),
    ConfirmationError(3, None, done="changed", do="change"),
    PriceOutOfRangeError(3),
    InvalidRequestError([NO_RANGE]),
)
TOTALS = SUGGESTIONS = problem_responses(InvalidRequestError([NO_RANGE]))
BIN: Responses = {
    200: {"headers": {"Link": header("The older ones", f'</products/deleted?after={CURSOR}>; rel="next"')}},
    **problem_responses(InvalidRequestError([NO_LIMIT])),
}
RESTORE = problem_responses(NotInBinError(), RestoreConflictError(), InvalidRequestError([NO_CHOICE]))
HISTORY: Responses = {
    200: {"headers": {"Link": header("The older ones", '</products/1/history?before=7>; rel="next"')}},
    **problem_responses(ProductNotFoundError(), InvalidRequestError([NO_ID])),
}
SUMMARY: Responses = {
    200: {"headers": {"Age": _number("Seconds since it was computed", 12)}},
    **problem_responses(InvalidRequestError([NO_ZONE])),
}
READ: Responses = {
    200: {"headers": ETAG, "links": LINKS},
    304: {"description": "The product still is the version that the client has", "headers": ETAG},
    **problem_responses(
        ProductNotFoundError(), InvalidRequestError([NO_ID]), InvalidHeaderError("If-None-Match", NO_TAG)
    ),
}
DELETE: Responses = {
    200: {"headers": ETAG},
    **problem_responses(
        ProductNotFoundError(),
        PreconditionFailedError('"2"'),
        PreconditionRequiredError(),
        InvalidRequestError([NO_ID]),
        InvalidHeaderError("If-Match", NO_TAG),
    ),
}
UPDATE: Responses = {
    200: {"headers": ETAG, "links": LINKS},
    **problem_responses(
        *BODY,
        ProductNotFoundError(),
        PreconditionFailedError('"2"'),
        PreconditionRequiredError(),
        InvalidRequestError([NO_ID, NO_PRICE]),
        InvalidHeaderError("If-Match", NO_TAG),
    ),
}
# Many clients send a merge patch as plain JSON.
PATCH_BODY = {
    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ProductPatch"}}}}
}
