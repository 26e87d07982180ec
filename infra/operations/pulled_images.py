"""Whether the images that are pulled are there, and for the tasks' processor: ECS finds out by tasks that fail."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any, Literal

from infra.operations.deployment import AWS_ERRORS, Deployment, sentence
from infra.plan.architecture import MACHINES
from infra.plan.ecr import EcrImage, ecr_image

Found = tuple[Literal["good", "bad", "unknown"], str]

_ANSWER_SECONDS = 20
_NO_SUCH_IMAGE = re.compile("no such manifest|manifest unknown|repository does not exist", re.IGNORECASE)


def look(deployment: Deployment) -> Iterator[Found]:
    """Yield what was found of each image that no service builds."""
    containers = [container for task in deployment.plan.tasks.values() for container in task.containers]
    for name in sorted({one.image for one in containers if one.build is None and one.image}):
        private = ecr_image(name)
        if private:
            yield _in_ecr(deployment, name, private)
        else:
            yield _in_a_registry(name, deployment.plan.settings.architecture)


def _in_ecr(deployment: Deployment, name: str, image: EcrImage) -> Found:
    make: Any = deployment.session.client
    ecr = make("ecr", region_name=image.region)
    version = {"imageDigest" if image.version.startswith("sha256:") else "imageTag": image.version}
    try:
        ecr.describe_images(registryId=image.account, repositoryName=image.repository, imageIds=[version])
    except (ecr.exceptions.ImageNotFoundException, ecr.exceptions.RepositoryNotFoundException):
        return "bad", f"there is no image {name}"
    except AWS_ERRORS as error:
        return "unknown", f"image {name}: {sentence(error)}"
    return "good", f"image {name}"


def _in_a_registry(name: str, wanted: str) -> Found:
    """Ask the registry as the engine's CLI knows it, which needs no engine."""
    command = ["docker", "manifest", "inspect", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_ANSWER_SECONDS)
        said = json.loads(done.stdout) if done.returncode == 0 else {}
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        return "unknown", f"image {name} cannot be looked at from here: {error}"
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["its registry says nothing"])[-1]
        return "bad" if _NO_SUCH_IMAGE.search(why) else "unknown", f"image {name}: {why}"
    # One image for several processors has a list of them; one for a single processor does not say for which here.
    offered = {MACHINES.get(one["platform"]["architecture"], "") for one in said.get("manifests", [])} - {""}
    if offered and wanted not in offered:
        offers = " and ".join(sorted(offered))
        return "bad", f"image {name} is for {offers}, and architecture in cdk.json is {wanted}"
    return "good", f"image {name}"
