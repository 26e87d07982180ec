"""`make sbom`: a CycloneDX bill of materials for each image, of what is really in it: Python's packages and Debian's.

`python -m infra.pipeline.sbom FOLDER NAME=IMAGE …` writes NAME.cdx.json; IMAGE is whatever the engine has, such as an
image of Amazon ECR by its digest. Without names: those that docker-compose.yml builds, as `docker compose build` made.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infra.compose import ComposeError, find, read

_CONTENTS = Path(__file__).with_name("contents.py")
_SECONDS = 120


class SbomError(Exception):
    """An image could not be looked into; the message says which, and what to do."""


def contents(image: str) -> dict[str, list[dict[str, str]]]:
    """Return what is in an image, by its own Python, without network.

    Raises:
        SbomError: there is no engine, no such image, or no Python in it.
    """
    engine = ["docker", "run", "--rm", "--interactive", "--network", "none", "--entrypoint", "python", image, "-"]
    try:
        done = subprocess.run(
            engine, input=_CONTENTS.read_text(), capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except FileNotFoundError:
        raise SbomError("there is no docker in PATH: install a Docker engine") from None
    except subprocess.TimeoutExpired:
        raise SbomError(f"{image} did not answer within {_SECONDS} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise SbomError(f"{image}: {said[-1] if said else 'no answer'}; docker compose build makes the images")
    return dict(json.loads(done.stdout))


def image_id(image: str) -> str:
    """Return the engine's id of an image that is here, the digest of its configuration.

    Raises:
        SbomError: there is no such image.
    """
    asked = ["docker", "image", "inspect", "--format", "{{.Id}}", image]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode:
        raise SbomError(f"there is no image {image} here; docker compose build makes the images")
    return done.stdout.strip()


def document(name: str, identity: str, found: dict[str, list[dict[str, str]]]) -> dict[str, Any]:
    """Return the CycloneDX 1.6 document of an image; the same image gives the same document."""
    python = [
        _component("pypi", "", one["name"].lower().replace("_", "-"), one["version"])
        | ({"licenses": [{"license": {"name": one["licence"]}}]} if one["licence"] else {})
        for one in found["python"]
    ]
    debian = [
        _component("deb", "debian/", one["name"], one["version"], f"?arch={one['arch']}") for one in found["debian"]
    ]
    algorithm, _, digest = identity.partition(":")
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "container",
                "bom-ref": name,
                "name": name,
                "hashes": [{"alg": {"sha256": "SHA-256"}[algorithm], "content": digest}],
            }
        },
        "components": [*python, *debian],
    }


def _component(kind: str, space: str, name: str, version: str, qualifiers: str = "") -> dict[str, Any]:
    url = f"pkg:{kind}/{space}{quote(name)}@{quote(version)}{qualifiers}"  # github.com/package-url/purl-spec
    return {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}


def built_images(project: Path = Path()) -> dict[str, str]:
    """Return the images that docker-compose.yml builds by their target, under the names that Compose gives them.

    Raises:
        ComposeError: the file cannot be read.
    """
    found = read(find(project))
    services: dict[str, str] = {}
    for service in found.services.values():
        if service.build:
            target = service.build.target or service.name
            services[target] = target if target in found.services else services.get(target, service.name)
    return {target: f"{found.name}-{service}" for target, service in services.items()}


def main(folder: str, *named: str) -> int:
    """Write the documents, or say why not."""
    try:
        images = dict(one.split("=", 1) for one in named) if named else built_images()
        to = Path(folder)
        to.mkdir(parents=True, exist_ok=True)
        for name, image in images.items():
            found = document(name, image_id(image), contents(image))
            file = to / f"{name}.cdx.json"
            file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
            print(f"{file}: {len(found['components'])} components of {image}")
    except (ComposeError, SbomError, OSError) as error:
        print(f"make sbom: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
