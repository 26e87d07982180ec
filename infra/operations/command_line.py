"""What the verbs of the command line share: how they are asked, and how they answer."""

import argparse
import dataclasses
import json
from datetime import UTC, datetime
from typing import Any, Protocol

from rich.console import Console

from infra.operations.deployment import Deployment


class Verb(Protocol):
    """A module of this folder: its docstring is its help, and what it is asked is what it declares here."""

    __doc__: str | None

    def declare(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's own arguments."""

    def run(self, deployment: Deployment, options: argparse.Namespace, out: "Output") -> int:
        """Do it; return the exit code."""


class Output:
    """Where a verb answers: a person's terminal, or JSON for a program."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console(highlight=False, soft_wrap=True)

    def facts(self, found: object) -> bool:
        """Print facts as JSON where that is wanted; return whether it was."""
        if self.as_json:
            print(json.dumps(found, default=_plain, ensure_ascii=False, indent=2))
        return self.as_json

    def line(self, text: str = "") -> None:
        """Print a line as it is."""
        self.console.print(text, markup=False)


def age(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago a moment was, as a person says it."""
    seconds = max(0, round(((now or datetime.now(UTC)) - moment).total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} has no place in JSON")
