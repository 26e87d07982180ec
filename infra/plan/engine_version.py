"""Whether the full version that is set for the database is one of the major version that docker-compose.yml has."""

from infra.compose import Project
from infra.plan.environment import Environment


def engine_version_problems(project: Project, settings: Environment) -> list[str]:
    """Return what is wrong, as a sentence, when the two name different major versions."""
    version = settings.database.engine_version
    if version is None or project.database is None or version.partition(".")[0] == project.database.major_version:
        return []
    return [
        f"cdk.json: context.environments.{settings.name}.database.engine_version: {version} is not of the major "
        f"version {project.database.major_version}, which {project.file.name} has. Change both for an upgrade."
    ]
