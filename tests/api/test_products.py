"""The API's contract, the same on PostgreSQL and on SQLite: only DATABASE_URL differs."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text

from app.api.main import create_app
from app.api.revision import newest_revision
from tests.api.conftest import Json, created, field_errors, problem


def test_create_answers_the_stored_product_and_where_it_is(client: TestClient, product: Json) -> None:
    response = client.post("/products/", json=product)
    assert response.status_code == 201
    body = response.json()
    assert {key: body[key] for key in product} == product
    assert client.get(response.headers["location"]).json() == body
    assert datetime.fromisoformat(body["created_at"]).utcoffset() == timedelta(0)
    assert body["updated_at"] == body["created_at"]


def test_price_is_a_number_with_its_cents_kept(client: TestClient, product: Json) -> None:
    for price in (0.01, 0.1, 19.99, 1234567.89, 9999999999.99):
        made = created(client, product, price=price)
        assert client.get(f"/products/{made['id']}").json()["price"] == price


def test_name_is_trimmed_and_description_may_be_absent(client: TestClient, product: Json) -> None:
    del product["description"]
    made = created(client, product, name="  Sofá \n")
    assert made["name"] == "Sofá"
    assert made["description"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 201),
        ("name", "a\0b"),
        ("name", 7),
        ("name", None),
        ("description", "x" * 2001),
        ("description", "a\0b"),
        ("price", 0),
        ("price", -1),
        ("price", 1.999),
        ("price", 1e11),
        ("price", "10.5"),
        ("price", True),
        ("categoria", "Brinquedos"),
        ("email_fornecedor", "not an address"),
        ("email_fornecedor", f"a@{'b' * 250}.example.com"),
        ("preco", 1),
    ],
)
def test_a_wrong_value_is_refused_by_name(client: TestClient, product: Json, field: str, value: Any) -> None:
    response = client.post("/products/", json=product | {field: value})
    assert list(field_errors(response)) == [field]
    assert client.get("/products/").json() == []


def test_every_problem_of_a_body_is_told_at_once(client: TestClient) -> None:
    response = client.post("/products/", json={"name": " ", "price": 0, "categoria": "x", "preco": 1})
    assert set(field_errors(response)) == {"name", "price", "categoria", "email_fornecedor", "preco"}
    detail = response.json()["detail"]
    assert "name: " in detail
    assert "email_fornecedor: This field is required" in detail


def test_a_key_that_stands_twice_is_refused_instead_of_its_last_value_counting(
    client: TestClient, product: Json
) -> None:
    made = client.post("/products/", json=product).json()
    address = f"/products/{made['id']}"
    whole = json.dumps(product)[:-1] + ', "price": 100}'
    for method, path, content_type, body in (
        ("POST", "/products/", "application/json", whole),
        ("PUT", address, "application/json", whole),
        ("PATCH", address, "application/merge-patch+json", '{"price": 1, "pr\\u0069ce": 100}'),
        ("PATCH", f"/products/?id={made['id']}", "application/merge-patch+json", '{"price": 1, "price": 100}'),
    ):
        response = client.request(method, path, content=body, headers={"content-type": content_type})
        error = problem(response, 422)["errors"][0]
        assert error["code"] == "json_invalid"
        assert '"price" stands twice' in error["message"]
    assert client.get("/products/").json() == [made]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"text"', b'{"price": NaN}', b'{"name": "\\ud800"}', b"\xff"]
)
def test_a_body_that_is_no_product_is_refused(client: TestClient, body: bytes) -> None:
    for method, path in (("POST", "/products/"), ("PUT", "/products/1"), ("PATCH", "/products/1")):
        response = client.request(method, path, content=body, headers={"content-type": "application/json"})
        assert response.status_code in (400, 422), response.text
        assert problem(response, response.status_code)["detail"]


def test_list_gives_one_page_and_leads_to_the_next(client: TestClient, product: Json) -> None:
    ids = [created(client, product, name=f"Produto {n}")["id"] for n in range(5)]
    seen: list[int] = []
    response = client.get("/products/", params={"limit": 2})
    while True:
        page = [p["id"] for p in response.json()]
        assert len(page) <= 2
        seen += page
        if "next" not in response.links:
            break
        response = client.get(response.links["next"]["url"])
    assert seen == ids


def test_list_is_an_array_of_at_most_fifty_by_default(client: TestClient, product: Json) -> None:
    assert client.get("/products/").json() == []
    for n in range(51):
        created(client, product, name=f"Produto {n}")
    response = client.get("/products/")
    assert len(response.json()) == 50
    assert len(client.get(response.links["next"]["url"]).json()) == 1


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "after=-1", "before=x"])
def test_a_wrong_page_is_refused(client: TestClient, query: str) -> None:
    assert list(field_errors(client.get(f"/products/?{query}"))) == [query.split("=", maxsplit=1)[0]]


def test_put_changes_what_it_names_and_keeps_the_rest(client: TestClient, product: Json) -> None:
    made = created(client, product)
    response = client.put(f"/products/{made['id']}", json={"price": 10.5, "description": None})
    assert response.status_code == 200
    changed = response.json()
    assert changed["price"] == 10.5
    assert changed["updated_at"] >= made["updated_at"]
    assert changed["version"] == made["version"] + 1
    assert changed | {name: made[name] for name in ("price", "updated_at", "version")} == made


def test_put_takes_back_a_product_as_it_was_read(client: TestClient, product: Json) -> None:
    made = created(client, product)
    response = client.put(f"/products/{made['id']}", json=made | {"name": "Outro nome", "id": 999})
    assert response.status_code == 200
    assert response.json()["id"] == made["id"]
    assert response.json()["name"] == "Outro nome"


def test_patch_clears_with_null_what_may_be_empty(client: TestClient, product: Json) -> None:
    made = created(client, product)
    path, headers = f"/products/{made['id']}", {"content-type": "application/merge-patch+json"}
    assert client.patch(path, content='{"description": null}', headers=headers).json()["description"] is None
    assert client.patch(path, content='{"price": 1}', headers=headers).json()["price"] == 1
    assert list(field_errors(client.patch(path, content='{"name": null}', headers=headers))) == ["name"]
    assert client.patch(path, json={}).json()["name"] == product["name"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_wrong_change_changes_nothing(client: TestClient, product: Json, method: str) -> None:
    made = created(client, product)
    response = client.request(method, f"/products/{made['id']}", json={"name": "Novo", "price": -1})
    assert list(field_errors(response)) == ["price"]
    assert client.get(f"/products/{made['id']}").json() == made


def test_delete_answers_with_what_is_gone(client: TestClient, product: Json) -> None:
    made = created(client, product)
    response = client.delete(f"/products/{made['id']}")
    assert response.status_code == 200
    assert response.json() == made
    problem(client.get(f"/products/{made['id']}"), 404)


@pytest.mark.parametrize("product_id", ["0", "-1", "2147483647", "2147483648", "99999999999999999999"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_an_unknown_id_is_not_found(client: TestClient, method: str, product_id: str) -> None:
    response = client.request(method, f"/products/{product_id}", json=None if method in ("GET", "DELETE") else {})
    assert problem(response, 404)["detail"] == "Product not found"


@pytest.mark.parametrize("product_id", ["+1", "%201", "1%20", "1_0", "%D9%A3", "1.0", "1e0", "0x1", "--1", "9" * 5000])
def test_an_id_is_nothing_but_digits(client: TestClient, product_id: str) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        response = client.request(method, f"/products/{product_id}", json=None if method in ("GET", "DELETE") else {})
        assert "product_id" in field_errors(response)
    assert "id.0" in field_errors(client.delete(f"/products/?confirm=1&id={product_id.replace('+', '%2B')}"))


def test_a_new_address_beside_the_products_is_no_products(client: TestClient) -> None:
    app = create_app()
    app.add_api_route("/products/stats", lambda: {"rows": 7})
    with TestClient(app) as other:
        assert other.get("/products/stats").json() == {"rows": 7}
        assert problem(other.put("/products/stats", json={}), 405)["detail"].endswith("use GET.")


def test_the_address_without_its_last_slash_serves_too(client: TestClient, product: Json) -> None:
    assert client.post("/products", json=product, follow_redirects=False).status_code == 201
    assert len(client.get("/products", follow_redirects=False).json()) == 1


def test_unknown_addresses_and_methods_say_what_there_is(client: TestClient) -> None:
    assert "/docs" in problem(client.get("/nada"), 404)["detail"]
    assert "GET" in problem(client.post("/health/live"), 405)["detail"]
    for method, path, allowed in (
        ("POST", "/products/1", "GET, PUT, PATCH, DELETE"),
        ("OPTIONS", "/products/", "GET, POST, PATCH, DELETE"),
        ("DELETE", "/products/summary", "GET"),
        ("PUT", "/products/import", "POST"),
        ("PATCH", "/products/export", "GET"),
    ):
        response = client.request(method, path)
        assert allowed in problem(response, 405)["detail"]
        assert response.headers["allow"] == allowed


def test_a_body_that_does_not_say_it_is_json_is_told_to(client: TestClient, product: Json) -> None:
    response = client.post("/products/", content=json.dumps(product), headers={"content-type": "text/plain"})
    assert field_errors(response) == {"": "This must be a JSON object, sent as application/json"}


def test_docs_and_openapi_are_served(client: TestClient) -> None:
    assert client.get("/docs").status_code == 200
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        "/products/",
        "/products/import",
        "/products/import/preview",
        "/products/imports",
        "/products/imports/{import_id}",
        "/products/imports/{import_id}/undo",
        "/products/export",
        "/products/summary",
        "/products/totals",
        "/products/suggestions",
        "/products/deleted",
        "/products/deleted/restore",
        "/products/{product_id}",
        "/products/{product_id}/history",
        "/health/live",
        "/health/ready",
    }
    assert set(paths["/products/{product_id}"]) == {"get", "put", "patch", "delete"}


def test_ready_needs_the_newest_schema(client: TestClient, database_url: str) -> None:
    assert client.get("/health/ready").json() == {"status": "ok"}
    engine = create_engine(client.app.state.resources.database.engine.url)  # type: ignore[attr-defined]
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    try:
        assert "run the migrations" in problem(client.get("/health/ready"), 503)["detail"]
        assert client.get("/health/live").json() == {"status": "ok"}
    finally:
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest_revision()})
        engine.dispose()
