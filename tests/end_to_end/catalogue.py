"""The products that a journey begins with, and what somebody else does to them meanwhile."""

from collections.abc import Iterable, Mapping
from typing import Any

import httpx2 as httpx


def stock(api_url: str, products: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Have the catalogue hold exactly these products; return them as they are stored."""
    with httpx.Client(base_url=api_url) as api:
        while old := [("id", product["id"]) for product in api.get("/products/", params={"limit": 200}).json()]:
            api.delete("/products/", params=[*old, ("confirm", len(old))]).raise_for_status()
        return [api.post("/products/", json=product).raise_for_status().json() for product in products]


def numbered(product: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    """Return products that differ in their names, Produto 01 and so on, and in their prices, 1.00 and so on."""
    return [{**product, "name": f"Produto {n:02}", "price": n} for n in range(1, count + 1)]


def change(api_url: str, product: Mapping[str, Any], **values: Any) -> None:
    """Change a product as somebody else would."""
    headers = {"Content-Type": "application/merge-patch+json"}
    httpx.patch(f"{api_url}/products/{product['id']}", json=values, headers=headers).raise_for_status()


def delete(api_url: str, product: Mapping[str, Any]) -> None:
    """Delete a product as somebody else would."""
    httpx.delete(f"{api_url}/products/{product['id']}").raise_for_status()


def read(api_url: str, product: Mapping[str, Any]) -> dict[str, Any]:
    """Return a product as it is now."""
    now: dict[str, Any] = httpx.get(f"{api_url}/products/{product['id']}").raise_for_status().json()
    return now
