"""An OpenID provider on this machine that lets everybody in as Ana, and is as particular as Amazon Cognito."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "test-client"
CLIENT_SECRET = "test-client-secret"
KEY_ID = "test-key"


class Issuer:
    """What it is asked, and what the next ID token is to be like; `public_url` is the application's."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/pool"
        self.public_url = ""
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.is_down = False
        self.changes: dict[str, Any] = {}  # claims of the next ID token; None leaves one out
        self.signature: tuple[Any, str] = (self.key, "RS256")
        self.asked: list[tuple[str, dict[str, str]]] = []  # paths and parameters, in order
        self._codes: dict[str, dict[str, str]] = {}

    def discovery(self) -> dict[str, Any]:
        """Return what the provider says of itself; like Cognito it does not mention PKCE."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "end_session_endpoint": f"{self.url}/logout",
            "jwks_uri": f"{self.url}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    def keys(self) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [public | {"kid": KEY_ID, "use": "sig", "alg": "RS256"}]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Return where to send the browser: back, with a code."""
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["redirect_uri"] == f"{self.public_url}/oauth2callback"
        assert asked["code_challenge_method"] == "S256"
        assert {"openid", "email"} <= set(asked["scope"].split())
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, asked: dict[str, str], authorization: str) -> dict[str, str]:
        """Trade a code for tokens."""
        assert base64.b64decode(authorization.removeprefix("Basic ")).decode() == f"{CLIENT_ID}:{CLIENT_SECRET}"
        started = self._codes.pop(asked["code"])
        assert asked["redirect_uri"] == started["redirect_uri"]
        assert _half_hash(asked["code_verifier"], 32) == started["code_challenge"]
        now = int(time.time())
        both = {"iss": self.url, "sub": "ana", "iat": now, "exp": now + 3600}
        access = self._signed(both | {"client_id": CLIENT_ID, "token_use": "access"}, self.key, "RS256")
        identity = both | {"aud": CLIENT_ID, "token_use": "id", "email": "ana@example.com", "nonce": started["nonce"]}
        identity |= {"at_hash": _half_hash(access, 16)} | self.changes
        return {
            "token_type": "Bearer",
            "access_token": access,
            "id_token": self._signed(identity, *self.signature),
        }

    def logout(self, asked: dict[str, str]) -> str:
        """Return where to send the browser once it is signed out."""
        assert asked["client_id"] == CLIENT_ID
        assert asked["logout_uri"] == self.public_url
        return asked["logout_uri"]

    def _signed(self, claims: dict[str, Any], key: Any, algorithm: str) -> str:
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key, algorithm, headers={"kid": KEY_ID})


@contextmanager
def issuer() -> Iterator[Issuer]:
    """Run a provider."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Answers))
    server.issuer = Issuer(server.server_port)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.issuer  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(urlsplit(self.path).query)

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _answer(self, query: str) -> None:
        issuer: Issuer = self.server.issuer  # type: ignore[attr-defined]
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        path = urlsplit(self.path).path.removeprefix("/pool")
        issuer.asked.append((path, asked))
        try:
            assert not issuer.is_down
            match path:
                case "/.well-known/openid-configuration":
                    self._send(issuer.discovery())
                case "/keys":
                    self._send(issuer.keys())
                case "/authorize":
                    self._redirect(issuer.authorize(asked))
                case "/token":
                    self._send(issuer.token(asked, self.headers["Authorization"]))
                case "/logout":
                    self._redirect(issuer.logout(asked))
        except (AssertionError, KeyError) as error:
            self.send_error(400, f"{path} was not asked as Cognito wants it: {error!r}".replace("\n", " "))

    def _send(self, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _redirect(self, url: str) -> None:
        self.send_response(302)
        self.send_header("Location", url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Keep the test's output quiet."""


def _half_hash(text: str, length: int) -> str:
    """The first bytes of a text's SHA-256, as OpenID Connect and PKCE write them."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:length]).decode().rstrip("=")
