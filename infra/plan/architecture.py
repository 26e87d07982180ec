"""Whether the images that are pulled are for the processors that the environment has."""

from infra.compose import Project
from infra.plan.environment import Environment

MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
"""What `architecture` in cdk.json calls a processor, by what engines and registries call it."""


def architecture_problems(project: Project, settings: Environment) -> list[str]:
    """Return what is wrong, as a sentence, with each service whose platform says another architecture."""
    return [
        f"{project.file}: service {name}: platform: its image is for {service.architecture}, and cdk.json: "
        f"context.environments.{settings.name}.architecture is {settings.architecture}. Name a platform that both the "
        "image and the environment have, or change the environment's."
        for name, service in project.services.items()
        if service.architecture not in (None, settings.architecture)
    ]
