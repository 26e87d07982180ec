"""Compose's ways to write one value: each function returns what it means or raises ValueError with what is accepted."""

import re
import shlex
from collections.abc import Callable
from typing import Any

from infra.compose.interpolation import Unresolved

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = re.compile(r"(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?", re.IGNORECASE)
_MIB = 2**20
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_SHELL_SYNTAX = re.compile(r"[;|&<>()`]")
_PORT = re.compile(
    r"(?:(?:(?P<address>\[[^\]]*\]|[^:\[\]]*):)?(?P<published>\d*(?:-\d+)?):)?"
    r"(?P<first>\d+)(?:-(?P<last>\d+))?(?:/(?P<protocol>\w+))?"
)


def string(value: Any) -> str:
    """A non-empty string; a number must be quoted, as Compose wants it."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"must be a string, not {_shown(value)}")
    return value


def boolean(value: Any) -> bool:
    """True or false, also as the word that interpolation leaves."""
    words = {"true": True, "yes": True, "y": True, "on": True, "false": False, "no": False, "n": False, "off": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise ValueError(f"must be true or false, not {_shown(value)}")


def integer(minimum: int, maximum: int) -> Callable[[Any], int]:
    """Return a parser of whole numbers from `minimum` to `maximum`."""

    def parse(value: Any) -> int:
        text = str(value)
        if isinstance(value, bool) or not re.fullmatch(r"-?\d+", text) or not minimum <= int(text) <= maximum:
            raise ValueError(f"must be a whole number from {minimum} to {maximum}, not {_shown(value)}")
        return int(text)

    return parse


def cpus(value: Any) -> float:
    """A number of CPUs, more than 0."""
    if isinstance(value, bool) or not re.fullmatch(r"\d*\.?\d+", str(value)) or float(value) <= 0:
        raise ValueError(f'must be a number of CPUs such as "0.5", not {_shown(value)}')
    return float(value)


def memory_mib(value: Any) -> int:
    """A size such as 512M or 1.5gb, in MiB; units are binary whatever their spelling, as in Docker."""
    match = _BYTES.fullmatch(str(value))
    if match is None or isinstance(value, bool):
        raise ValueError(f"must be a size such as 512M or 2G, not {_shown(value)}")
    size = float(match[1]) * 1024 ** " kmgtp".index(match[2].lower() or " ")
    if size < _MIB or size % _MIB:
        raise ValueError(f"must be a whole number of MiB such as 512M, not {_shown(value)}")
    return int(size / _MIB)


def seconds(minimum: int, maximum: int) -> Callable[[Any], int]:
    """Return a parser of durations such as 1m30s that are whole seconds from `minimum` to `maximum`."""

    def parse(value: Any) -> int:
        text = str(value)
        parts = _DURATION.findall(text)
        if "".join(number + unit for number, unit in parts) != text or not parts:
            raise ValueError(f"must be a duration such as 30s or 1m30s, not {_shown(value)}")
        total = round(sum(float(number) * _SECONDS[unit] for number, unit in parts), 9)
        if total % 1 or not minimum <= total <= maximum:
            raise ValueError(f"must be whole seconds, from {minimum}s to {maximum}s on ECS, not {_shown(value)}")
        return int(total)

    return parse


def words(value: Any) -> tuple[str, ...]:
    """A command: a list of strings, or one string split as a shell splits words.

    Compose cuts a string off at an unquoted operator such as && and has its own way with backslashes: both are refused.
    """
    if isinstance(value, str) and (_SHELL_SYNTAX.search(_QUOTED.sub("", value)) or "\\" in value):
        raise ValueError(f"no shell reads {_shown(value)}; write a list of words, such as [sh, -c, line] for a shell")
    if isinstance(value, str) and re.search("[\"']", _QUOTED.sub("", value)):
        raise ValueError(f"lacks a closing quotation mark: {value}")
    parts = shlex.split(value) if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ValueError(f"must be a string or a list of strings, not {_shown(value)}")
    if not parts:
        raise ValueError("is empty, and ECS cannot clear what the image says; write the words, or drop the key")
    return tuple(parts)


def strings(value: Any) -> tuple[str, ...]:
    """A string, or a list of strings."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError(f"must be a list of strings, not {_shown(value)}")
    return tuple(items)


