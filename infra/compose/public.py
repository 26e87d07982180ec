"""`x-aws.public`: which services the load balancer sends requests to."""

import re
from collections.abc import Container, Mapping, Set

from infra.compose import values
from infra.compose.fields import Fields
from infra.compose.model import Project, Public, ServiceDefinition
from infra.compose.variables import place

# What the path condition of a load balancer's rule takes: up to 128 of these characters.
_PATH_PATTERN = values.matching(r"/[A-Za-z0-9_\-.$/~\"'@:+&*?]{0,127}", "a path pattern such as /products/*")
# Of those patterns, what a web ACL compares without expressions: a whole path, or its beginning.
_BEGINNING = values.matching(r"/[A-Za-z0-9_\-.$/~\"'@:+&]{0,126}\*?", "a path, or its beginning and *")
# The target group's Matcher: 200 to 499.
_HEALTH_CODES = values.matching(
    r"[2-4]\d\d(-[2-4]\d\d)?(,[2-4]\d\d(-[2-4]\d\d)?)*", 'codes from 200 to 499 such as "200-399" or "200,401"'
)
_ALLOWED_HOSTS = re.compile(r"(.*_)?ALLOWED_HOSTS?", re.IGNORECASE)
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
        health_codes=public.get("health_codes", lambda value: _HEALTH_CODES(str(value)), "200"),
        sticky=public.get("sticky", values.boolean, False),
        free_input=tuple(public.each("free_input", _BEGINNING)),
    )


def check(project: Project, services: Mapping[str, Fields], wanted: Set[str]) -> None:
    """Note services and ports that nobody reaches, paths that more than one wants, and sign-in without a way in.

    `wanted` are services that others are told to depend on already.
    """
    one_shots = project.one_shots()
    # Not by tasks that run by the clock: they have no names of others, and nobody sends them anything.
    running = {name: service for name, service in project.services.items() if not service.schedule}
    reached = {other for service in running.values() for other in service.depends_on} | wanted
    owners: dict[str, str] = {}
    for name, service in project.services.items():
        if service.public is None:
            continue
        if not service.ports:
            alternative = 'Name the port that it listens on, such as ports: ["8000:8000"].'
            services[name].problem("ports", "a public service needs a port for the load balancer", alternative)
        if len(service.ports) > 1 and name not in reached:
            others = ", ".join(map(str, service.ports[1:]))
            reason = f"the load balancer sends requests to {service.ports[0]}, the first, and nobody reaches {others}"
            services[name].problem("ports", reason, "Leave the one that is to be reached from outside.")
        _check_hosts(service, services[name])
        for path in service.public.paths:
            if path in owners:
                reason = f"{path} belongs to {owners[path]} already"
                services[name].problem("x-aws.public.paths", reason, "Give each path to one service.")
            owners[path] = name
    for name, service in running.items():
        if service.ports and service.public is None and name not in reached | one_shots:
            reason = "nobody reaches this service on AWS: it is not public, and no other one depends on it"
            alternative = f"Add {_fitting(service, owners)}; or depends_on to the services that send it something; or"
            alternative += " drop the ports."
            owners.setdefault("/*", name)  # so that the next one is told another path
            services[name].problem("ports" if "ports" in services[name] else "expose", reason, alternative)
    if not any(service.public for service in project.services.values()):
        published = [name for name in running if "ports" in services[name] and name in reached - one_shots]
        if published and reached >= {name for name, service in running.items() if service.ports}:
            name = published[-1]
            reason = "no service is public, so nobody outside reaches the application"
            alternative = (
                f"Add {_fitting(project.services[name], owners)} to the one that people use; or write expose instead of"
                " ports, if nobody is to reach it."
            )
            services[name].problem("x-aws.public", reason, alternative)
        for name, service in project.services.items():
            if service.sign_in_variables:
                reason = "no service is public, so there is nowhere to sign in"
                services[name].problem("x-aws.sign_in", reason, "Drop the key, or give a service x-aws.public.")


def _check_hosts(service: ServiceDefinition, fields: Fields) -> None:
    """Note a list of hosts without the one that the load balancer names: the address of a task, which nobody knows."""
    if "health_codes" in fields.within("x-aws").within("public"):
        return
    for name, value in service.environment.items():
        if _ALLOWED_HOSTS.fullmatch(name) and "*" not in value:
            reason = "the load balancer asks with a task's own address as Host, which is not in this list"
            alternative = (
                'Write x-aws: {public: {health_codes: "200,400"}}, as frameworks answer 400 to a Host that they'
            )
            alternative += " do not know; or answer the health path before hosts are compared, and write 200."
            fields.problem(place(fields, name), reason, alternative)


def _fitting(service: ServiceDefinition, taken: Container[str]) -> str:
    """Return the x-aws block that makes a service public, as far as its file says how."""
    path = f"/{service.name}/*" if "/*" in taken else "/*"
    check = " ".join(service.health_check.command) if service.health_check else ""
    asked = re.search(r"https?://(?:localhost|127\.0\.0\.1)(?::\d+)?(?P<path>/[^\s\"';|]*)?", check)
    return f"x-aws: {{public: {{paths: [{path}], health_path: {(asked and asked['path']) or '/'}}}}}"
