"""Whether what a program wrote holds a secret: one that it was given, or anybody's token."""

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

_NAME = re.compile(r"TOKEN|SECRET|PASSWORD")
# The tests' own credentials look like what they are; of a signed token, and of a ticket, any is one too many.
_FORM = re.compile(
    r"\b(test|a|another)-(service-token|cookie-secret|client-secret|database-password)\b[\w-]*|\beyJ[\w-]{8,}\.[\w-]{8,}"
)
_SHORTEST = 8  # characters; a shorter value may be in a text by chance


def refuse_secrets(text: str, environment: Mapping[str, str], where: str) -> None:
    """Raise AssertionError when `text` holds a secret of `environment`, or something that looks like a token."""
    found = [name for name, value in _secrets(environment).items() if value in text]
    if form := _FORM.search(text):
        found.append(form[0])
    if found:
        raise AssertionError(f"{where} holds a secret: {', '.join(found)}")


def _secrets(environment: Mapping[str, str]) -> dict[str, str]:
    secrets = {name: value for name, value in environment.items() if _NAME.search(name)}
    for name, value in environment.items():
        if "://" in value and (password := urlsplit(value).password):
            secrets[name] = unquote(password)
    return {name: value for name, value in secrets.items() if len(value) >= _SHORTEST}
