"""Who may use the API: anybody locally, holders of the service token or of an access token where sign-in is set."""

import json
import threading
import time
from collections.abc import Iterator
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

SERVICE_TOKEN = "test-service-token-of-at-least-32-characters"
CLIENT_ID = "test-client"


class Issuer:
    """An OpenID provider on this machine, with the claims of Amazon Cognito's access tokens."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Answers, self))
        self.url = f"http://127.0.0.1:{self.server.server_port}/pool"

    def token(self, *, key: Any = None, algorithm: str = "RS256", **changes: Any) -> str:
        claims = {"iss": self.url, "client_id": CLIENT_ID, "token_use": "access", "sub": "ana", "exp": time.time() + 60}
        claims = {k: v for k, v in (claims | changes).items() if v is not None}
        return jwt.encode(claims, self.key if key is None else key, algorithm, headers={"kid": "test-key"})


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
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(documents[self.path]).encode())

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
        {"token_use": "id"},
        {"key": rsa.generate_private_key(public_exponent=65537, key_size=2048)},
        {"key": "a-secret-that-is-long-enough-for-hs256!!", "algorithm": "HS256"},
        {"key": "", "algorithm": "none"},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_api_does_not(client: TestClient, issuer: Issuer, changes: dict[str, Any]) -> None:
    assert status(client, issuer.token(**changes)) == 401


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


def test_without_settings_everybody_may_and_the_log_says_so(
    migrated_postgres_url: URL, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(database_url=migrated_postgres_url.render_as_string(hide_password=False))
    with TestClient(create_app(settings)) as client:
        assert status(client, None) == 200
    assert "everybody who reaches this API may use it" in caplog.text
