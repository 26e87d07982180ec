"""The images of the containers: built from the compose file's own `build`, or pulled as its `image` says."""

from typing import cast

from aws_cdk import Aws, IgnoreMode
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecr_assets as assets
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from infra.compose.model import Build, SecretDefinition, ServiceDefinition
from infra.constructs.secrets import Secrets
from infra.plan.build_context import excluded
from infra.plan.ecr import ecr_image

_PLATFORMS = {"x86_64": assets.Platform.LINUX_AMD64, "arm64": assets.Platform.LINUX_ARM64}


class Images(Construct):
    """Makes each image once, however many containers run it."""

    def __init__(self, scope: Construct, construct_id: str, *, architecture: str, secrets: Secrets) -> None:
        super().__init__(scope, construct_id)
        self._secrets = secrets
        self._platform = _PLATFORMS[architecture]
        self._built: list[tuple[Build, ecs.ContainerImage]] = []

    def of(self, service: ServiceDefinition) -> ecs.ContainerImage:
        """Return the image that the containers of `service` run."""
        if service.build is None:
            assert service.image is not None  # noqa: S101 (a service has one of the two)
            return self._pulled(service.image, service.registry_credentials)
        for build, image in self._built:
            if build == service.build:
                return image
        image = ecs.ContainerImage.from_docker_image_asset(self._asset(service.name, service.build))
        self._built.append((service.build, image))
        return image

    def _pulled(self, image: str, credentials: SecretDefinition | None) -> ecs.ContainerImage:
        private = ecr_image(image)  # pulled with rights that are given to the task, for this repository alone
        if private is None:
            secret = self._secrets.secret(credentials) if credentials else None
            return ecs.ContainerImage.from_registry(image, credentials=secret)
        place = f"Repository-{private.account}-{private.region}-{private.repository}".replace("/", "-")
        repository = self.node.try_find_child(place) or ecr.Repository.from_repository_attributes(
            self,
            place,
            repository_name=private.repository,
            repository_arn=(
                f"arn:{Aws.PARTITION}:ecr:{private.region}:{private.account}:repository/{private.repository}"
            ),
        )
        return ecs.ContainerImage.from_ecr_repository(cast("ecr.IRepository", repository), private.version)

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
