"""`make licences`: the licence of each package of both images' locks, as its metadata declares it."""

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from infra.pipeline.contents import licence

LOCKS = (Path("requirements/api.txt"), Path("requirements/ui.txt"))


def locked(lock: Path) -> Iterator[Requirement]:
    """Yield what a lock pins for the images' system, which is Linux."""
    linux = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    for line in lock.read_text(encoding="utf-8").splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            requirement = Requirement(line.rstrip("\\ "))
            if requirement.marker is None or requirement.marker.evaluate(linux):
                yield requirement


def licences() -> dict[str, tuple[str, str]]:
    """Return version and licence of each package by name; what the licence is not known of says why."""
    found = {}
    for requirement in sorted((one for lock in LOCKS for one in locked(lock)), key=lambda one: one.name.lower()):
        try:
            said = licence(metadata.metadata(requirement.name)) or "declares none: see its page"
        except metadata.PackageNotFoundError:  # the images' Python takes some that this one does not need
            said = "not installed here: make sbom asks the image"
        found[requirement.name] = (str(requirement.specifier).removeprefix("=="), said)
    return found


def main() -> int:
    """Print them as a table."""
    for name, (version, said) in licences().items():
        print(f"{name:<32} {version:<16} {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
