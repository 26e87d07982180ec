"""Which volumes tasks keep files in, and to whom those belong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.compose import Project


@dataclass(frozen=True)
class Owner:
    """User and group, by their numbers, that everything in a volume belongs to, whoever writes it."""

    user: int
    group: int


_NOBODY_SAID = Owner(1000, 1000)


def volumes(project: Project) -> Mapping[str, Owner]:
    """Return the owner of each volume that a service on Fargate has: its first service's `user`, if that is a number.

    Never root, whose files on Amazon EFS take a permission of their own (`elasticfilesystem:ClientRootAccess`).
    """
    found: dict[str, Owner | None] = {}
    for service in project.services.values():
        for mount in service.volumes:
            found[mount.volume] = found.get(mount.volume) or _owner(service.user)
    return {volume: owner or _NOBODY_SAID for volume, owner in found.items()}


def _owner(user: str | None) -> Owner | None:
    numbers = re.fullmatch(r"([1-9]\d{0,8})(?::(\d{1,9}))?", user or "")
    return Owner(int(numbers[1]), int(numbers[2] or numbers[1])) if numbers else None
