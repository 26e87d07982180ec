"""A file of `env_file`: lines of NAME=value as Docker Compose reads them."""

import re
from collections.abc import Mapping

from infra.compose.interpolation import substitute_or_mark

_STATEMENT = re.compile(
    r"""[ \t]*(?:export[ \t]+)?(?P<name>[\w.\-\[\]]+)[ \t]*
    (?:[=:][ \t]*(?:'(?P<single>(?:\\'|[^'])*)'|"(?P<double>(?:\\.|[^"\\])*)"|(?P<plain>[^'"\n][^\n]*|)))?
    [ \t]*(?:\#[^\n]*)?$""",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$$"} | dict(
    zip("abfv", "\a\b\f\v", strict=True)
)


def parse(text: str, variables: Mapping[str, str]) -> dict[str, str | None]:
    """Return the variables of an env file; raises ValueError naming the line that is not NAME=value.

    Plain and double-quoted values are interpolated with `variables` and the lines above; single-quoted ones are not.
    A name alone has None: it takes its value from the shell.
    """
    result: dict[str, str | None] = {}
    position = 0
    while blank := re.compile(r"\s*(?:#[^\n]*(?:\n|\Z)\s*)*").match(text, position):
        position = blank.end()
        if position == len(text):
            break
        statement = _STATEMENT.match(text, position)
        if statement is None:
            raise ValueError(f"line {text.count(chr(10), 0, position) + 1} is not NAME=value")
        known = {name: value for name, value in result.items() if value is not None} | dict(variables)
        result[statement["name"]] = _value(statement, known)
        position = statement.end()
    return result


def _value(statement: re.Match[str], known: Mapping[str, str]) -> str | None:
    if statement["single"] is not None:
        return statement["single"].replace("\\'", "'")
    if statement["double"] is not None:
        text = re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), statement["double"], flags=re.DOTALL)
        return substitute_or_mark(text, known)
    if statement["plain"] is not None:
        return substitute_or_mark(statement["plain"].partition(" #")[0].rstrip(), known)
    return None
