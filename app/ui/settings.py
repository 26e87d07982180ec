"""The UI's settings, read from environment variables; docs/configuration.md has the table of them."""

import os
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

DEFAULT_API_URL = "http://127.0.0.1:8000"
SIGN_IN_VARIABLES = ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "PUBLIC_URL", "COOKIE_SECRET")
COOKIE_SECRET_LENGTH = 32  # characters at least; it signs who somebody is
THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


class InvalidApiUrlError(Exception):
    """API_URL is not an address; `value` is what it says."""

    def __init__(self, value: str) -> None:
        super().__init__(f"API_URL={value} is not an address; write it like {DEFAULT_API_URL}")
        self.value = value


class InvalidPortError(Exception):
    """UI_PORT is no port; the message says so."""


class InvalidLimitError(Exception):
    """A limit is no number that can work; the message names its variable."""


class InvalidLogFormatError(Exception):
    """LOG_FORMAT is none that there is; the message says so."""


class InvalidSignInError(Exception):
    """The variables of the sign-in do not fit together; the message names each wrong one, and no secret."""


@dataclass(frozen=True)
class SignInSettings:
    """The identity provider (OpenID Connect), the application it knows this UI as, and where this UI is."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    public_url: str  # where people reach the UI, without a slash at the end
    cookie_secret: str = field(repr=False)  # the same for every process that serves the same public URL


def api_url() -> str:
    """Return the API's base URL from the environment variable API_URL, without a slash at the end.

    Raises:
        InvalidApiUrlError: when it is no http or https URL with a host.
    """
    value = os.environ.get("API_URL") or DEFAULT_API_URL
    if _address(value) is None:
        raise InvalidApiUrlError(value)
    return value.rstrip("/")


def logs_json() -> bool:
    """Say whether the log is to be JSON records: LOG_FORMAT is json, not line.

    Raises:
        InvalidLogFormatError: it is neither.
    """
    value = os.environ.get("LOG_FORMAT") or "line"
    if value not in ("line", "json"):
        raise InvalidLogFormatError(f"LOG_FORMAT={value} is neither line nor json")
    return value == "json"


def public_api_url() -> str:
    """Return where programs outside reach the API, as far as this UI knows: `api_url` may be a neighbour's name."""
    neighbour = urlsplit(api_url()).hostname not in THIS_MACHINE
    return os.environ.get("PUBLIC_URL", "").rstrip("/") or (DEFAULT_API_URL if neighbour else api_url())


def ui_port() -> int:
    """Return the port the UI listens on, from UI_PORT.

    Raises:
        InvalidPortError: when it is no number from 1 to 65535.
    """
    value = os.environ.get("UI_PORT") or "8501"
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise InvalidPortError(f"UI_PORT={value} is not a port; use a number from 1 to 65535.")
    return int(value)


def max_sessions() -> int:
    """Return how many sessions this process takes at once, from MAX_SESSIONS.

    The default is twice what half a processor serves without anybody waiting for a second, as `make bench` measures it.

    Raises:
        InvalidLimitError: when it is no number from 1 on.
    """
    return _limit("MAX_SESSIONS", default=100, least=1)


def max_upload_bytes() -> int:
    """Return how many bytes of uploaded files this process holds at once, from UPLOADS_MAX_BYTES.

    With the default, the largest files of all sessions and the copies that reading them takes fit into 768 MiB.

    Raises:
        InvalidLimitError: when it is no number, or less than one file may have.
    """
    return _limit("UPLOADS_MAX_BYTES", default=128 * 2**20, least=2**20)


def service_token() -> str | None:
    """Return the token that lets this UI use the API, from SERVICE_TOKEN; None when the API wants none."""
    return os.environ.get("SERVICE_TOKEN", "").strip() or None


def sign_in_required() -> bool:
    """Say whether people have to sign in: as soon as any of the variables is set, so that a mistake opens nothing."""
    return any(os.environ.get(name) for name in SIGN_IN_VARIABLES)


def sign_in() -> SignInSettings | None:
    """Return how people sign in, from SIGN_IN_VARIABLES; None when none of them is set.

    Raises:
        InvalidSignInError: when only some are set, or a value cannot work.
    """
    if not sign_in_required():
        return None
    values = {name: os.environ.get(name, "") for name in SIGN_IN_VARIABLES}
    if missing := [name for name, value in values.items() if not value]:
        raise InvalidSignInError(
            f"sign-in needs {', '.join(SIGN_IN_VARIABLES)}: set {', '.join(missing)} too, or none of them."
        )
    problems = [
        f"{name}={values[name]} is not an https address (http is for localhost only)"
        for name in ("OIDC_ISSUER", "PUBLIC_URL")
        if not _is_private(_address(values[name]))
    ]
    public = _address(values["PUBLIC_URL"])
    if public and (public.path.rstrip("/") or public.query or public.fragment):
        problems.append(f"PUBLIC_URL={values['PUBLIC_URL']} has more than a host: write it like https://example.com")
    if len(values["COOKIE_SECRET"]) < COOKIE_SECRET_LENGTH:
        problems.append(f"COOKIE_SECRET is shorter than {COOKIE_SECRET_LENGTH} characters")
    if problems:
        raise InvalidSignInError(f"{'; '.join(problems)}.")
    return SignInSettings(
        issuer=values["OIDC_ISSUER"].rstrip("/"),
        client_id=values["OIDC_CLIENT_ID"],
        client_secret=values["OIDC_CLIENT_SECRET"],
        public_url=values["PUBLIC_URL"].rstrip("/"),
        cookie_secret=values["COOKIE_SECRET"],
    )


def _limit(name: str, *, default: int, least: int) -> int:
    value = os.environ.get(name) or str(default)
    if not (value.isascii() and value.isdecimal() and len(value) < 16 and int(value) >= least):
        raise InvalidLimitError(f"{name}={value} is not a limit; use a number from {least} on.")
    return int(value)


def _address(value: str) -> SplitResult | None:
    try:
        url = urlsplit(value)
        valid = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # a port that is no number
        return None
    return url if valid else None


def _is_private(url: SplitResult | None) -> bool:
    """Say whether nobody on the way can read along: Amazon Cognito refuses to send people anywhere else."""
    return url is not None and (url.scheme == "https" or url.hostname in THIS_MACHINE)
