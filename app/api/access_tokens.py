"""Checks the identity provider's access tokens."""

import json
import logging
from functools import cached_property
from typing import Any
from urllib.request import urlopen

import jwt

from app.api.errors import IdentityProviderUnavailableError, NotSignedInError

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
            NotSignedInError: it is not one of them, or no longer.
            IdentityProviderUnavailableError: a key that is not known yet is fetched from it, and it does not answer.
        """
        # Cognito's access tokens name their client in client_id and have no audience.
        options: Any = {"require": ["exp", "iss", "sub", "token_use", "client_id"], "verify_aud": False}
        try:
            key = self._keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(token, key, ALGORITHMS, options, issuer=self._issuer, leeway=LEEWAY_SECONDS)
        except jwt.ExpiredSignatureError:
            raise NotSignedInError("The token has expired: sign in again.") from None
        except (jwt.PyJWKClientConnectionError, OSError) as error:
            logger.error("the identity provider %s does not answer: %s", self._issuer, error)
            raise IdentityProviderUnavailableError from error
        except jwt.PyJWTError as error:
            logger.info("refused a token: %s", error)
            raise NotSignedInError("The token is not one of this deployment's.") from None
        if claims["token_use"] != "access":
            raise NotSignedInError("This is not an access token; send the access token, not the ID token.")
        if claims["client_id"] != self._client_id:
            raise NotSignedInError("The token was given to another application.")
        return str(claims["sub"])

    @cached_property
    def _keys(self) -> jwt.PyJWKClient:
        with urlopen(f"{self._issuer}/.well-known/openid-configuration", timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            address = json.load(answer)["jwks_uri"]
        return jwt.PyJWKClient(address, lifespan=KEYS_SECONDS, timeout=TIMEOUT_SECONDS)
