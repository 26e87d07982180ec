"""`$X`, `${X:-default}` and their kin: what the strings of a compose file say once variables have values."""

import re
from collections.abc import Mapping
from typing import Any

from infra.compose.secret_rules import is_secret_name

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")


class Unresolved(str):
    """A string whose variables have no value: still the raw text, with the reason.

    It is a problem only where the string is used. The local password of a database that RDS replaces may well be
    `${POSTGRES_PASSWORD:?}`: nothing on AWS reads it.
    """

    __slots__ = ("is_secret", "reason")
    reason: str
    is_secret: bool

    def __new__(cls, text: str, reason: str, *, is_secret: bool = False) -> "Unresolved":
        """Mark `text` as having no value, because of `reason`; `is_secret`: and it must not get a default."""
        self = super().__new__(cls, text)
        self.reason, self.is_secret = reason, is_secret
        return self


class SecretWithoutValueError(ValueError):
    """A variable that is a secret by its name has no value."""


def interpolate(data: Any, variables: Mapping[str, str]) -> Any:
    """Return `data` with every string (never a key) substituted; a string that has no value becomes `Unresolved`."""
    match data:
        case dict():
            return {key: interpolate(value, variables) for key, value in data.items()}
        case list():
            return [interpolate(item, variables) for item in data]
        case str():
            return substitute_or_mark(data, variables)
        case _:
            return data


def unresolved(value: Any) -> list[str]:
    """Why parts of `value` have no value: the reasons of every `Unresolved` string in it."""
    match value:
        case Unresolved():
            return [value.reason]
        case Mapping():
            return [reason for item in value.values() for reason in unresolved(item)]
        case list():
            return [reason for item in value for reason in unresolved(item)]
        case _:
            return []


def substitute_or_mark(text: str, variables: Mapping[str, str]) -> str:
    """Like `substitute`, but return `Unresolved` instead of raising ValueError."""
    try:
        return substitute(text, variables)
    except ValueError as error:
        return Unresolved(text, str(error), is_secret=isinstance(error, SecretWithoutValueError))


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """Replace the variables in `text` by the rules of the Compose specification.

    Raises ValueError for a malformed reference, for `${X:?error}` without a value, and, unlike Compose, which puts an
    empty string there, for a variable that has neither a value nor a default: a deployment must not guess.
    """
    result = []
    while True:
        before, dollar, text = text.partition("$")
        result.append(before)
        if not dollar:
            return "".join(result)
        if text.startswith("$"):
            result.append("$")
            text = text[1:]
        elif text.startswith("{"):
            inside, text = _split_at_closing_brace(text)
            result.append(_braced(inside, variables))
        elif name := _NAME.match(text):
            result.append(_value(name.group(), variables))
            text = text[name.end() :]
        else:
            raise ValueError(f"'${text[:1]}' is not a variable; write $$ for a dollar sign")


def _braced(inside: str, variables: Mapping[str, str]) -> str:
    name = _NAME.match(inside)
    operator = _OPERATOR.match(inside, name.end()) if name else None
    if name is None or (operator is None and name.end() != len(inside)):
        raise ValueError(
            f"'${{{inside}}}' is not a variable; write ${{NAME}}, ${{NAME:-default}} or $$ for a dollar sign"
        )
    if operator is None:
        return _value(name.group(), variables)

    value, word = variables.get(name.group()), inside[operator.end() :]
    has_value = bool(value) if operator.group().startswith(":") else value is not None
    match operator.group()[-1]:
        case "-":
            return value if value is not None and has_value else substitute(word, variables)
        case "+":
            return substitute(word, variables) if has_value else ""
        case _ if value is not None and has_value:
            return value
        case _:
            message = substitute(word, variables)
            raise ValueError(
                f"variable {name.group()} must have a value"
                + (f" ({message})" if message else "")
                + f"; AWS has none: give it a default, ${{{name.group()}:-…}}"
            )


def _value(name: str, variables: Mapping[str, str]) -> str:
    if name not in variables:
        if is_secret_name(name):  # a default would be a secret in the file
            raise SecretWithoutValueError(f"variable {name} has no value on AWS, and is a secret by its name")
        raise ValueError(f"variable {name} has no value; give it a default, ${{{name}:-…}}")
    return variables[name]


def _split_at_closing_brace(text: str) -> tuple[str, str]:
    depth = 0
    for index, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            return text[1:index], text[index + 1 :]
    raise ValueError(f"'${text}' lacks its closing brace")
