"""Conditional requests (RFC 9110, 13): `If-Match` keeps changes from being lost, `If-None-Match` saves a read."""

import re
from typing import Annotated

from fastapi import Header, Request

from app.api import crud
from app.api.database import Database
from app.api.errors import InvalidHeaderError, PreconditionFailedError, PreconditionRequiredError, ProductNotFoundError
from app.api.models import MAX_ID
from app.api.resources import resources
from app.api.responses import Fields, etag

ANY = "*"
NO_TAG = 'must be an entity tag in double quotes, such as "1", or *'
TAG = r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"'
ASCII_TAG = r'(W/)?"[!#-~]*"'
ENTITY_TAGS = re.compile(rf"\s*{TAG}\s*(,\s*{TAG}\s*)*")

IfMatch = Annotated[
    str | None,
    Header(
        description="Do it only while the product has this `ETag`; else the answer is 412",
        examples=['"1"'],
        json_schema_extra={"pattern": f"^({ASCII_TAG}|\\*)$"},
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        description="Answer 304 while the product has this `ETag`",
        examples=['"7"'],
        json_schema_extra={"pattern": f"^({ASCII_TAG}( *, *{ASCII_TAG})*|\\*)$"},
    ),
]


def expected_version(request: Request, if_match: str | None) -> int | None:
    """Return the version that a change is meant for; None when it is for whatever there is.

    A list of tags is good for what no client of a single product has a use for; its first one counts.

    Raises:
        InvalidHeaderError: the header is no entity tag.
        PreconditionRequiredError: there is none, and the deployment wants one.
    """
    if if_match is None:
        if resources(request).settings.require_if_match:
            raise PreconditionRequiredError
        return None
    if if_match.strip() == ANY:
        return None
    tags = _tags("If-Match", if_match)
    if len(tags) > 1:
        raise InvalidHeaderError("If-Match", "must be one entity tag: the ETag of the product that you changed")
    # A weak tag and one that is not ours match nothing: no product has version 0.
    return int(tags[0][1:-1]) if re.fullmatch(r'"[1-9]\d{0,9}"', tags[0]) and int(tags[0][1:-1]) <= MAX_ID else 0


def not_modified(if_none_match: str | None, product: Fields) -> bool:
    """Say whether the client has this version already."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == ANY:
        return True
    return etag(product) in [tag.removeprefix("W/") for tag in _tags("If-None-Match", if_none_match)]


async def why_nothing_changed(database: Database, product_id: int) -> Exception:
    """Return the error for a change that met no product: there is none, or it has another version."""
    product = await crud.get_product(database, product_id)
    return ProductNotFoundError() if product is None else PreconditionFailedError(etag(product))


def _tags(header: str, value: str) -> list[str]:
    if not ENTITY_TAGS.fullmatch(value):
        raise InvalidHeaderError(header, NO_TAG)
    return re.findall(r'(?:W/)?"[^"]*"', value)
