"""Images that are pulled, and the processors that there are."""

from pathlib import Path

import pytest

from infra.plan import PlanError, assemble
from tests.infra.conftest import settings

SERVICE = "{image: shop, platform: PLATFORM, deploy: {resources: {limits: {cpus: 1, memory: 2G}}}}"


def test_an_image_for_other_processors_than_the_environments_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    dev = settings("dev")
    theirs = {"arm64": "linux/arm64", "x86_64": "linux/amd64"}
    other = next(platform for architecture, platform in theirs.items() if architecture != dev["architecture"])
    file.write_text(f"name: shop\nservices: {{worker: {SERVICE.replace('PLATFORM', other)}}}\n")

    with pytest.raises(PlanError, match=r"service worker: platform: its image is for .*\.dev\.architecture is "):
        assemble(file, "dev", {"dev": dev})

    file.write_text(f"name: shop\nservices: {{worker: {SERVICE.replace('PLATFORM', theirs[dev['architecture']])}}}\n")
    assert assemble(file, "dev", {"dev": dev}).tasks.keys() == {"worker"}
