"""Checks the identity provider's access tokens."""

import json
import logging
from functools import cached_property
from typing import Any
from urllib.request import urlopen

import jwt
from starlette.exceptions import HTTPException

from app.api.auth import RefusedTokenError

ALGORITHMS = ["RS256"]  # what Amazon Cognito signs with; never what the token itself says
LEEWAY_SECONDS = 30  # between two machines' clocks
KEYS_SECONDS = 3600  # how long the provider's public keys are kept; an unknown key is looked up at once
TIMEOUT_SECONDS = 5
logger = logging.getLogger("uvicorn.error")


class AccessTokens:
    """The access tokens that one identity provider gives to one application."""

    def __init__(self, issuer: str, client_id: str | None) -> None:
        self._issuer = issuer.rstrip("/")
        self._client_id = client_id

    def holder(self, token: str) -> str:
        """Return whose `token` it is.

        Raises:
            RefusedTokenError: it is not one of them, or no longer.
            HTTPException: 503, a key that is not known yet is fetched from the provider, and that does not answer.
        """
        # Cognito's access tokens name their client in client_id and have no audience.
        options: Any = {"require": ["exp", "iss", "sub", "token_use", "client_id"], "verify_aud": False}
        try:
            key = self._keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(token, key, ALGORITHMS, options, issuer=self._issuer, leeway=LEEWAY_SECONDS)
        except jwt.ExpiredSignatureError:
            raise RefusedTokenError("The token has expired: sign in again.") from None
        except (jwt.PyJWKClientConnectionError, OSError) as error:
            logger.error("the identity provider %s does not answer: %s", self._issuer, error)
            raise HTTPException(503, "The identity provider does not answer. Try again in a few seconds.") from error
        except jwt.PyJWTError as error:
            logger.info("refused a token: %s", error)
            raise RefusedTokenError("The token is not one of this deployment's.") from None
        if claims["token_use"] != "access":
            raise RefusedTokenError("This is not an access token; send the access token, not the ID token.")
        if claims["client_id"] != self._client_id:
            raise RefusedTokenError("The token was given to another application.")
        return str(claims["sub"])

    @cached_property
    def _keys(self) -> jwt.PyJWKClient:
        with urlopen(f"{self._issuer}/.well-known/openid-configuration", timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            address = json.load(answer)["jwks_uri"]
        return jwt.PyJWKClient(address, lifespan=KEYS_SECONDS, timeout=TIMEOUT_SECONDS)
