"""Changing and deleting many products at once, which has to be confirmed by their number."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL, text

from app.api import patience
from tests.api.conftest import Json, connection, created, field_errors, problem
from tests.api.serving import eventually

NOTHING = {"deleted": 0, "deletion": None}


def ids(client: TestClient) -> list[int]:
    return [p["id"] for p in client.get("/products/").json()]


def test_ids_and_filters_say_what_goes(client: TestClient, product: Json) -> None:
    made = [created(client, product, price=price)["id"] for price in (1, 2, 3, 4, 5)]
    response = client.delete("/products/", params={"id": [made[0], made[4]], "confirm": 2})
    assert response.json()["deleted"] == 2
    assert client.delete("/products/", params={"price_min": 3, "q": "geladeira", "confirm": 2}).status_code == 200
    assert ids(client) == [made[1]]
    assert client.delete("/products", params={"id": made[1], "price_min": 3, "confirm": 0}).json() == NOTHING
    assert client.delete("/products/", params={"confirm": 1}).json()["deleted"] == 1


def test_without_confirmation_it_says_how_many_would_go(client: TestClient, product: Json) -> None:
    made = [created(client, product)["id"] for _ in range(3)]
    response = client.delete("/products/")
    assert list(field_errors(response)) == ["confirm"]
    assert "3 products" in response.json()["detail"]
    assert response.json()["errors"][0]["context"] == {"matching": 3}
    assert ids(client) == made


def test_another_number_than_confirmed_deletes_nothing(client: TestClient, product: Json) -> None:
    made = [created(client, product)["id"] for _ in range(3)]
    for confirm in (2, 4):
        response = client.delete("/products/", params={"confirm": confirm})
        assert "3 products match now" in problem(response, 409)["detail"]
    assert ids(client) == made


def test_a_wrong_wish_is_refused_by_name(client: TestClient, product: Json) -> None:
    made = created(client, product)
    response = client.delete("/products/?id=x&id=0&confirm=-1&price_min=x&limit=1")
    assert {field.split(".")[0] for field in field_errors(response)} == {"id", "confirm", "price_min", "limit"}
    many = client.delete("/products/", params={"id": list(range(1, 1002)), "confirm": 1})
    assert list(field_errors(many)) == ["id"]
    assert ids(client) == [made["id"]]


def change(client: TestClient, body: Json, **query: Any) -> Any:
    return client.patch("/products/", params=query, json=body)


def test_prices_change_by_a_percentage_rounded_half_a_cent_away_from_zero(client: TestClient, product: Json) -> None:
    made = [created(client, product, price=price) for price in (0.10, 10.10, 19.90, 9_000_000_000.01)]
    response = change(client, {"price": {"percent": 5}}, confirm=4)
    assert response.status_code == 200, response.text
    assert [p["price"] for p in client.get("/products/").json()] == [0.11, 10.61, 20.9, 9_450_000_000.01]
    assert (response.json()["matching"], response.json()["changed"]) == (4, 4)
    assert response.json()["total_before"] == 9_000_000_030.11
    now = client.get(f"/products/{made[0]['id']}").json()
    assert now["version"] == 2
    assert now["updated_at"] >= made[0]["updated_at"]
    assert change(client, {"price": {"percent": -50}}, id=made[1]["id"], confirm=1).json()["total_after"] == 5.31


def test_prices_change_by_an_amount_and_categories_too(client: TestClient, product: Json) -> None:
    for price in (1, 2, 3):
        created(client, product, price=price)
    body = {"price": {"amount": -0.55}, "categoria": "Móveis"}
    response = change(client, body, price_min=2, confirm=2)
    assert response.json()["examples"][0]["before"] == {"price": 2.0, "categoria": "Eletrodoméstico"}
    assert response.json()["examples"][0]["after"] == {"price": 1.45, "categoria": "Móveis"}
    found = [(p["price"], p["categoria"]) for p in client.get("/products/").json()]
    assert found == [(1.0, "Eletrodoméstico"), (1.45, "Móveis"), (2.45, "Móveis")]


def test_what_is_so_already_gets_no_new_version(client: TestClient, product: Json) -> None:
    made = created(client, product)
    created(client, product, categoria="Roupas")
    response = change(client, {"categoria": product["categoria"]}, confirm=2)
    assert (response.json()["matching"], response.json()["changed"]) == (2, 1)
    assert client.get(f"/products/{made['id']}").json() == made


def test_a_dry_run_says_all_and_changes_nothing(client: TestClient, product: Json) -> None:
    made = [created(client, product, price=price) for price in range(1, 13)]
    response = change(client, {"price": {"percent": 10}}, dry_run=True)
    assert response.status_code == 200, response.text
    body = response.json()
    assert (body["matching"], body["changed"], body["total_before"], body["total_after"]) == (12, 12, 78, 85.8)
    assert [e["id"] for e in body["examples"]] == [p["id"] for p in made[:10]]
    assert client.get("/products/").json() == made


def test_a_change_that_is_not_confirmed_or_makes_no_price_changes_nothing(client: TestClient, product: Json) -> None:
    made = [created(client, product, price=price) for price in (1, 20, 9_999_999_999)]
    assert "3 products" in problem(change(client, {"price": {"percent": 5}}), 422)["detail"]
    assert "3 products match now" in problem(change(client, {"price": {"percent": 5}}, confirm=2), 409)["detail"]
    for body, refused in (({"amount": -1}, 1), ({"percent": 5}, 1), ({"percent": -99.99}, 2)):
        response = change(client, {"price": body}, confirm=3)
        (error,) = problem(response, 422)["errors"]
        assert (error["code"], error["context"]) == ("price_out_of_range", {"refused": refused}), body
    assert client.get("/products/").json() == made


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"price": {}},
        {"price": {"percent": 5, "amount": 5}},
        {"price": {"percent": "5"}},
        {"price": {"percent": 5.001}},
        {"price": {"percent": -100}},
        {"price": 5},
        {"categoria": "Frutas"},
        {"name": "Sofá"},
    ],
    ids=str,
)
def test_a_change_that_means_nothing_is_refused(client: TestClient, product: Json, body: Json) -> None:
    made = created(client, product)
    problem(change(client, body, confirm=1), 422)
    assert client.get("/products/").json() == [made]


def test_products_are_added_up(client: TestClient, product: Json) -> None:
    assert client.get("/products/totals").json() == {"count": 0, "total": 0, "average": None}
    made = [created(client, product, price=price)["id"] for price in (1.11, 2.22, 3.34)]
    assert client.get("/products/totals").json() == {"count": 3, "total": 6.67, "average": 2.22}
    assert client.get("/products/totals", params={"id": made[:2]}).json()["total"] == 3.33
    assert client.get("/products/totals", params={"price_min": 3}).json()["average"] == 3.34


def test_who_accepts_lines_is_told_how_far_a_long_change_is(
    client: TestClient, product: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LINE_SECONDS", 0)
    for _ in range(3):
        created(client, product)
    headers = {"Accept": "application/jsonl"}
    response = client.patch("/products/", params={"confirm": 3}, json={"price": {"percent": 5}}, headers=headers)
    assert response.headers["content-type"] == "application/jsonl"
    *progress, last = map(json.loads, response.text.splitlines())
    assert all(line.keys() == {"done", "of"} for line in progress)
    assert last["result"]["changed"] == 3
    response = client.delete("/products/", params={"confirm": 2}, headers=headers)
    assert json.loads(response.text.splitlines()[-1])["problem"]["status"] == 409
    assert len(ids(client)) == 3


LOCKED_OUT = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


@pytest.mark.parametrize(("amount", "status"), [(-50, 422), (10, 200)])
def test_prices_that_somebody_is_changing_are_waited_for_and_then_looked_at(
    api_url: str, migrated_postgres_url: URL, product: Json, amount: int, status: int
) -> None:
    with (
        httpx.Client(base_url=api_url) as client,
        connection(migrated_postgres_url) as other,
        connection(migrated_postgres_url) as watcher,
        ThreadPoolExecutor(1) as pool,
    ):
        made = client.post("/products/", json=product | {"price": 100}).json()["id"]
        other.execution_options(isolation_level="READ COMMITTED")
        other.execute(text("UPDATE products SET price = 1"))
        body, query = {"price": {"amount": amount}}, {"confirm": 1}
        answer = pool.submit(client.patch, "/products/", params=query, json=body)
        eventually(lambda: watcher.execute(LOCKED_OUT).scalar_one())
        other.commit()
        response = answer.result()
        assert response.status_code == status, response.text
        if status == 200:
            assert (response.json()["total_before"], response.json()["total_after"]) == (1, 11)
        assert client.get(f"/products/{made}").json()["price"] == (11 if status == 200 else 1)
