"""Ask each public service for its health, through the public URL as its users come."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from infra.compose import Project
from infra.plan.routes import listener_rules
from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.site import Site


def ask_public_paths(site: Site, project: Project) -> list[str]:
    """Return what each public service answered, a few words each.

    Raises:
        RehearsalError: one of them is not well, or an answer is a server's error.
    """
    return list(_answers(site, project))


def _answers(site: Site, project: Project) -> Iterator[str]:
    paths = {name: service.public.paths for name, service in project.services.items() if service.public}
    for name, service in project.services.items():
        if service.public is None:
            continue
        path = service.public.health_path
        is_health = _owner(path, paths) == name
        if not is_health:  # the load balancer asks for it at the task itself; people do not get there
            path = service.public.paths[0].replace("*", "").replace("?", "_")
        status, content = site.fetch("GET", path)
        if status >= 500 or (is_health and not service.public.is_well(status)):
            answer = " ".join(content.decode(errors="replace").split())[:300]
            raise RehearsalError(f"GET {path} at {site.url}, which {name} answers, answered {status}: {answer}")
        yield f"GET {path} {status} ({name})"


def _owner(path: str, paths: dict[str, tuple[str, ...]]) -> str | None:
    """Return the service that the load balancer sends a path to."""
    for name, patterns in listener_rules(paths):
        if any(fnmatchcase(path, pattern) for pattern in patterns):
            return name
    return next((name for name, patterns in paths.items() if "/*" in patterns), None)
