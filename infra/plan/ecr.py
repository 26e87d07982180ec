"""Images in somebody's Amazon ECR, by their names."""

import re
from dataclasses import dataclass

_NAME = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<repository>[a-z0-9._/-]+)"
    r"(?:[:@](?P<version>[\w.:-]+))?"
)


@dataclass(frozen=True)
class EcrImage:
    """An image in a private repository; `version` is a tag, or a digest."""

    account: str
    region: str
    repository: str
    version: str


def ecr_image(name: str) -> EcrImage | None:
    """Return what the name of an image says when it is in Amazon ECR."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    return EcrImage(found["account"], found["region"], found["repository"], found["version"] or "latest")
