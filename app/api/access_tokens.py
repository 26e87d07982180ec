"""Checks the identity provider's access tokens."""

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import jwt

from app.api.errors import IdentityProviderUnavailableError, NotSignedInError

ALGORITHMS = ["RS256"]  # what Amazon Cognito signs with; never what the token itself says
LEEWAY_SECONDS = 30  # between two machines' clocks
KEYS_SECONDS = 3600  # keys older than this are fetched again, and used until they have come
COOL_DOWN_SECONDS = 10  # between two fetches, however the first one ended and whoever asks
TIMEOUT_SECONDS = 5  # for the provider to answer
WAITING_MAX = 8  # requests that wait for keys at a time
ANSWER_BYTES = 2**20
SUBJECT_CHARACTERS = 200  # OpenID Connect allows 255; those of providers are far shorter
REQUIRED = ("exp", "iss", "sub", "token_use")
NOT_OURS = "The token is not one of this deployment's."
logger = logging.getLogger("uvicorn.error")


class AccessTokens:
    """The access tokens that one identity provider gives to one application."""

    def __init__(self, issuer: str, client_id: str | None) -> None:
        self._issuer = issuer.rstrip("/")
        self._client_id = client_id
        self._keys = _SigningKeys(self._issuer)

    async def holder(self, token: str) -> tuple[str, str]:
        """Return whose `token` it is: their subject, and the user name by which the provider knows them.

        Raises:
            NotSignedInError: it is not one of them, or no longer.
            IdentityProviderUnavailableError: its key is not known, and the provider did not answer when asked.
        """
        # Cognito's access tokens name their client in client_id and have no audience.
        claims = await self._claims(token, {"require": [*REQUIRED, "client_id"], "verify_aud": False})
        if claims["token_use"] != "access":
            raise NotSignedInError("This is not an access token; send the access token, not the ID token.")
        if claims["client_id"] != self._client_id:
            raise NotSignedInError("The token was given to another application.")
        subject = claims["sub"]
        if not isinstance(subject, str) or not subject.strip() or not subject.isprintable():
            raise NotSignedInError("The token does not say whose it is.")
        if len(subject) > SUBJECT_CHARACTERS:
            raise NotSignedInError(f"The token's subject has more than {SUBJECT_CHARACTERS} characters.")
        return subject, _words(claims, "username", "sub")

    async def name(self, id_token: str, subject: str) -> str:
        """Return the name, or else the e-mail address, of the person to whom both tokens were given.

        Raises:
            NotSignedInError: it is not the ID token that came with this person's access token.
            IdentityProviderUnavailableError: as above.
        """
        claims = await self._claims(id_token, {"require": [*REQUIRED, "aud"]}, audience=self._client_id)
        if claims["token_use"] != "id" or claims["sub"] != subject:
            raise NotSignedInError("Identity-Token is not the ID token that came with the access token.")
        return _words(claims, "name", "email", "sub")

    async def _claims(self, token: str, options: Any, audience: str | None = None) -> dict[str, Any]:
        try:
            key = await self._keys.key(jwt.get_unverified_header(token).get("kid"))
            return jwt.decode(
                token, key, ALGORITHMS, options, audience=audience, issuer=self._issuer, leeway=LEEWAY_SECONDS
            )
        except jwt.ExpiredSignatureError:
            raise NotSignedInError("The token has expired: sign in again.") from None
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            logger.info("refused a token: %s", type(error).__name__)
            raise NotSignedInError(NOT_OURS) from None


def _words(claims: Mapping[str, Any], *names: str) -> str:
    """Return the first of these claims that is text which can be shown."""
    texts = (claims.get(name) for name in names)
    return next(text for text in texts if isinstance(text, str) and text.strip() and text.isprintable())


class _SigningKeys:
    """The provider's public keys. Who has a token with a known one never waits for the provider."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._keys: dict[str, jwt.PyJWK] = {}
        self._has_answered = False  # ... the last time that it was asked
        self._asked_at = self._fetched_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._waiting = 0
        self._thread: ThreadPoolExecutor | None = None

    async def key(self, key_id: object) -> jwt.PyJWK:
        """Return the key of this id.

        Raises:
            NotSignedInError: there is none.
            IdentityProviderUnavailableError: that cannot be found out now.
        """
        known = self._keys.get(key_id) if isinstance(key_id, str) else None
        now = time.monotonic()
        is_due = known is None or now - self._fetched_at > KEYS_SECONDS
        if is_due and self._fetching is None and now - self._asked_at > COOL_DOWN_SECONDS:
            self._asked_at = now
            self._fetching = asyncio.ensure_future(self._fetch())
        if known is not None:
            return known
        if self._fetching is not None:
            await self._wait()
        if isinstance(key_id, str) and key_id in self._keys:
            return self._keys[key_id]
        if not self._has_answered:
            raise IdentityProviderUnavailableError
        raise NotSignedInError(NOT_OURS)

    async def _wait(self) -> None:
        if self._waiting >= WAITING_MAX or self._fetching is None:
            raise IdentityProviderUnavailableError
        self._waiting += 1
        try:
            await asyncio.wait([self._fetching], timeout=TIMEOUT_SECONDS)
        finally:
            self._waiting -= 1

    async def _fetch(self) -> None:
        # A thread of its own, which a silent provider keeps from nobody else.
        self._thread = self._thread or ThreadPoolExecutor(1, "identity-provider")
        try:
            async with asyncio.timeout(3 * TIMEOUT_SECONDS):
                self._keys = await asyncio.get_running_loop().run_in_executor(self._thread, _read_keys, self._issuer)
            self._has_answered, self._fetched_at = True, time.monotonic()
        except Exception as error:  # whatever it answers with
            self._has_answered = False
            logger.error("the identity provider %s gives no keys: %s: %s", self._issuer, type(error).__name__, error)
        finally:
            self._fetching = None


def _read_keys(issuer: str) -> dict[str, jwt.PyJWK]:
    """Return the provider's keys by their ids; whatever is wrong with its answers is an exception."""
    address = _read_json(f"{issuer}/.well-known/openid-configuration")["jwks_uri"]
    if urlsplit(address).scheme not in {"https", urlsplit(issuer).scheme}:
        raise ValueError("jwks_uri is no https address")
    keys = jwt.PyJWKSet.from_dict(_read_json(address)).keys
    found = {key.key_id: key for key in keys if key.key_id and key.public_key_use in ("sig", None)}
    if not found:
        raise ValueError("no key has an id")
    return found


def _read_json(address: str) -> Any:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    parts, size = [], 0
    with urlopen(address, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - the settings', or checked to be https
        while part := answer.read1(2**16):
            parts.append(part)
            size += len(part)
            if size > ANSWER_BYTES or time.monotonic() > deadline:
                raise ValueError("its answer is too long, or takes too long")
    return json.loads(b"".join(parts))
