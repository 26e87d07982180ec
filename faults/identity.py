"""An identity provider that can be slow, broken or say rubbish; it signs access tokens as Amazon Cognito does."""

import asyncio
import contextlib
import json
import time
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "test-client"
KEY_ID = "test-key"
Mood = Literal["well", "slow", "broken", "garbage"]


class Provider:
    """Answers discovery and keys; `mood` says how."""

    def __init__(self) -> None:
        self.mood: Mood = "well"
        self.url = ""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/pool"

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    def token(self, *, key_id: str = KEY_ID, **changes: Any) -> str:
        """Return an access token of Ana's, with other claims where `changes` has them."""
        now = int(time.time())
        claims = {"iss": self.url, "sub": "ana", "iat": now, "exp": now + 3600}
        claims |= {"client_id": CLIENT_ID, "token_use": "access", **changes}
        return jwt.encode(claims, self._key, "RS256", headers={"kid": key_id})

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
            if self.mood == "slow":
                await asyncio.sleep(60)
            status, body = self._answer(path)
            head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
            await writer.drain()
        writer.close()

    def _answer(self, path: str) -> tuple[int, bytes]:
        match self.mood:
            case "broken":
                return 500, b"{}"
            case "garbage":
                return 200, b'["not", {"what": "was asked for"}]'
        if path.endswith("/openid-configuration"):
            return 200, json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}).encode()
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return 200, json.dumps({"keys": [public | {"kid": KEY_ID, "use": "sig", "alg": "RS256"}]}).encode()
