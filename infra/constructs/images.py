"""The images of the containers: built from the compose file's own `build`, or pulled as its `image` says."""

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr_assets as assets
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from infra.compose.model import Build, ServiceDefinition
from infra.plan.build_context import excluded

_PLATFORMS = {"x86_64": assets.Platform.LINUX_AMD64, "arm64": assets.Platform.LINUX_ARM64}


class Images(Construct):
    """Makes each image once, however many containers run it."""

    def __init__(self, scope: Construct, construct_id: str, *, architecture: str) -> None:
        super().__init__(scope, construct_id)
        self._platform = _PLATFORMS[architecture]
        self._built: list[tuple[Build, ecs.ContainerImage]] = []

    def of(self, service: ServiceDefinition) -> ecs.ContainerImage:
        """Return the image that the containers of `service` run."""
        if service.build is None:
            assert service.image is not None  # noqa: S101 (a service has one of the two)
            return ecs.ContainerImage.from_registry(service.image)
        for build, image in self._built:
            if build == service.build:
                return image
        image = ecs.ContainerImage.from_docker_image_asset(self._asset(service.name, service.build))
        self._built.append((service.build, image))
        return image

    def _asset(self, name: str, build: Build) -> assets.DockerImageAsset:
        return assets.DockerImageAsset(
            self,
            name,
            display_name=build.target or name,
            directory=str(build.context),
            file=build.dockerfile,
            target=build.target,
            build_args=dict(build.args),
            platform=self._platform,
            ignore_mode=IgnoreMode.DOCKER,
            exclude=excluded(build),
        )
