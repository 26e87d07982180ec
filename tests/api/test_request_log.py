"""The lines of the log: one for each request, found again by its id, and with nothing personal in it."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy import URL

from testkit.database import libpq
from testkit.server import running
from tests.api.conftest import connection

TOKEN = "a-service-token-of-at-least-32-characters"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api") / "api.log"


@pytest.fixture(scope="module")
def url(migrated_postgres_url: URL, log: Path) -> Iterator[str]:
    """An API that logs as on AWS."""
    environment = {"DATABASE_URL": libpq(migrated_postgres_url), "LOG_FORMAT": "json", "SERVICE_TOKEN": TOKEN}
    with running([sys.executable, "-m", "app.api.main"], "API_PORT", "/health/ready", environment, log) as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client


def records(log: Path, request_id: str) -> list[dict[str, Any]]:
    """Return what was logged for a request, once its own line is there; every line of the log is JSON."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = [json.loads(line) for line in log.read_text().rpartition("\n")[0].splitlines()]
        mine = [record for record in found if record.get("request_id") == request_id]
        if any("status" in record for record in mine):
            return mine
    raise AssertionError(f"{request_id} is not in {log.read_text()}")


def test_a_request_is_one_record(client: httpx.Client, log: Path, product: dict[str, Any]) -> None:
    made = client.post("/products/", json=product, headers={"X-Request-ID": "click-1:create"})
    assert made.headers["x-request-id"] == "click-1:create"
    [record] = records(log, "click-1:create")
    assert record["level"] == "INFO"
    assert record["service"] == "api"
    assert (record["method"], record["route"], record["status"]) == ("POST", "/products/", 201)
    assert record["caller"] == "service"
    assert record["statements"] == 1
    assert 0 < record["database_milliseconds"] <= record["milliseconds"] < 30_000
    assert record["time"].startswith("20")
    for personal in (product["name"], product["email_fornecedor"], TOKEN):
        assert personal not in log.read_text()


@pytest.mark.parametrize(("path", "route"), [("/products/1?x=y", "/products/{product_id}"), ("/nothing", None)])
def test_the_route_is_its_pattern_and_the_query_is_left_out(
    client: httpx.Client, log: Path, path: str, route: str | None
) -> None:
    answer = client.get(path)
    [record] = records(log, answer.headers["x-request-id"])
    assert record["route"] == route
    assert "x=y" not in json.dumps(record)


def test_without_an_id_it_is_the_traces_or_a_new_one(client: httpx.Client, log: Path) -> None:
    traced = client.get("/products/", headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
    assert traced.headers["x-request-id"] == TRACE
    both = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "X-Request-ID": "mine"}
    assert client.get("/products/", headers=both).headers["x-request-id"] == "mine"
    new = {client.get("/products/").headers["x-request-id"] for _ in range(3)}
    assert len(new) == 3
    assert all(len(one) == 32 for one in new)
    assert records(log, TRACE)


@pytest.mark.parametrize("sent", ["", "a b", "é", "-x", "x" * 129, '"}{"', "a\tb", "../../x"])
def test_an_id_that_is_none_is_replaced(client: httpx.Client, log: Path, sent: str) -> None:
    answer = client.get("/products/", headers=[(b"X-Request-ID", sent.encode())])
    assert answer.status_code == 200
    assert len(answer.headers["x-request-id"]) == 32
    assert records(log, answer.headers["x-request-id"])


def test_who_is_refused_has_an_id_too(url: str, log: Path) -> None:
    answer = httpx.get(f"{url}/products/")
    assert answer.status_code == 401
    [record] = records(log, answer.headers["x-request-id"])
    assert (record["status"], record["caller"], record["statements"]) == (401, None, 0)


def test_what_is_asked_every_few_seconds_has_no_line(client: httpx.Client, url: str, log: Path) -> None:
    ready = client.get("/health/ready")
    assert ready.headers["x-request-id"]
    records(log, client.get("/products/").headers["x-request-id"])
    assert "/health/" not in log.read_text()


@pytest.mark.parametrize(
    "headers", [{"X-Request-ID": "refused"}, {"X-Request-ID": "refused-in-a-thread", "Idempotency-Key": "refused"}]
)
def test_a_row_that_postgresql_refuses_is_not_in_the_log(
    client: httpx.Client, log: Path, migrated_postgres_url: URL, product: dict[str, Any], headers: dict[str, str]
) -> None:
    with connection(migrated_postgres_url) as owner:
        owner.exec_driver_sql("ALTER TABLE products ADD CONSTRAINT refused CHECK (price < 0) NOT VALID")
        try:
            answer = client.post("/products/", json=product, headers=headers)
        finally:
            owner.exec_driver_sql("ALTER TABLE products DROP CONSTRAINT refused")
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == headers["X-Request-ID"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    records(log, headers["X-Request-ID"])
    logged = log.read_text()
    assert "violates check constraint" in logged
    for personal in ("Failing row", product["name"], product["email_fornecedor"]):
        assert personal not in logged
