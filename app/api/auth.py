"""Who may use the API: a caller with the service token (the UI), or with an access token of the identity provider.

Locally neither is set and everybody on this machine may; on AWS the stack sets both.
"""

import hmac
import logging
from typing import NamedTuple

from app.api import person
from app.api.errors import ApiError, IdentityProviderUnavailableError, NotSignedInError
from app.api.settings import Settings

# For the OpenAPI document.
SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "The service token, or an access token of the identity provider",
}
NO_TOKEN = "Sign in first: send a token in the header Authorization, as Bearer."
PROBLEMS: tuple[ApiError, ...] = (NotSignedInError(NO_TOKEN), IdentityProviderUnavailableError())
# Headers with the access token of the person for whom the service asks, and the ID token that came with it, which has
# the person's name.
ACCESS, IDENTITY = b"access-token", b"identity-token"
logger = logging.getLogger("uvicorn.error")


class Caller(NamedTuple):
    """Whose token came: what keys and imports are kept by, and what the history calls them."""

    id: str
    name: str


NOBODY_IN_PARTICULAR = Caller("", person.LOCAL)
SERVICE = Caller("service", "service")


class Authenticator:
    """Decides whether a bearer token lets its holder in."""

    def __init__(self, settings: Settings) -> None:
        token = settings.service_token
        self._service_token = token.get_secret_value().encode() if token else None
        self._access_tokens = None
        if settings.oidc_issuer:
            from app.api.access_tokens import AccessTokens  # only here: it brings the cryptography

            self._access_tokens = AccessTokens(settings.oidc_issuer, settings.oidc_client_id)
        if self._service_token is None and self._access_tokens is None:
            logger.warning("SERVICE_TOKEN and OIDC_ISSUER are not set: everybody who reaches this API may use it.")

    async def caller(
        self, authorization: bytes | None, access: bytes | None = None, identity: bytes | None = None
    ) -> Caller:
        """Return whose token the header `authorization` holds, or for whom the service asks.

        Somebody whose ID token comes along is called by the name in there. Where no access token is known, as with a
        UI that has a sign-in of its own, the service is itself.

        Raises:
            NotSignedInError: it lets nobody in.
            IdentityProviderUnavailableError: that cannot be found out.
        """
        if self._service_token is None and self._access_tokens is None:
            return NOBODY_IN_PARTICULAR
        if authorization is None or authorization[:7].lower() != b"bearer " or not authorization[7:]:
            raise NotSignedInError(NO_TOKEN)
        token = authorization[7:]
        if self._service_token and hmac.compare_digest(token, self._service_token):
            if not access or self._access_tokens is None:
                return SERVICE
            token = access
        if self._access_tokens is None:
            raise NotSignedInError("The token is not the service token.")
        subject, name = await self._access_tokens.holder(token.decode("latin-1"))
        if identity:
            name = await self._access_tokens.name(identity.decode("latin-1"), subject)
        return Caller(f"person {subject}", name)
