"""What a rehearsal that passed leaves: the hash of the template that it deployed, which names images by theirs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_FOLDER = Path(".data/rehearsed")


@dataclass(frozen=True)
class Receipt:
    """A rehearsal of a whole environment: of which template, and when it ended."""

    digest: str
    at: datetime


def digest(template: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a template. It names images by the hash of what they are built from, and no region."""
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()


def write(environment: str, template: Mapping[str, Any], project: Path = Path()) -> None:
    """Write down that this template was rehearsed just now, in the place of an earlier one."""
    folder = project / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    receipt = {"digest": digest(template), "at": datetime.now(UTC).isoformat()}
    unfinished = folder / f"{environment}.json.unfinished"
    unfinished.write_text(json.dumps(receipt), encoding="utf-8")
    unfinished.replace(folder / f"{environment}.json")


def last(environment: str, project: Path = Path()) -> Receipt | None:
    """Return the last rehearsal of an environment here; None where there is none, or nothing that can be read."""
    try:
        said = json.loads((project / _FOLDER / f"{environment}.json").read_text(encoding="utf-8"))
        return Receipt(str(said["digest"]), datetime.fromisoformat(said["at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def missing(environment: str, template: Mapping[str, Any], project: Path = Path()) -> str | None:
    """Return why exactly this template counts as not rehearsed; None when it was."""
    found = last(environment, project)
    if found is None:
        return f"nothing of {environment} was rehearsed here"
    if found.digest != digest(template):
        return f"what was rehearsed here on {found.at:%Y-%m-%d %H:%M} UTC was another template, or other images"
    return None
