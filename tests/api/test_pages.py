"""A page is written by PostgreSQL and one product by Pydantic: the two are the same, byte for byte."""

from typing import Any

from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.api.models import Categoria
from tests.api.conftest import created

Json = dict[str, Any]
HOSTILE = [
    'quo"tes, back\\slashes and /slashes/',
    "controls \x01\x02\x07\b\t\n\x0b\f\r\x1b\x1f and \x7f\x80\x9f",
    "\u2028 and \u2029, \ufeff, \u200b, \u00ad",
    "astral 𝒢 🧊 👩🏽‍🔧 \U0010ffff, and \ufffe\uffff",
    "e\u0301 is no é, ﬁ no fi, İ no i",
    "<script>alert('&amp;')</script> {{ }} %s %(x)s :name $1 $$ ' -- ;",
]
PRICES = [0.01, 0.1, 0.12, 1, 1.1, 10, 100, 1000.5, 99999.99, 1234567890, 9999999999.9, 9999999999.99]
MOMENTS = [
    "2026-01-02 03:04:05",
    "2026-01-02 03:04:05.1",
    "2026-01-02 03:04:05.000001",
    "2026-01-02 03:04:05.120000",
    "1999-12-31 23:59:59.999999",
    "2026-11-01 00:30:00.5",
]


def assert_same_bytes(client: TestClient) -> None:
    page = client.get("/products/", params={"limit": 200})
    one_by_one = [client.get(f"/products/{product['id']}").content for product in page.json()]
    assert page.content == b"[" + b",".join(one_by_one) + b"]"


def test_hostile_text_prices_and_times_are_written_alike(client: TestClient, product: Json) -> None:
    for n, price in enumerate(PRICES):
        name = HOSTILE[n % len(HOSTILE)]
        made = created(
            client, product, name=name, price=price, description=HOSTILE[-n % len(HOSTILE)] if n % 3 else None
        )
        with client.app.state.resources.database.engine.begin() as connection:  # type: ignore[attr-defined]
            first, second = MOMENTS[n % len(MOMENTS)], MOMENTS[-n % len(MOMENTS)]
            offset = "+00:00" if connection.dialect.name == "postgresql" else ""
            connection.execute(
                text("UPDATE products SET created_at = :first, updated_at = :second WHERE id = :id"),
                {"first": first + offset, "second": second + offset, "id": made["id"]},
            )
    assert_same_bytes(client)


def test_no_products_are_an_empty_list(client: TestClient) -> None:
    assert client.get("/products/").content == b"[]"
    assert client.get("/products/?q=nada").content == b"[]"


def test_every_order_and_filter_writes_the_same(client: TestClient, product: Json) -> None:
    for n, categoria in enumerate(Categoria):
        created(client, product, categoria=categoria.value, price=n + 0.5, name=f"Produto {HOSTILE[n]}")
    by_id = {p["id"]: p for p in client.get("/products/").json()}
    for query in ("sort=-price", "sort=name", "sort=description", "q=produto", "price_min=1&sort=-created_at&q=prod"):
        page = client.get(f"/products/?{query}")
        assert page.json() == [by_id[p["id"]] for p in page.json()]
        one_by_one = [client.get(f"/products/{p['id']}").content for p in page.json()]
        assert page.content == b"[" + b",".join(one_by_one) + b"]"
        assert one_by_one


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=200),
    description=st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300),
    price=st.integers(1, 999_999_999_999),
)
def test_any_text_and_price_is_written_alike(
    client: TestClient, product: Json, name: str, description: str | None, price: int
) -> None:
    body = {**product, "name": f"x{name}"[:200], "description": description, "price": price / 100}
    assert client.post("/products/", json=body).status_code == 201
    page = client.get("/products/", params={"sort": "-id", "limit": 1})
    assert page.content == b"[" + client.get(f"/products/{page.json()[0]['id']}").content + b"]"
