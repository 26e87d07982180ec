"""Who may use the API: anybody locally, holders of the service token or of an access token where sign-in is set."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi.testclient import TestClient
from sqlalchemy import URL

from app.api.main import create_app
from app.api.settings import Settings
from testkit.database import libpq

SERVICE_TOKEN = "test-service-token-of-at-least-32-characters"
CLIENT_ID = "test-client"


class Issuer:
    """An OpenID provider on this machine, with the claims of Amazon Cognito's access tokens."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.asked, self.seconds, self.garbage = 0, 0.0, b""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Answers, self))
        self.url = f"http://127.0.0.1:{self.server.server_port}/pool"

    def token(self, *, key: Any = None, algorithm: str = "RS256", kid: str = "test-key", **changes: Any) -> str:
        claims = {"iss": self.url, "client_id": CLIENT_ID, "token_use": "access", "sub": "ana", "exp": time.time() + 60}
        claims = {k: v for k, v in (claims | changes).items() if v is not None}
        return jwt.encode(claims, self.key if key is None else key, algorithm, headers={"kid": kid})

    def id_token(self, **changes: Any) -> str:
        claims = {"aud": CLIENT_ID, "client_id": None, "token_use": "id", "name": "Ana Souza"}
        return self.token(**claims | changes)


class _Answers(BaseHTTPRequestHandler):
    def __init__(self, issuer: Issuer, *arguments: Any) -> None:
        self.issuer = issuer
        super().__init__(*arguments)

    def do_GET(self) -> None:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.issuer.key.public_key(), as_dict=True)
        documents = {
            "/pool/.well-known/openid-configuration": {"jwks_uri": f"{self.issuer.url}/keys"},
            "/pool/keys": {"keys": [public | {"kid": "test-key", "use": "sig", "alg": "RS256"}]},
        }
        self.issuer.asked += 1
        time.sleep(self.issuer.seconds)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.issuer.garbage or json.dumps(documents[self.path]).encode())

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    threading.Thread(target=issuer.server.serve_forever, daemon=True).start()
    yield issuer
    issuer.server.shutdown()


@pytest.fixture(scope="module")
def client(issuer: Issuer, migrated_postgres_url: URL) -> Iterator[TestClient]:
    url = migrated_postgres_url.render_as_string(hide_password=False)
    settings = Settings(database_url=url, service_token=SERVICE_TOKEN, oidc_issuer=issuer.url, oidc_client_id=CLIENT_ID)
    with TestClient(create_app(settings)) as client:
        yield client


def status(client: TestClient, token: str | None) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    response = client.get("/products/", headers=headers)
    if response.status_code != 200:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["detail"]
    if response.status_code == 401:
        assert response.headers["www-authenticate"] == "Bearer"
    return response.status_code


def test_the_service_token_lets_in(client: TestClient) -> None:
    assert status(client, SERVICE_TOKEN) == 200


def test_an_access_token_lets_in(client: TestClient, issuer: Issuer) -> None:
    assert status(client, issuer.token()) == 200


