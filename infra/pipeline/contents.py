"""What an image contains, as JSON: run by the image's own Python, so it imports nothing but the standard library."""

import json
from importlib import metadata
from pathlib import Path
from typing import Any


def python_packages() -> list[dict[str, str]]:
    """Return name, version and licence of each package that this Python can import, by name."""
    found: dict[str, dict[str, str]] = {}
    for one in metadata.distributions():
        about: Any = one.metadata
        name = about["Name"]
        if name and name.lower() not in found:  # the first in the path is the one that is imported
            found[name.lower()] = {"name": name, "version": one.version, "licence": licence(about)}
    return [found[name] for name in sorted(found)]


def licence(about: Any) -> str:
    """Return the licence that a package's metadata declares, empty where it declares none."""
    if expression := about["License-Expression"]:
        return str(expression)
    classified = [
        line.rpartition(" :: ")[2]
        for line in about.get_all("Classifier") or []
        if line.startswith("License :: ") and not line.endswith("OSI Approved")
    ]
    said = (about["License"] or "").strip()
    # Some have the whole text there.
    return " AND ".join(classified) or (said if len(said) <= 80 and "\n" not in said else "")


def debian_packages(status: Path = Path("/var/lib/dpkg/status")) -> list[dict[str, str]]:
    """Return name and version of each Debian package that is installed here; none where there is no dpkg."""
    if not status.is_file():
        return []
    found = []
    for paragraph in status.read_text(encoding="utf-8", errors="replace").split("\n\n"):
        lines = (line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and not line.startswith(" "))
        fields = {line[0]: line[1] for line in lines}
        if fields.get("Status", "").endswith(" installed"):
            found.append({"name": fields["Package"], "version": fields["Version"], "arch": fields["Architecture"]})
    return found


if __name__ == "__main__":
    print(json.dumps({"python": python_packages(), "debian": debian_packages()}))
