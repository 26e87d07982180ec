"""The UI's one setting: where the API is."""

import os
from urllib.parse import urlsplit

DEFAULT_API_URL = "http://127.0.0.1:8000"


class InvalidApiUrlError(Exception):
    """API_URL is not an address; `value` is what it says."""

    def __init__(self, value: str) -> None:
        super().__init__(f"API_URL={value} is not an address; write it like {DEFAULT_API_URL}")
        self.value = value


def api_url() -> str:
    """Return the API's base URL from the environment variable API_URL, without a slash at the end.

    Raises:
        InvalidApiUrlError: when it is no http or https URL with a host.
    """
    value = os.environ.get("API_URL") or DEFAULT_API_URL
    try:
        url = urlsplit(value)
        valid = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # a port that is no number
        valid = False
    if not valid:
        raise InvalidApiUrlError(value)
    return value.rstrip("/")
