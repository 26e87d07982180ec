"""`make release-notes VERSION=1.2.0`: what CHANGELOG.md says of a version, for its release."""

import re
import sys
from pathlib import Path


def notes(changelog: str, version: str) -> str | None:
    """Return the section of a version, without its heading; None where there is none or nothing is in it."""
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    for section in sections:
        heading, _, body = section.partition("\n")
        if re.match(rf"\[?{re.escape(version)}\]?(\s|$)", heading):
            return body.strip() or None
    return None


def main(version: str) -> int:
    """Print them, or say what is missing."""
    found = notes(Path("CHANGELOG.md").read_text(encoding="utf-8"), version.removeprefix("v"))
    if found is None:
        print(
            f"make release-notes: CHANGELOG.md says nothing of {version!r}: call its section [Unreleased] "
            f"## [{version.removeprefix('v')}] - DATE before the tag is made",
            file=sys.stderr,
        )
        return 1
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
