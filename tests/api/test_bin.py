"""What was deleted can be taken back for thirty days, with its id and version, and is in no answer until then."""

import asyncio
import time
import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.api import bin as recycle_bin
from tests.api.conftest import Json, created, field_errors, problem


def database(client: TestClient) -> Engine:
    engine: Engine = client.app.state.resources.database.engine  # type: ignore[attr-defined]
    return engine


def binned(client: TestClient) -> list[Json]:
    found: list[Json] = client.get("/products/deleted").json()
    return found


def restore(client: TestClient, **query: Any) -> Any:
    return client.post("/products/deleted/restore", params=query)


def test_a_deleted_product_is_nowhere_and_comes_back_as_it_was(client: TestClient, product: Json) -> None:
    kept = created(client, product, name="Mesa")
    made = created(client, product, description=None)
    client.patch(f"/products/{made['id']}", json={"price": 7.7})
    was = client.get(f"/products/{made['id']}")
    assert client.delete(f"/products/{made['id']}").json() == was.json()

    assert problem(client.get(f"/products/{made['id']}"), 404)["detail"] == "Product not found"
    problem(client.patch(f"/products/{made['id']}", json={"price": 1}), 404)
    problem(client.delete(f"/products/{made['id']}"), 404)
    listed = client.get("/products/", params={"count": "exact"})
    assert (listed.json(), listed.headers["X-Total-Count"]) == ([kept], "1")
    assert client.get("/products/", params={"q": "geladeira"}).json() == []
    assert "Geladeira" not in client.get("/products/export").text
    assert client.get("/products/summary").json()["count"] == 1
    [found] = binned(client)
    assert {name: found[name] for name in was.json()} == was.json()
    assert (found["deleted_by"], found["deletion"]) == ("local", None)

    assert restore(client, id=made["id"]).json() == {"restored": 1}
    now = client.get(f"/products/{made['id']}")
    assert (now.json(), now.headers["etag"]) == (was.json(), was.headers["etag"])
    assert [p["id"] for p in client.get("/products/", params={"q": "geladeira"}).json()] == [made["id"]]
    assert binned(client) == []


def test_the_number_of_a_deleted_product_is_not_given_again(client: TestClient, product: Json) -> None:
    made = created(client, product)
    client.delete(f"/products/{made['id']}")
    assert created(client, product)["id"] > made["id"]
    assert restore(client, id=made["id"]).json() == {"restored": 1}


def test_what_was_deleted_at_once_comes_back_at_once(client: TestClient, product: Json) -> None:
    alone = created(client, product)
    client.delete(f"/products/{alone['id']}")
    many = [created(client, product, price=price) for price in (1, 2, 3)]
    deletion = client.delete("/products/", params={"confirm": 3}).json()["deletion"]
    assert {p["deletion"] for p in binned(client)} == {deletion, None}
    assert restore(client, deletion=deletion).json() == {"restored": 3}
    assert client.get("/products/").json() == many
    assert [p["id"] for p in binned(client)] == [alone["id"]]
    problem(restore(client, deletion=deletion), 404)


def test_a_wrong_wish_is_refused(client: TestClient, product: Json) -> None:
    made = created(client, product)
    problem(restore(client, id=made["id"]), 404)
    problem(restore(client, id=2**31 - 1), 404)
    problem(restore(client, deletion=str(uuid.uuid4())), 404)
    problem(restore(client), 422)
    problem(restore(client, id=1, deletion=str(uuid.uuid4())), 422)
    assert list(field_errors(client.get("/products/deleted?after=x"))) == ["after"]
    assert list(field_errors(client.get("/products/deleted?limit=201"))) == ["limit"]
    assert client.get("/products/").json() == [made]


def test_a_product_whose_id_is_taken_keeps_all_in_the_bin(client: TestClient, product: Json) -> None:
    made = [created(client, product) for _ in range(2)]
    client.delete("/products/", params={"confirm": 2})
    statement = text(
        "INSERT INTO products (id, name, price, categoria, email_fornecedor) "
        "VALUES (:id, 'Outro', 1, 'Roupas', 'a@example.com')"
    )
    with database(client).begin() as connection:  # as after a restored dump
        connection.execute(statement, {"id": made[0]["id"]})
    problem(restore(client, id=[p["id"] for p in made]), 409)
    assert len(binned(client)) == 2
    assert client.delete(f"/products/{made[0]['id']}").status_code == 200  # the newest of two lives counts
    assert sorted(p["name"] for p in binned(client)) == sorted(["Outro", product["name"]])


def test_the_bin_is_read_in_parts_the_newest_first(client: TestClient, product: Json) -> None:
    made = [created(client, product)["id"] for _ in range(5)]
    for product_id in made[:2]:
        client.delete(f"/products/{product_id}")
    client.delete("/products/", params={"confirm": 3})
    found, address = [], "/products/deleted?limit=2"
    while address:
        page = client.get(address)
        found += [p["id"] for p in page.json()]
        address = page.links.get("next", {}).get("url", "")
    assert sorted(found) == made
    assert [p["deleted_at"] for p in binned(client)] == sorted((p["deleted_at"] for p in binned(client)), reverse=True)


def test_after_thirty_days_it_is_gone_with_its_history(
    client: TestClient, product: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recycle_bin, "PURGED", 2)
    made = [created(client, product)["id"] for _ in range(6)]
    client.delete("/products/", params={"id": made[:5], "confirm": 5})
    with database(client).begin() as connection:
        for product_id in made[:4]:
            statement = "UPDATE deleted_products SET deleted_at = '2020-01-01 00:00:00' WHERE id = :id"
            connection.execute(text(statement), {"id": product_id})
    assert recycle_bin.purge(database(client)) == 4
    assert [p["id"] for p in binned(client)] == [made[4]]
    assert client.get(f"/products/{made[0]}/history").status_code == 404
    assert client.get(f"/products/{made[4]}/history").status_code == 200
    assert recycle_bin.purge(database(client)) == 0


def test_a_process_that_ends_leaves_the_rest_of_a_long_purge_to_the_next(
    client: TestClient, product: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recycle_bin, "PURGED", 1)
    monkeypatch.setattr(recycle_bin, "PURGE_SECONDS", 0.01)
    made = [created(client, product)["id"] for _ in range(300)]
    client.delete("/products/", params={"id": made, "confirm": 300})
    engine = database(client)
    with engine.begin() as connection:
        connection.execute(text("UPDATE deleted_products SET deleted_at = '2020-01-01 00:00:00'"))

    def left() -> int:
        with engine.connect() as connection:
            found: int = connection.execute(text("SELECT count(*) FROM deleted_products")).scalar_one()
            return found

    async def begin_and_end() -> None:
        async with recycle_bin.purging(engine):
            while await asyncio.to_thread(left) == 300:
                await asyncio.sleep(0)

    asyncio.run(begin_and_end())
    rest = left()
    assert 0 < rest < 300
    time.sleep(0.5)
    assert left() == rest
