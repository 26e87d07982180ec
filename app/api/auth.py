"""Who may use the API: a caller with the service token (the UI), or with an access token of the identity provider.

Locally neither is set and everybody on this machine may; on AWS the stack sets both.
"""

import hmac
import logging

import anyio.to_thread
from fastapi import Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from fastapi.security.utils import get_authorization_scheme_param

from app.api.errors import ApiError, IdentityProviderUnavailableError, NotSignedInError
from app.api.settings import Settings

NO_TOKEN = "Sign in first: send a token in the header Authorization, as Bearer."
PROBLEMS: tuple[ApiError, ...] = (NotSignedInError(NO_TOKEN), IdentityProviderUnavailableError())
logger = logging.getLogger("uvicorn.error")


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

    async def caller(self, token: str | None) -> str:
        """Return whose `token` it is, or "" where nobody has to sign in.

        Raises:
            NotSignedInError: it lets nobody in.
            IdentityProviderUnavailableError: that cannot be found out.
        """
        if self._service_token is None and self._access_tokens is None:
            return ""
        if token is None:
            raise NotSignedInError(NO_TOKEN)
        if self._service_token and hmac.compare_digest(token.encode(), self._service_token):
            return "service"
        if self._access_tokens is None:
            raise NotSignedInError("The token is not the service token.")
        # In a thread: a key that is not known yet is fetched from the provider, and that waits.
        return f"person {await anyio.to_thread.run_sync(self._access_tokens.holder, token)}"


class _RequireSignIn(SecurityBase):
    """Lets a request through that carries a valid token, and leaves the caller in `request.state.caller`.

    FastAPI's own HTTPBearer and a function that depends on it would do the same: two dependencies, at a tenth of the
    time that a request takes.
    """

    def __init__(self) -> None:
        description = "The service token, or an access token of the identity provider"
        self.model = HTTPBearer(description=description)
        self.scheme_name = "bearer"

    async def __call__(self, request: Request) -> None:
        scheme, token = get_authorization_scheme_param(request.headers.get("authorization"))
        authenticator: Authenticator = request.app.state.resources.authenticator
        request.state.caller = await authenticator.caller((token or None) if scheme.lower() == "bearer" else None)


require_sign_in = _RequireSignIn()
