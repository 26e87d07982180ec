"""A create that is sent again with its Idempotency-Key creates nothing."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL, text

from testkit.database import API_ROLE
from testkit.server import running
from tests.api.conftest import Json, field_errors


def create(client: Any, product: Json, key: str) -> Any:
    return client.post("/products/", json=product, headers={"idempotency-key": key})


@pytest.fixture(autouse=True)
def _no_keys(client: TestClient) -> Iterator[None]:
    yield
    with client.app.state.resources.database.engine.connect() as connection:  # type: ignore[attr-defined]
        connection.execute(text("DELETE FROM idempotency_keys"))


def test_a_retry_gets_the_first_answer(client: TestClient, product: Json) -> None:
    first = create(client, product, "chave-1")
    client.put(first.headers["location"], json={"price": 1})
    # As the same product, however it is written.
    again = create(client, dict(reversed(product.items())), "chave-1")
    assert (again.status_code, again.content) == (201, first.content)
    for header in ("etag", "location", "content-type"):
        assert again.headers[header] == first.headers[header]
    assert len(client.get("/products/").json()) == 1
    assert create(client, product, "chave-2").json()["id"] != first.json()["id"]


def test_a_key_with_another_product_is_refused(client: TestClient, product: Json) -> None:
    create(client, product, "chave")
    assert list(field_errors(create(client, product | {"price": 1}, "chave"))) == ["idempotency-key"]
    assert len(client.get("/products/").json()) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256])
def test_a_key_has_to_be_visible_ascii(client: TestClient, product: Json, key: str) -> None:
    assert list(field_errors(create(client, product, key))) == ["idempotency-key"]


def test_a_refused_create_keeps_no_key(client: TestClient, product: Json) -> None:
    assert create(client, product | {"price": -1}, "chave").status_code == 422
    assert create(client, product, "chave").status_code == 201


def test_a_key_is_new_again_after_24_hours(client: TestClient, product: Json) -> None:
    for key in ("velha", "outra"):
        create(client, product, key)
    with client.app.state.resources.database.engine.connect() as connection:  # type: ignore[attr-defined]
        connection.execute(text("UPDATE idempotency_keys SET created_at = '2020-01-01 00:00:00'"))
        assert create(client, product | {"price": 1}, "velha").status_code == 201
        assert connection.scalar(text("SELECT count(*) FROM idempotency_keys")) == 1  # the other one is gone


def test_processes_share_the_keys_and_a_restart_keeps_them(
    migrated_postgres_url: URL, api_url: str, product: Json, tmp_path: Path
) -> None:
    url = migrated_postgres_url.set(username=API_ROLE).render_as_string(hide_password=False)
    command = [sys.executable, "-m", "app.api.main"]

    def send(base_url: str) -> bytes:
        with httpx.Client(base_url=base_url, timeout=30) as client:
            response = create(client, product, "chave-de-dois-processos")
            assert response.status_code == 201, response.text
            content: bytes = response.content
            return content

    with ExitStack() as stack, ThreadPoolExecutor(8) as pool:
        log = tmp_path / "api.log"
        other = stack.enter_context(running(command, "API_PORT", "/health/ready", {"DATABASE_URL": url}, log))
        answers = set(pool.map(send, [api_url, other] * 8))
    assert len(answers) == 1
    with running(command, "API_PORT", "/health/ready", {"DATABASE_URL": url}, tmp_path / "later.log") as later:
        assert send(later) in answers
        assert len(httpx.get(f"{later}/products/").json()) == 1
