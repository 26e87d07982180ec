"""What the tests of the API's contract share: a client of it on PostgreSQL and on SQLite."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL, Connection, create_engine, text

from app.api.main import create_app
from app.api.migrate import upgrade
from testkit.database import libpq

Json = dict[str, Any]


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('sqlite')}/catalogue.db"
    else:
        postgres: URL = request.getfixturevalue("postgres_url")
        url = libpq(postgres)  # as people write it; the API adds the driver
    return url


@pytest.fixture(scope="module")
def _client(database_url: str) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_URL", database_url)
        with TestClient(create_app(), raise_server_exceptions=False) as client:
            upgrade(client.app.state.resources.database.engine)  # type: ignore[attr-defined]
            yield client


@pytest.fixture
def client(_client: TestClient) -> TestClient:
    """A client of an API without products."""
    with _client.app.state.resources.database.engine.begin() as connection:  # type: ignore[attr-defined]
        tables = ("products", "deleted_products", "product_changes", "products_summary", "imports", "import_changes")
        for table in tables:
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names of ours
    return _client


@contextmanager
def connection(url: URL) -> Iterator[Connection]:
    """Open a connection on which every statement is a transaction of its own."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def created(client: TestClient, product: Json, **changes: Any) -> Json:
    response = client.post("/products/", json=product | changes)
    assert response.status_code == 201, response.text
    body: Json = response.json()
    return body


def problem(response: Any, status: int) -> Json:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: Json = response.json()
    assert body["status"] == status
    assert body["title"]
    return body


def field_errors(response: Any) -> dict[str, str]:
    return {error["field"]: error["message"] for error in problem(response, 422)["errors"]}
