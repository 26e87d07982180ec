"""Deleting many products at once, which has to be confirmed by their number."""

from fastapi.testclient import TestClient

from tests.api.conftest import Json, created, field_errors, problem


def ids(client: TestClient) -> list[int]:
    return [p["id"] for p in client.get("/products/").json()]


def test_ids_and_filters_say_what_goes(client: TestClient, product: Json) -> None:
    made = [created(client, product, price=price)["id"] for price in (1, 2, 3, 4, 5)]
    response = client.delete("/products/", params={"id": [made[0], made[4]], "confirm": 2})
    assert response.json() == {"deleted": 2}
    assert client.delete("/products/", params={"price_min": 3, "q": "geladeira", "confirm": 2}).status_code == 200
    assert ids(client) == [made[1]]
    assert client.delete("/products", params={"id": made[1], "price_min": 3, "confirm": 0}).json() == {"deleted": 0}
    assert client.delete("/products/", params={"confirm": 1}).json() == {"deleted": 1}


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
