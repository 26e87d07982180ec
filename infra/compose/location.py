"""Which file of a directory is its compose file."""

import sys
from pathlib import Path

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""What Compose looks for, in its own order (compose-go, `cli.DefaultFileNames`)."""


def find(directory: Path = Path()) -> Path:
    """Return the directory's compose file, whether it is there or not.

    Of several the first is meant, as in Compose, and like Compose this says so on standard error.
    """
    found = [directory / name for name in NAMES if (directory / name).is_file()]
    if len(found) > 1:
        print(f"Several compose files: {', '.join(file.name for file in found)}. Using {found[0]}.", file=sys.stderr)
    return found[0] if found else directory / NAMES[0]
