"""Which containers run together: one task for each service, with what must succeed before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.compose import ComposeError, Problem, Project
from infra.compose.model import EgressRule, ServiceDefinition
from infra.plan import collector, fargate

# Service Connect adds a container of its own to a task: a proxy that needs at least this much memory (Amazon ECS
# Developer Guide, "Service Connect"). The guide advises 256 CPU units too, for many requests; here the proxy shares the
# service's CPUs, whose limit is raised when the service grows busy.
_PROXY_MIB = 64


@dataclass(frozen=True, kw_only=True)
class Task:
    """One service of the compose file and what runs in its task."""

    service: ServiceDefinition
    init_containers: tuple[ServiceDefinition, ...]  # must succeed, in this order, before the service's own starts
    reaches: tuple[str, ...]  # other tasks that have to run before this one, and that it may send requests to
    is_reached: bool  # by another task, at <name>:<port>
    uses_service_connect: bool  # it is reached, or reaches another, by name
    has_collector: bool  # of traces, in a container of its own
    size: fargate.Size

    @property
    def containers(self) -> tuple[ServiceDefinition, ...]:
        """All that the task runs, in the order in which it starts."""
        return (*self.init_containers, self.service)

    @property
    def egress(self) -> tuple[EgressRule, ...]:
        """Where any of the containers may connect to, besides what every task may."""
        return tuple(dict.fromkeys(rule for container in self.containers for rule in container.egress))

    @property
    def written_volumes(self) -> Mapping[str, bool]:
        """The volumes that any of the containers has, and whether one of them writes to it."""
        mounts = [mount for container in self.containers for mount in container.volumes]
        return {mount.volume: any(not m.read_only for m in mounts if m.volume == mount.volume) for mount in mounts}

    @property
    def uses_database(self) -> bool:
        """Whether any of the containers is given the database's address."""
        return any(container.uses_database for container in self.containers)

    @property
    def database_users(self) -> tuple[str, ...]:
        """Whom the containers sign in to the database as by IAM, with no password."""
        return tuple(sorted({container.database_user for container in self.containers if container.database_user}))


def tasks(project: Project, *, traces: bool = False) -> dict[str, Task]:
    """Return the task of each service that nobody waits for to complete, in file order.

    With `traces` those that keep running have a collector beside them, if they are built here: what is pulled may
    know nothing of OpenTelemetry.

    Raises:
        ComposeError: naming all that fit no size.
    """
    one_shots = project.one_shots()
    services = {name: service for name, service in project.services.items() if name not in one_shots}
    reaches = {
        name: tuple(other for other in service.depends_on if other in services and not service.schedule)
        for name, service in services.items()
    }
    reached = {other for others in reaches.values() for other in others}
    found, problems = {}, []
    for name, service in services.items():
        init_containers = tuple(_one_shots_before(service, project))
        has_collector = traces and service.build is not None and not service.schedule
        uses_service_connect = name in reached or not reached.isdisjoint(reaches[name])
        try:
            cpus, memory = _need([*init_containers, service], uses_service_connect)
            size = fargate.smallest(cpus, memory + (collector.MEMORY_MIB if has_collector else 0))
        except ValueError as error:
            names = [container.name for container in (*init_containers, service)] + [
                "Service Connect's proxy"
            ] * uses_service_connect
            names += ["the collector of monitoring.traces"] * has_collector
            reason = f"the containers of its task ({', '.join(names)}) need {error}"
            problems.append(Problem(project.file, name, "deploy.resources.limits", reason, "Lower the limits."))
        else:
            found[name] = Task(
                service=service,
                init_containers=init_containers,
                reaches=reaches[name],
                is_reached=name in reached,
                uses_service_connect=uses_service_connect,
                has_collector=has_collector,
                size=size,
            )
    if problems:
        raise ComposeError(problems)
    return found


def _one_shots_before(service: ServiceDefinition, project: Project) -> list[ServiceDefinition]:
    found: list[ServiceDefinition] = []
    for name in service.depends_on:
        if name in project.one_shots():
            one_shot = project.services[name]
            found += [other for other in (*_one_shots_before(one_shot, project), one_shot) if other not in found]
    return found


def _need(containers: Sequence[ServiceDefinition], uses_service_connect: bool) -> tuple[float, int]:
    """Return CPUs and MiB. Memory adds up, as ECS sets it aside for the life of the task; CPUs are used in turn."""
    memory = sum(container.memory_mib or 0 for container in containers)
    return max(container.cpus or 0 for container in containers), memory + (_PROXY_MIB if uses_service_connect else 0)
