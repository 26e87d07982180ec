"""Who may use the API: a caller with the service token (the UI), or with an access token of the identity provider.

Locally neither is set and everybody on this machine may; on AWS the stack sets both.
"""

import hmac
import json
import logging
from functools import cached_property
from typing import Annotated, Any
from urllib.request import urlopen

import anyio.to_thread
import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from app.api.settings import Settings

ALGORITHMS = ["RS256"]  # what Amazon Cognito signs with; never what the token itself says
LEEWAY_SECONDS = 30  # between two machines' clocks
KEYS_SECONDS = 3600  # how long the provider's public keys are kept; an unknown key is looked up at once
TIMEOUT_SECONDS = 5
logger = logging.getLogger("uvicorn.error")
bearer = HTTPBearer(auto_error=False, description="The service token, or an access token of the identity provider")


class Authenticator:
    """Decides whether a bearer token lets its holder in."""

    def __init__(self, settings: Settings) -> None:
        token = settings.service_token
        self._service_token = token.get_secret_value().encode() if token else None
        self._issuer = settings.oidc_issuer.rstrip("/") if settings.oidc_issuer else None
        self._client_id = settings.oidc_client_id
        if self._service_token is None and self._issuer is None:
            logger.warning("SERVICE_TOKEN and OIDC_ISSUER are not set: everybody who reaches this API may use it.")

    async def check(self, token: str | None) -> None:
        """Return when `token` lets its holder in; else raise the HTTPException that says why it does not."""
        if self._service_token is None and self._issuer is None:
            return
        if token is None:
            raise _refusal("Sign in first: send a token in the header Authorization, as Bearer.")
        if self._service_token and hmac.compare_digest(token.encode(), self._service_token):
            return
        if self._issuer is None:
            raise _refusal("The token is not the service token.")
        # In a thread: a key that is not known yet is fetched from the provider, and that waits.
        await anyio.to_thread.run_sync(self._check_access_token, token)

    def _check_access_token(self, token: str) -> None:
        # Cognito's access tokens name their client in client_id and have no audience.
        options: Any = {"require": ["exp", "iss", "token_use", "client_id"], "verify_aud": False}
        try:
            key = self._keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(token, key, ALGORITHMS, options, issuer=self._issuer, leeway=LEEWAY_SECONDS)
        except jwt.ExpiredSignatureError:
            raise _refusal("The token has expired: sign in again.") from None
        except (jwt.PyJWKClientConnectionError, OSError) as error:
            logger.error("the identity provider %s does not answer: %s", self._issuer, error)
            raise HTTPException(503, "The identity provider does not answer. Try again in a few seconds.") from error
        except jwt.PyJWTError as error:
            logger.info("refused a token: %s", error)
            raise _refusal("The token is not one of this deployment's.") from None
        if claims["token_use"] != "access":
            raise _refusal("This is not an access token; send the access token, not the ID token.")
        if claims["client_id"] != self._client_id:
            raise _refusal("The token was given to another application.")

    @cached_property
    def _keys(self) -> jwt.PyJWKClient:
        with urlopen(f"{self._issuer}/.well-known/openid-configuration", timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            address = json.load(answer)["jwks_uri"]
        return jwt.PyJWKClient(address, lifespan=KEYS_SECONDS, timeout=TIMEOUT_SECONDS)


async def require_sign_in(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> None:
    """Let a request through that carries a valid token; answer 401 to the others."""
    authenticator: Authenticator = request.app.state.authenticator
    await authenticator.check(credentials.credentials if credentials else None)


def _refusal(reason: str) -> HTTPException:
    return HTTPException(401, reason, headers={"WWW-Authenticate": "Bearer"})
