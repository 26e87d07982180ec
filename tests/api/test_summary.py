"""The catalogue in numbers."""

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text, update

from app.api import summary
from app.api.database import transaction
from app.api.models import Product
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
    prices = {"min": 0.5, "first_quartile": 7.63, "median": 15, "third_quartile": 19.99, "max": 20, "total": 50.49}
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
    assert client.get("/products/summary", params={"fresh": True}).headers["age"] == "0"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has no such locks
def test_a_table_that_somebody_holds_is_waited_for_no_longer_than_by_others(
    client: TestClient, product: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = client.app.state.resources.database.engine  # type: ignore[attr-defined]
    created(client, product)
    monkeypatch.setattr(summary, "LOCK_SECONDS", 0.2)
    monkeypatch.setattr(summary, "COMPUTE_SECONDS", 30)
    with transaction(engine) as other:
        other.execute(text("LOCK TABLE products IN ACCESS EXCLUSIVE MODE"))
        held = client.get("/products/summary", params={"fresh": True})

    assert held.status_code == 503
    assert held.json()["detail"].startswith("Another change holds")
    assert client.get("/products/summary", params={"fresh": True}).json()["count"] == 1


def test_what_is_asked_for_fresh_is_computed_now(
    client: TestClient, product: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary, "QUICK_SECONDS", 0)
    assert client.get("/products/summary").json()["count"] == 0
    created(client, product)
    fresh = client.get("/products/summary", params={"fresh": True}).json()
    assert fresh["count"] == 1
    assert client.get("/products/summary").json() == fresh


def test_whoever_comes_first_after_a_night_sees_today(
    client: TestClient, product: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary, "QUICK_SECONDS", 0)
    assert client.get("/products/summary").json()["count"] == 0
    created(client, product)
    monkeypatch.setattr(summary, "MOST_AGE_SECONDS", -1)  # as if hours had gone by
    response = client.get("/products/summary")
    assert response.json()["count"] == 1
    assert response.headers["age"] == "0"


def test_the_median_is_the_one_of_a_spreadsheet(client: TestClient, product: Json) -> None:
    for price in (1, 2, 4, 10.01):
        created(client, product, price=price)
    prices = client.get("/products/summary").json()["price"]
    # =QUARTILE.INC(…; 1), =MEDIAN(…) and =QUARTILE.INC(…; 3), to cents
    assert (prices["first_quartile"], prices["median"], prices["third_quartile"]) == (1.75, 3, 5.5)


def test_days_are_those_of_the_time_zone(client: TestClient, product: Json) -> None:
    engine = client.app.state.resources.database.engine  # type: ignore[attr-defined]
    moments = ["2026-11-01T02:59:00Z", "2026-11-01T03:00:00Z", "2026-11-01T18:14:00Z", "2026-11-01T18:15:00Z"]
    for moment in moments:
        made = created(client, product)
        values = {"created_at": datetime.fromisoformat(moment)}
        with engine.begin() as connection:
            connection.execute(update(Product).where(Product.id == made["id"]).values(values))
    days = {
        "UTC": {"2026-11-01": 4},
        "America/Sao_Paulo": {"2026-10-31": 1, "2026-11-01": 3},
        "Asia/Kathmandu": {"2026-11-01": 3, "2026-11-02": 1},  # 5:45 ahead of UTC
    }
    for zone, expected in days.items():
        added = client.get("/products/summary", params={"time_zone": zone}).json()["added"]
        assert {day["date"]: day["count"] for day in added} == expected


@pytest.mark.parametrize("zone", ["", "São Paulo", "America", "../../etc/passwd", "Mars/Olympus", "x" * 65, "\0"])
def test_a_time_zone_that_is_none_is_refused(client: TestClient, zone: str) -> None:
    response = client.get("/products/summary", params={"time_zone": zone})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "time_zone"
