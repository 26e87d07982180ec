"""The history says who did what to a product and when, in the transaction that did it."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.api.schemas import ProductBase
from tests.api.conftest import Json, created, field_errors, problem


def history(client: TestClient, product_id: int, **query: Any) -> list[Json]:
    response = client.get(f"/products/{product_id}/history", params=query)
    assert response.status_code == 200, response.text
    found: list[Json] = response.json()
    return found


def told(entries: list[Json]) -> list[tuple[str, str | None, int]]:
    return [(entry["action"], entry["by"], entry["version"]) for entry in entries]


def test_all_that_became_of_a_product_is_told(client: TestClient, product: Json) -> None:
    made = created(client, product)
    path = f"/products/{made['id']}"
    client.patch(path, json={"price": 19.9, "description": None})
    client.put(path, json={"name": "Sofá"})
    client.delete(path)
    assert told(history(client, made["id"]))[0] == ("deleted", "local", 3)  # also while it is in the bin
    client.post("/products/deleted/restore", params={"id": made["id"]})
    entries = history(client, made["id"])
    assert told(entries) == [
        ("restored", "local", 3),
        ("deleted", "local", 3),
        ("changed", "local", 3),
        ("changed", "local", 2),
        ("created", "local", 1),
    ]
    assert entries[2]["changes"] == {"name": {"before": product["name"], "after": "Sofá"}}
    assert entries[3]["changes"] == {
        "price": {"before": 2899.9, "after": 19.9},
        "description": {"before": product["description"], "after": None},
    }
    assert entries[4]["at"] == made["created_at"]
    assert [entry["changes"] for entry in (*entries[:2], entries[4])] == [{}, {}, {}]


OTHERS: Json = {
    "name": "Outro",
    "description": "Outra",
    "price": 1.5,
    "categoria": "Roupas",
    "email_fornecedor": "outra@example.com",
}


def test_no_field_changes_unnoticed(client: TestClient, product: Json) -> None:
    assert OTHERS.keys() == ProductBase.model_fields.keys()
    made = created(client, product)
    for name, value in OTHERS.items():
        client.patch(f"/products/{made['id']}", json={name: value})
        assert history(client, made["id"])[0]["changes"] == {name: {"before": product[name], "after": value}}


def test_what_changes_nothing_is_no_entry(client: TestClient, product: Json) -> None:
    made = created(client, product)
    client.patch(f"/products/{made['id']}", json={"name": product["name"]})
    client.patch(f"/products/{made['id']}", json={"price": 5}, headers={"If-Match": '"1"'})  # 412
    client.patch(f"/products/{made['id']}", json={"price": -5})  # 422
    assert told(history(client, made["id"])) == [("created", "local", 1)]


def test_many_at_once_have_an_entry_each(client: TestClient, product: Json) -> None:
    made = [created(client, product)["id"] for _ in range(3)]
    client.patch("/products/", params={"confirm": 3}, json={"price": {"amount": 1}})
    client.patch("/products/", params={"confirm": 2}, json={"price": {"amount": 1}})  # 409
    client.delete("/products/", params={"id": made[1:], "confirm": 2})
    assert told(history(client, made[0])) == [("changed", "local", 2), ("created", "local", 1)]
    assert told(history(client, made[2]))[0] == ("deleted", "local", 2)


def test_an_import_says_whose_it_is_and_a_shell_does_not(client: TestClient, product: Json) -> None:
    file = "name,price,categoria,email_fornecedor\nSofá,5,Móveis,a@example.com\n"
    client.post("/products/import", content=file.encode(), headers={"Content-Type": "text/csv"})
    [imported] = client.get("/products/").json()
    assert told(history(client, imported["id"])) == [("created", "local", 1)]
    with client.app.state.resources.database.engine.begin() as connection:  # type: ignore[attr-defined]
        connection.execute(text("UPDATE products SET price = 6"))
    assert told(history(client, imported["id"]))[0] == ("changed", None, 1)


def test_it_is_read_in_parts(client: TestClient, product: Json) -> None:
    made = created(client, product)
    for price in range(1, 6):
        client.patch(f"/products/{made['id']}", json={"price": price})
    found: list[Json] = []
    address = f"/products/{made['id']}/history?limit=2"
    while address:
        page = client.get(address)
        found += page.json()
        address = page.links.get("next", {}).get("url", "")
    assert found == history(client, made["id"])
    assert [entry["version"] for entry in found] == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "before=0", "before=x"])
def test_a_wrong_wish_is_refused(client: TestClient, product: Json, query: str) -> None:
    made = created(client, product)
    assert list(field_errors(client.get(f"/products/{made['id']}/history?{query}"))) == [query.partition("=")[0]]
    problem(client.get(f"/products/{2**31 - 1}/history"), 404)
    problem(client.get(f"/products/{2**63}/history"), 404)
