"""The catalogue in numbers."""

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from app.api import summary
from tests.api.conftest import Json, created


def test_an_empty_catalogue_has_a_summary_too(client: TestClient) -> None:
    body = client.get("/products/summary").json()
    assert body["count"] == 0
    assert set(body["price"].values()) == {None}
    assert [c["count"] for c in body["categories"]] == [0] * 5
    assert (body["histogram"], body["added"], body["cheapest"], body["dearest"]) == ([], [], [], [])


def test_it_counts_and_adds_up_by_category(client: TestClient, product: Json) -> None:
    made = [
        created(client, product, price=price, categoria=categoria)
        for price, categoria in ((0.5, "Roupas"), (10, "Roupas"), (19.99, "Roupas"), (20, "Roupas"), (1500, "Móveis"))
    ]
    response = client.get("/products/summary")
    body = response.json()
    assert response.headers["age"] == "0"
    assert abs((datetime.fromisoformat(body["as_of"]) - datetime.now(UTC)).total_seconds()) < 60
    assert body["count"] == 5
    prices = {"min": 0.5, "first_quartile": 10, "median": 19.99, "third_quartile": 20, "max": 1500, "total": 1550.49}
    assert body["price"] == prices
    clothes = next(c for c in body["categories"] if c["categoria"] == "Roupas")
    assert clothes["count"] == 4
    prices = {"min": 0.5, "first_quartile": 0.5, "median": 10, "third_quartile": 19.99, "max": 20, "total": 50.49}
    assert clothes["price"] == prices
    filled = [(b["from"], b["to"], b["count"]) for b in body["histogram"] if b["count"]]
    assert filled == [(0, 1, 1), (10, 20, 2), (20, 50, 1), (1000, 2000, 1)]
    assert body["added"] == [{"date": made[0]["created_at"][:10], "count": 5}]
    assert [p["id"] for p in body["cheapest"]] == [p["id"] for p in made]
    assert [p["id"] for p in body["dearest"]] == [p["id"] for p in reversed(made)]


def test_what_takes_long_is_kept_and_says_its_age(
    client: TestClient, product: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary, "QUICK_SECONDS", 0)
    first = client.get("/products/summary").json()
    created(client, product)
    assert client.get("/products/summary").json() == first
    monkeypatch.setattr(summary, "MAX_AGE_SECONDS", -1)
    assert client.get("/products/summary").json() == first  # once more, and it is computed again behind it
    monkeypatch.setattr(summary, "MAX_AGE_SECONDS", 60)
    assert client.get("/products/summary").json()["count"] == first["count"] + 1
    monkeypatch.undo()
    summary.refresh(client.app.state.resources.database.engine)  # type: ignore[attr-defined]
    created(client, product)
    assert client.get("/products/summary").json()["count"] == first["count"] + 2