@pytest.mark.parametrize("token", [None, "", "x", SERVICE_TOKEN[:-1], SERVICE_TOKEN + "x", "ação", "a.b.c"])
def test_no_token_or_a_wrong_one_does_not(client: TestClient, token: str | None) -> None:
    headers: list[tuple[bytes, bytes]] = [] if token is None else [(b"Authorization", f"Bearer {token}".encode())]
    assert client.get("/products/", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": None},
        {"iss": "https://elsewhere.example.com/pool"},
        {"client_id": "another"},
        {"client_id": None},
        {"sub": ""},
        {"sub": " "},
        {"sub": "a\0b"},
        {"sub": "x" * 250},
        {"sub": 7},
        {"token_use": "id"},
        pytest.param({"key": rsa.generate_private_key(public_exponent=65537, key_size=2048)}, id="another's key"),
        {"key": "a-secret-that-is-long-enough-for-hs256!!", "algorithm": "HS256"},
        {"key": "", "algorithm": "none"},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_api_does_not(client: TestClient, issuer: Issuer, changes: dict[str, Any]) -> None:
    assert status(client, issuer.token(**changes)) == 401


def by(client: TestClient, product: dict[str, Any], **headers: str) -> str | None:
    """Create a product, and return who the history says it was."""
    made = client.post("/products/", json=product, headers=headers)
    assert made.status_code == 201, made.text
    entry: dict[str, Any] = client.get(f"{made.headers['location']}/history", headers=headers).json()[0]
    assert client.delete(made.headers["location"], headers=headers).status_code == 200
    return None if entry["by"] is None else str(entry["by"])


def test_the_history_has_the_name_of_who_sent_the_token(
    client: TestClient, issuer: Issuer, product: dict[str, Any]
) -> None:
    bearer = f"Bearer {issuer.token(username='ana.souza')}"
    assert by(client, product, Authorization=f"Bearer {SERVICE_TOKEN}") == "service"
    assert by(client, product, Authorization=bearer) == "ana.souza"
    assert by(client, product, Authorization=f"Bearer {issuer.token()}") == "ana"
    for claims, name in (
        ({}, "Ana Souza"),
        ({"name": None, "email": "ana@example.com"}, "ana@example.com"),
        ({"name": " ", "email": 7}, "ana"),
        ({"name": "x" * 300}, "x" * 255),
    ):
        assert by(client, product, Authorization=bearer, **{"Identity-Token": issuer.id_token(**claims)}) == name


def test_a_service_asks_for_somebody_whose_tokens_it_has(
    client: TestClient, issuer: Issuer, migrated_postgres_url: URL, product: dict[str, Any]
) -> None:
    service = {"Authorization": f"Bearer {SERVICE_TOKEN}"}
    tokens = {"Access-Token": issuer.token(), "Identity-Token": issuer.id_token()}
    assert by(client, product, **service, **tokens) == "Ana Souza"
    assert by(client, product, **service, **{"Access-Token": issuer.token()}) == "ana"
    for wrong in (issuer.token(exp=1), issuer.id_token(), "x"):
        assert client.get("/products/", headers=service | {"Access-Token": wrong}).status_code == 401
    assert client.get("/products/", headers={"Access-Token": issuer.token()}).status_code == 401
    settings = Settings(database_url=libpq(migrated_postgres_url), service_token=SERVICE_TOKEN)
    with TestClient(create_app(settings)) as knows_no_issuer:
        assert by(knows_no_issuer, product, **service, **tokens) == "service"


@pytest.mark.parametrize(
    "changes",
    [{"sub": "eva"}, {"aud": "another"}, {"aud": None}, {"token_use": "access"}, {"exp": 1}, {"key": "x" * 40}],
    ids=str,
)
def test_nobody_is_called_by_another_ones_name(client: TestClient, issuer: Issuer, changes: dict[str, Any]) -> None:
    algorithm = {"algorithm": "HS256"} if "key" in changes else {}
    headers = {"Authorization": f"Bearer {issuer.token()}", "Identity-Token": issuer.id_token(**changes, **algorithm)}
    assert client.get("/products/", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/products/"), ("PUT", "/products/1"), ("DELETE", "/products/1")]
)
def test_every_route_of_products_needs_one(client: TestClient, method: str, path: str) -> None:
    assert client.request(method, path, json={}).status_code == 401


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/docs", "/openapi.json"])
def test_health_and_documentation_need_none(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_a_provider_that_does_not_answer_is_a_503(migrated_postgres_url: URL, issuer: Issuer) -> None:
    url = migrated_postgres_url.render_as_string(hide_password=False)
    settings = Settings(database_url=url, oidc_issuer="http://127.0.0.1:1/pool", oidc_client_id=CLIENT_ID)
    with TestClient(create_app(settings)) as client:
        assert status(client, issuer.token()) == 503


@contextmanager
def an_api(url: URL, issuer: Issuer) -> Iterator[TestClient]:
    settings = Settings(database_url=libpq(url), oidc_issuer=issuer.url, oidc_client_id=CLIENT_ID)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def own_issuer() -> Iterator[Issuer]:
    own = Issuer()
    threading.Thread(target=own.server.serve_forever, daemon=True).start()
    yield own
    own.server.shutdown()


def test_unknown_keys_do_not_make_the_provider_be_asked_each_time(
    migrated_postgres_url: URL, own_issuer: Issuer
) -> None:
    with an_api(migrated_postgres_url, own_issuer) as client:
        assert status(client, own_issuer.token()) == 200
        for n in range(50):
            assert status(client, own_issuer.token(kid=f"unknown-{n}")) == 401
        assert own_issuer.asked == 2  # the document and the keys, once


def test_a_slow_provider_does_not_hold_up_who_has_a_known_key(
    migrated_postgres_url: URL, own_issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.access_tokens.COOL_DOWN_SECONDS", 0)
    with an_api(migrated_postgres_url, own_issuer) as client, ThreadPoolExecutor(12) as pool:
        assert status(client, own_issuer.token()) == 200
        own_issuer.seconds = 4
        strangers = [pool.submit(status, client, own_issuer.token(kid=f"unknown-{n}")) for n in range(12)]
        assert [status(client, own_issuer.token()) for _ in range(10)] == [200] * 10
        assert not all(stranger.done() for stranger in strangers)
        assert {stranger.result() for stranger in strangers} <= {401, 503}


@pytest.mark.parametrize("garbage", [b"", b"<html>", b"[]", b"{}", b'{"jwks_uri": "file:///etc/passwd"}', b"\xff" * 99])
def test_a_provider_that_answers_nonsense_is_a_503_and_known_keys_stay(
    migrated_postgres_url: URL, own_issuer: Issuer, monkeypatch: pytest.MonkeyPatch, garbage: bytes
) -> None:
    own_issuer.garbage = garbage or b" "
    with an_api(migrated_postgres_url, own_issuer) as client:
        assert status(client, own_issuer.token()) == 503
        asked = own_issuer.asked
        assert status(client, own_issuer.token()) == 503
        assert own_issuer.asked == asked  # it cools down after a failure too
        own_issuer.garbage = b""
        monkeypatch.setattr("app.api.access_tokens.COOL_DOWN_SECONDS", 0)
        assert status(client, own_issuer.token()) == 200
        own_issuer.garbage = b"<html>"
        monkeypatch.setattr("app.api.access_tokens.KEYS_SECONDS", 0)
        assert [status(client, own_issuer.token()) for _ in range(3)] == [200] * 3


def test_without_settings_everybody_may_and_the_log_says_so(
    migrated_postgres_url: URL, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(database_url=migrated_postgres_url.render_as_string(hide_password=False))
    with TestClient(create_app(settings)) as client:
        assert status(client, None) == 200
    assert "everybody who reaches this API may use it" in caplog.text