def pairs(value: Any) -> dict[str, str | None]:
    """NAME: value or a list of NAME=value, sorted by name; a name without a value has None."""
    if isinstance(value, dict):
        result = {name: _text(item) for name, item in value.items()}
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        result = dict(_pair(item) for item in value)
    else:
        raise ValueError(f"must be a mapping of names to values or a list of NAME=value, not {_shown(value)}")
    return dict(sorted(result.items()))


def health_command(value: Any) -> tuple[str, ...] | None:
    """A health check's test, as a list that starts with CMD or CMD-SHELL; None for NONE."""
    parts = ("CMD-SHELL", value) if isinstance(value, str) else strings(value)
    match parts:
        case ("NONE",):
            return None
        case ("CMD", _, *_) | ("CMD-SHELL", _):
            return parts
    raise ValueError(f"must be a string, [NONE], [CMD, word, …] or [CMD-SHELL, line], not {_shown(value)}")


def port_range(value: Any) -> range:
    """The container ports of one entry of `ports` or `expose`, in any of Compose's forms; TCP only."""
    if isinstance(value, dict):
        if "target" not in value:
            raise ValueError("has no target, the port of the container")
        value = f"{value['target']}/{value.get('protocol') or 'tcp'}"
    match = _PORT.fullmatch(str(value))
    if match is None or isinstance(value, bool):
        raise ValueError(f'must be a port such as "8000", "8080:80" or "127.0.0.1:8080:80", not {_shown(value)}')
    first, last = int(match["first"]), int(match["last"] or match["first"])
    if not 1 <= first <= last <= 65535:
        raise ValueError(f"ports are from 1 to 65535, not {_shown(value)}")
    if (match["protocol"] or "tcp").lower() != "tcp":
        raise ValueError("the load balancer and Service Connect carry TCP only; serve it over TCP")
    published = [int(port) for port in (match["published"] or "").split("-") if port]
    if last > first and len(published) == 2 and published[1] - published[0] != last - first:
        raise ValueError(f"the ranges of {_shown(value)} differ in length")
    return range(first, last + 1)


def capability(value: Any) -> str:
    """A Linux capability without CAP_, in capitals."""
    return string(value).upper().removeprefix("CAP_")


def ulimit(value: Any) -> tuple[int, int]:
    """A resource limit, soft and hard: one number for both, or {soft, hard}."""
    number = integer(0, 2**31 - 1)
    if isinstance(value, dict) and value.keys() >= {"soft", "hard"}:
        return number(value["soft"]), number(value["hard"])
    return number(value), number(value)


def one_of(*accepted: str) -> Callable[[Any], str]:
    """Return a parser that takes these words only."""

    def parse(value: Any) -> str:
        if value not in accepted:
            raise ValueError(f"must be {' or '.join(accepted)}, not {_shown(value)}")
        return str(value)

    return parse


def matching(pattern: str, description: str) -> Callable[[Any], str]:
    """Return a parser of strings of which all matches `pattern`; `description` says what that is."""

    def parse(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(f"must be {description}, not {_shown(value)}")
        return value

    return parse


def _pair(item: str) -> tuple[str, str | None]:
    name, equals, value = item.partition("=")
    if isinstance(item, Unresolved):
        value = Unresolved(value, item.reason)
    return name, value if equals else None


def _text(value: Any) -> str | None:
    match value:
        case None | str():
            return value
        case bool():
            return str(value).lower()
        case float() if value.is_integer() and abs(value) < 1e21:
            return str(int(value))
        case int() | float():
            return str(value)
    raise ValueError(f"must be a string or a number, not {_shown(value)}")


def _shown(value: Any) -> str:
    """Show a value as the file has it; a long one or a structure only by its kind."""
    match value:
        case None:
            return "empty"
        case dict():
            return "a mapping"
        case list():
            return "a list" if len(str(value)) > 60 else str(value)
    return repr(value)
