"""Who can use the application, and whether anybody said that it may be everybody."""

from infra.compose import Project
from infra.plan.environment import CloudFrontSettings, Environment, LoadBalancerSettings


def people_sign_in(project: Project, settings: Environment) -> bool:
    """Return whether the stack has people sign in: somebody asks for it, and people come by HTTPS.

    Cognito sends people back to HTTPS addresses alone.
    """
    is_https = not isinstance(settings.public_url, LoadBalancerSettings)
    return is_https and is_public(project) and _asks_for_sign_in(project)


def is_public(project: Project) -> bool:
    """Return whether any service answers at the public URL."""
    return any(service.public for service in project.services.values())


def exposure_problems(project: Project, settings: Environment) -> list[str]:
    """Return what is wrong, as a sentence, when anybody could use the application and nobody said so by name."""
    public_url = settings.public_url
    if (
        _asks_for_sign_in(project)
        or public_url.open_to_the_internet
        or not is_public(project)
        or (not isinstance(public_url, CloudFrontSettings) and public_url.allowed_cidrs)
    ):
        return []
    return [
        f"cdk.json: context.environments.{settings.name}.public_url: everybody could use the application, as no "
        "service in the compose file has x-aws.sign_in. Add it, or set open_to_the_internet: true."
    ]


def _asks_for_sign_in(project: Project) -> bool:
    return any(service.sign_in_variables for service in project.services.values())
