"""ECR says that an image is missing when it is: the emulator answers an empty list, so nothing would ever be built."""

from collections.abc import Callable
from typing import Any

from infra.rehearsal.launcher.internals import ecr, error_response_json, replace


def install() -> None:
    """Wrap DescribeImages."""
    replace(ecr, "_describe_images", _that_misses_images)


def _that_misses_images(describe_images: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def describe(data: dict[str, Any]) -> Any:
        repository = data.get("repositoryName", "")
        if repository in ecr._repositories:
            for image_id in data.get("imageIds") or []:
                if not ecr._find_image(repository, image_id):
                    return error_response_json("ImageNotFoundException", f"{image_id} is not in {repository}", 400)
        return describe_images(data)

    return describe


def holds(image: str) -> bool:
    """Whether the emulated ECR holds an image, given by its URI with a tag."""
    repository, _, tag = image.partition("/")[2].rpartition(":")
    return repository in ecr._repositories and bool(ecr._find_image(repository, {"imageTag": tag}))
