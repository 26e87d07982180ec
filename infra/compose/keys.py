"""Holds the keys of a compose file against the table, and prints the table for people."""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from infra.compose.key_table import KEYS, Treatment


@dataclass(frozen=True)
class KeyFinding:
    """A key that cannot stay in the file."""

    path: str  # as in the file, such as `ports[0].mode`
    reason: str
    alternative: str


def check(data: Any, pattern: str, *, refusing: bool = True, place: str = "") -> Iterator[KeyFinding]:
    """Yield every unknown key in `data`, which lies at the table's key `pattern`, and what the table refuses.

    A refused key that is false or empty asks for nothing and is let through; so is any when not `refusing`.
    """
    below = _CHILDREN.get(pattern)
    if below is None:
        return
    items: Iterable[tuple[str, Any]] = ()
    if isinstance(data, dict):
        items = [(name, value) for name, value in data.items() if not _is_theirs(name) or below & {name, "*"}]
    elif isinstance(data, list) and "[]" in below:
        for index, item in enumerate(data):
            yield from check(item, f"{pattern}.[]", refusing=refusing, place=f"{place}[{index}]")

    for name, value in items:
        child = name if name in below else "*"
        path = f"{place}.{name}".lstrip(".")
        key = _BY_PATH.get(f"{pattern}.{child}".lstrip("."))
        if child not in below:
            close = difflib.get_close_matches(name, below, n=1)
            known = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(sorted(below - {'[]'}))}."
            if name.startswith("x-aws-") or name == "x-aws":
                part = name.removeprefix("x-aws").strip("-") or "…"
                known = f"Write it in the service that it is about, as x-aws: {{{part}: …}}."
            yield KeyFinding(path, "unknown key", known)
        elif key and key.treatment is Treatment.REFUSED:
            if value and refusing:
                yield KeyFinding(path, key.note, key.instead)
        else:
            yield from check(value, f"{pattern}.{child}".lstrip("."), refusing=refusing, place=path)


def _is_theirs(name: str) -> bool:
    """Say whether a key is a person's own `x-…`, and not ours misspelt, which would be left out without a word."""
    return name.startswith("x-") and not re.sub("[^a-z]", "", name.lower()).startswith("xaw")


def markdown() -> str:
    """Return the table as a Markdown document (docs/compose-keys.md)."""
    lines = [_INTRODUCTION]
    for title, prefix in _SECTIONS.items():
        lines += [f"## {title}", "", "| Key | On AWS | How, or why not |", "|---|---|---|"]
        for key in sorted(KEYS, key=lambda key: key.path):
            if _section(key.path) == prefix:
                text = f"{key.note}. {key.instead}".strip()
                lines.append(f"| `{key.path.removeprefix(prefix)}` | {key.treatment} | {text} |")
        lines.append("")
    return "\n".join(lines)


def _section(path: str) -> str:
    return next((prefix for prefix in reversed(_SECTIONS.values()) if path.startswith(prefix)), "")


_SECTIONS = {
    "The file": "",
    "A service": "services.*.",
    "`build`": "services.*.build.",
    "`deploy`": "services.*.deploy.",
    "`x-aws`": "services.*.x-aws.",
}

_INTRODUCTION = """\
# Compose keys on AWS

Generated from `infra/compose/key_table.py` by `python -m infra.compose > docs/compose-keys.md`; do not edit.

Every key of the [Compose specification](https://github.com/compose-spec/compose-spec) is **mapped** to AWS,
**ignored** because nothing is lost without it, or **refused**: synthesis stops and says what to write instead. A key
covers what lies below it unless that has its own row. A refused key that is false or empty does no harm and passes.
Unknown keys are refused. `x-…` keys other than a service's `x-aws` are yours.

- Services with `profiles`, which `docker compose up` does not start either, are not deployed.
- Of the service with `x-aws.rds` only `image`, `environment`, `env_file` and `x-aws` are read, since RDS stands in for
  its container.
- Variables in the file get their defaults, never a value from `.env` or the shell, so that nothing of a laptop reaches
  AWS. One that is used on AWS and has no default is refused.
- An override file (`docker-compose.override.yml`) is for the laptop and is not read.
"""


def _children() -> dict[str, set[str]]:
    children: dict[str, set[str]] = {"services": {"*"}, "services.*.x-aws.rds.variables": {"*"}}
    for key in KEYS:
        parts = key.path.split(".")
        for depth, part in enumerate(parts):
            children.setdefault(".".join(parts[:depth]), set()).add(part)
    return children


_BY_PATH = {key.path: key for key in KEYS}
_CHILDREN = _children()
