"""Conditional requests: nobody's change is lost, and an unchanged product is not sent twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient

from app.api.main import create_app
from app.api.migrate import upgrade
from app.api.settings import Settings
from tests.api.conftest import Json, created, field_errors, problem


def change(client: TestClient, method: str, made: Json, if_match: str | None) -> Any:
    headers = {} if if_match is None else {"if-match": if_match}
    body: Json = {} if method == "DELETE" else {"json": {"price": 7}}
    return client.request(method, f"/products/{made['id']}", headers=headers, **body)


def test_every_answer_about_one_product_has_its_strong_etag(client: TestClient, product: Json) -> None:
    response = client.post("/products/", json=product)
    path = response.headers["location"]
    assert response.headers["etag"] == '"1"'
    assert client.get(path).headers["etag"] == '"1"'
    assert client.put(path, json={"price": 2}).headers["etag"] == '"2"'
    assert client.patch(path, json={"price": 3}).headers["etag"] == '"3"'
    assert client.patch(path, json={}).headers["etag"] == '"3"'


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', '"7", "1"', "*"])
def test_a_product_the_client_has_is_not_sent_again(client: TestClient, product: Json, tag: str) -> None:
    path = f"/products/{created(client, product)['id']}"
    response = client.get(path, headers={"if-none-match": tag})
    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["etag"] == '"1"'
    client.put(path, json={"price": 2})
    assert client.get(path, headers={"if-none-match": '"1"'}).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_for_another_version_is_refused(client: TestClient, product: Json, method: str) -> None:
    made = created(client, product)
    client.put(f"/products/{made['id']}", json={"name": "De outra pessoa"})
    for stale in ('"1"', '"0"', '"x"', 'W/"2"', '"99999999999999999999"', '""'):
        response = change(client, method, made, stale)
        assert "Read it again" in problem(response, 412)["detail"]
        assert response.headers["etag"] == '"2"'
    assert client.get(f"/products/{made['id']}").json()["name"] == "De outra pessoa"
    assert change(client, method, made, '"2"').status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("if_match", ["1", '"1', "", '"1" "2"', '"1", "2"'])
def test_a_header_that_is_no_entity_tag_is_refused(
    client: TestClient, product: Json, method: str, if_match: str
) -> None:
    made = created(client, product)
    assert list(field_errors(change(client, method, made, if_match))) == ["if-match"]
    assert client.get(f"/products/{made['id']}").json() == made


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("if_match", [None, "*", '"1"'])
def test_no_product_is_a_404_whatever_was_expected(client: TestClient, method: str, if_match: str | None) -> None:
    problem(change(client, method, {"id": 2**31 - 1}, if_match), 404)


@pytest.fixture
def strict_client(database_url: str) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(database_url=database_url, require_if_match=True))) as client:
        upgrade(client.app.state.resources.database.engine)  # type: ignore[attr-defined]
        yield client


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_deployment_can_want_every_change_conditional(strict_client: TestClient, product: Json, method: str) -> None:
    made = created(strict_client, product)
    assert "If-Match" in problem(change(strict_client, method, made, None), 428)["detail"]
    assert change(strict_client, method, made, '"1"').status_code == 200


def test_many_writers_of_one_product_lose_nothing(api_url: str, product: Json) -> None:
    path = httpx.post(f"{api_url}/products/", json=product | {"price": 1}).headers["location"]

    def add_one(_writer: int) -> None:
        with httpx.Client(base_url=api_url) as client:
            while True:
                read = client.get(path)
                body = {"price": read.json()["price"] + 1}
                answer = client.patch(path, json=body, headers={"if-match": read.headers["etag"]})
                if answer.status_code == 200:
                    return
                assert answer.status_code == 412, answer.text

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(40)))
    assert httpx.get(api_url + path).json()["price"] == 41
