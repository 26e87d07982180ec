"""`x-aws.public`: which services the load balancer sends requests to."""

from collections.abc import Mapping

from infra.compose import values
from infra.compose.fields import Fields
from infra.compose.model import Project, Public

# What the path condition of a load balancer's rule takes: up to 128 of these characters.
_PATH_PATTERN = values.matching(r"/[A-Za-z0-9_\-.$/~\"'@:+&*?]{0,127}", "a path pattern such as /products/*")
_HEALTH_PATH = values.matching(r"/[^\s*]{0,1023}", "a path such as /health")


def public_of(fields: Fields) -> Public | None:
    """Return what the load balancer does for a service; None for one that is not reached from outside."""
    x_aws = fields.within("x-aws")
    if "public" not in [*x_aws]:
        return None
    public = x_aws.within("public")
    for key, example in {"paths": "[/*]", "health_path": "/health"}.items():
        if not public.raw(key):
            public.problem(key, "is missing", f"Write such as {key}: {example}.")
    paths = tuple(public.each("paths", _PATH_PATTERN))
    return Public(
        paths=paths,
        health_path=public.get("health_path", _HEALTH_PATH, ""),
        sticky=public.get("sticky", values.boolean, False),
    )


def check(project: Project, services: Mapping[str, Fields]) -> None:
    """Note public services without exactly one port, paths that more than one wants, and sign-in without any."""
    owners: dict[str, str] = {}
    for name, service in project.services.items():
        if service.public is None:
            continue
        if len(service.ports) != 1:
            reason = f"a public service needs exactly one port, and this one has {len(service.ports) or 'none'}"
            services[name].problem("ports", reason, "Leave the one that the load balancer sends requests to.")
        for path in service.public.paths:
            if path in owners:
                reason = f"{path} belongs to {owners[path]} already"
                services[name].problem("x-aws.public.paths", reason, "Give each path to one service.")
            owners[path] = name
    if not any(service.public for service in project.services.values()):
        for name, service in project.services.items():
            if service.sign_in_variables:
                reason = "no service is public, so there is nowhere to sign in"
                services[name].problem("x-aws.sign_in", reason, "Drop the key, or give a service x-aws.public.")
