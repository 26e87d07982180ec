"""A product as the response that carries it."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response
from sqlalchemy import RowMapping

from app.api.schemas import ProductResponse

Fields = Mapping[str, Any] | RowMapping

PRODUCTS = "/products"  # where they are; no host, which behind a proxy is another


def product_response(product: Fields, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with one product; `ETag` names its version.

    What comes out of the database was checked when it went in, so it is not validated again.
    """
    body = ProductResponse.model_construct(**product).model_dump_json()
    return Response(body, status, {"ETag": etag(product), **(headers or {})}, "application/json")


def created_response(product: Fields) -> Response:
    """Answer with the product that a create made, and where it is."""
    return product_response(product, status=201, headers={"Location": f"{PRODUCTS}/{product['id']}"})


def etag(product: Fields) -> str:
    """Return the product's strong entity tag (RFC 9110, 8.8.3): its version."""
    return f'"{product["version"]}"'
