"""ECR says that an image is missing when it is: the emulator answers an empty list, so nothing would ever be built."""

from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import ecr


def install() -> None:
    """Wrap DescribeImages."""
    describe_images = ecr._describe_images

    def describe(data: dict[str, Any]) -> Any:
        repository = data.get("repositoryName", "")
        if repository in ecr._repositories:
            for image_id in data.get("imageIds") or []:
                if not ecr._find_image(repository, image_id):
                    return error_response_json("ImageNotFoundException", f"{image_id} is not in {repository}", 400)
        return describe_images(data)

    ecr._describe_images = describe


def holds(image: str) -> bool:
    """Whether the emulated ECR holds an image, given by its URI with a tag."""
    repository, _, tag = image.partition("/")[2].rpartition(":")
    return repository in ecr._repositories and bool(ecr._find_image(repository, {"imageTag": tag}))
