"""What a request has to pass before the API reads it: sign-in, then the size and the time of its body, then room."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import URL

from app.api.gate import OPEN
from app.api.main import create_app
from app.api.settings import Settings
from testkit.database import libpq
from tests.api.conftest import Json, field_errors, problem

TOKEN = "test-service-token-of-at-least-32-characters"
HEADERS = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}


@pytest.fixture(scope="module")
def client(migrated_postgres_url: URL) -> Iterator[TestClient]:
    settings = Settings(database_url=libpq(migrated_postgres_url), service_token=TOKEN)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


ROUTES = [
    (method, route.path.replace("{product_id}", "1"))
    for route in create_app().routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods or ())
]


@pytest.mark.parametrize(("method", "path"), [*ROUTES, ("GET", "/nowhere"), ("POST", "/docs/x"), ("GET", "/health")])
def test_every_address_is_closed_to_strangers_unless_it_is_named_as_open(
    client: TestClient, method: str, path: str
) -> None:
    if path not in OPEN:
        assert client.request(method, path).headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" + b"{}," * 10_000, b"[" * 100_000])
@pytest.mark.parametrize(("method", "path"), [("POST", "/products/"), ("PUT", "/products/1"), ("PATCH", "/products/x")])
def test_a_strangers_body_is_not_looked_at(client: TestClient, method: str, path: str, body: bytes) -> None:
    response = client.request(method, path, content=body, headers={"content-type": "application/json"})
    assert problem(response, 401)["detail"].startswith("Sign in first")


def test_answers_say_what_browsers_may_do_with_them(client: TestClient) -> None:
    for path in ("/products/", "/nowhere", "/health/live", "/docs", "/openapi.json"):
        for headers in ({}, HEADERS):
            answer = client.get(path, headers=headers).headers
            assert answer["x-content-type-options"] == "nosniff"
            assert answer["referrer-policy"] == "no-referrer"
            assert answer["cache-control"] == "no-store"
            assert "default-src 'none'" in answer["content-security-policy"]
            assert "frame-ancestors 'none'" in answer["content-security-policy"]


def test_the_documentations_page_may_run_what_it_consists_of(client: TestClient) -> None:
    page = client.get("/docs")
    policy = page.headers["content-security-policy"]
    (inline,) = re.findall("<script>(.*?)</script>", page.text, re.DOTALL)
    assert f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'" in policy
    loaded = re.findall(r'(?:src|rel="stylesheet" href)="(.*?)"', page.text)
    assert len(loaded) == 2
    assert all(any(address.startswith(part) for part in policy.split()) for address in loaded)
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]


def chunks(body: bytes) -> Iterator[bytes]:
    yield body


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "multipart/form-data; boundary=x"])
def test_a_body_larger_than_any_product_is_refused_unread(
    client: TestClient, product: Json, *, chunked: bool, media_type: str
) -> None:
    body = json.dumps(product).encode().ljust(2**16)
    headers = HEADERS | {"content-type": media_type}
    for method, path in (("POST", "/products/"), ("GET", "/nowhere")):
        larger = body + b" "
        response = client.request(method, path, content=chunks(larger) if chunked else larger, headers=headers)
        assert "65,536 bytes" in problem(response, 413)["detail"]
        assert response.headers["connection"] == "close"
    if media_type == "application/json":
        assert client.post("/products/", content=body, headers=headers).status_code == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 30_000, 400),
        (b'{"a":' * 10_000, 400),
        (b"1" * 5000, 400),  # digits that Python's int() does not take
        (b'{"price": ' + b"9" * 5000 + b"}", 400),
        (b'{"price": 1e131072}', 422),
        (b'{"price": 1e-131072}', 422),
        (b'{"price": -1e999999999}', 422),
        (b'{"price": NaN, "name": Infinity}', 422),
        (b'{"\\ud800": "\\udfff"}', 422),
        (b'{"name": "\\ud800"}', 422),
        (b'{"' + b"x" * 60_000 + b'": 1}', 422),
        (b'{"categoria": "' + b"x" * 60_000 + b'"}', 422),
        (b'{"email_fornecedor": "' + b"x@" * 30_000 + b'"}', 422),
        (b"[" + b"{}," * 20_000 + b"{}]", 422),
        (json.dumps({f"k{n}": n for n in range(4000)}).encode(), 422),
        (json.dumps({f"k{n}": n for n in range(100)}).encode(), 422),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else None,
)
def test_a_hostile_body_is_a_short_problem(client: TestClient, body: bytes, status: int) -> None:
    for method, path in (("POST", "/products/"), ("PUT", "/products/1"), ("PATCH", "/products/1")):
        response = client.request(method, path, content=body, headers=HEADERS)
        problem(response, status)
        assert len(response.content) < 40_000
        assert len(response.json().get("errors", [])) <= 100


def test_the_mistakes_that_are_not_told_are_counted(client: TestClient) -> None:
    query = "&".join(f"k{n}=1" for n in range(400))
    assert len(field_errors(client.get(f"/products/?{query}", headers=HEADERS))) == 100
    assert client.get(f"/products/?{query}", headers=HEADERS).json()["detail"].endswith("and 300 more mistakes")


@pytest.mark.parametrize(
    "query",
    [
        "price_min=1e131072",
        "price_min=1e-131072",
        "price_max=-1e999999999",
        "price_min=NaN&price_max=sNaN",
        "price_max=Infinity",
        f"price_min={'9' * 5000}",
        f"limit={'9' * 5000}",
        "limit=1e400",
        "limit=NaN",
        "created_after=1e131072",
        "created_after=99999999-01-01T00:00:00Z",
        "created_before=0000-00-00T00:00:00Z",
        f"created_before={'9' * 5000}",
        "after=%ff%fe&before=%00",
        "q=%00",
        f"q={'a' * 5000}",
        f"email_fornecedor={'a' * 5000}@example.com",
        f"sort={'x' * 5000}",
        f"{'x' * 5000}=1",
        "&".join(f"categoria={n}" for n in range(1000)),
        "&".join("price_min=x" for _ in range(1000)),
        "%ed%a0%80=1",
        ";;;&&&===",
    ],
    ids=lambda query: query[:30],
)
def test_a_hostile_query_is_a_short_problem(client: TestClient, query: str) -> None:
    for method, path in (("GET", "/products/"), ("DELETE", "/products/"), ("GET", "/products/export")):
        response = client.request(method, f"{path}?{query}", headers=HEADERS)
        problem(response, 422)
        assert len(response.content) < 40_000


@pytest.mark.parametrize("value", ["1e131072", "1e999999999", "-1e-131072", "NaN", "Infinity", "9" * 5000, "x" * 5000])
@pytest.mark.parametrize("column", ["id", "price", "created_at", "categoria", "x" * 5000, "\0", 7, None])
def test_a_hostile_cursor_is_a_short_problem(client: TestClient, column: Any, value: str) -> None:
    cursors: list[Any] = [
        [column, value, 1],
        [column, value, 1e400],
        [column, 7, 1],
        [[[[]]]],
        [column, value, 10**400],
    ]
    for packed in cursors:
        cursor = base64.urlsafe_b64encode(json.dumps(packed).encode()).rstrip(b"=").decode()
        sort = column if isinstance(column, str) and len(column) < 20 and column != "\0" else "id"
        response = client.get("/products/", params={"sort": sort, "after": cursor}, headers=HEADERS)
        assert list(field_errors(response)) == ["after"]
        assert len(response.content) < 5_000


@pytest.mark.parametrize("name", ["authorization", "cookie", "host", "idempotency-key", "if-match", "if-none-match"])
def test_no_byte_of_a_header_is_a_500(client: TestClient, name: str) -> None:
    for byte in range(1, 256):
        headers = {**{k.encode(): v.encode() for k, v in HEADERS.items()}, name.encode(): b'"' + bytes([byte]) + b'"'}
        for method in ("GET", "PUT", "POST"):
            path = "/products/" if method == "POST" else "/products/1"
            response = client.request(method, path, content=b"{}", headers=headers)
            assert response.status_code < 500, (byte, response.text)


@pytest.mark.parametrize("name", ["Authorization", "Access-Token", "Identity-Token"])
def test_who_asks_is_said_once(client: TestClient, name: str) -> None:
    headers = [*HEADERS.items(), (name, f"Bearer {TOKEN}"), (name, "Bearer another")]
    response = client.get("/products/", headers=headers)
    assert field_errors(response) == {name.lower(): "may be given only once"}


@pytest.mark.parametrize("name", ["Content-Type", "Idempotency-Key", "If-Match"])
@pytest.mark.parametrize("other", ["same", "another"])
def test_a_header_with_one_meaning_comes_once(client: TestClient, product: Json, name: str, other: str) -> None:
    kept = {"authorization": HEADERS["authorization"]}
    value = {"Content-Type": "application/json", "Idempotency-Key": "a-key", "If-Match": '"1"'}[name]
    second = value if other == "same" else {"Content-Type": "text/csv"}.get(name, '"another"')
    for method, path in (("POST", "/products/"), ("PATCH", "/products/1"), ("POST", "/products/import")):
        twice = [*kept.items(), (name, value), (name, second)]
        response = client.request(method, path, content=json.dumps(product), headers=twice)
        assert field_errors(response) == {name.lower(): "may be given only once"}


def test_a_parameter_with_one_meaning_comes_once(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] != "query":
                    continue
                name, address = parameter["name"], re.sub(r"\{.*?\}", "1", path)
                response = client.request(
                    method, f"{address}?{name}=1&{name}=1&%{ord(name[0]):x}{name[1:]}=2", headers=HEADERS
                )
                refused = "may be given only once" in response.text
                assert refused is (parameter["schema"]["type"] != "array"), (method, path, name)


@pytest.mark.parametrize("value", ["1_0", "%2B10", "+10", "10%20", "%D9%A3", "0x1", "1e0_0", "%EF%BC%91", "--1"])
def test_a_number_in_an_address_is_written_in_digits_alone(client: TestClient, value: str) -> None:
    document = client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                if parameter["schema"].get("type") in ("integer", "number") and parameter["in"] == "query":
                    address = re.sub(r"\{.*?\}", "1", path)
                    response = client.request(method, f"{address}?{parameter['name']}={value}", headers=HEADERS)
                    assert parameter["name"] in field_errors(response), (method, path)
