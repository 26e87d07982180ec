"""Whether the services whose addresses a service is given can be reached by it on AWS."""

import re
from collections.abc import Iterator, Mapping

from infra.compose.fields import Fields
from infra.compose.images import usual_port
from infra.compose.model import Project, ServiceDefinition
from infra.compose.strings import program
from infra.compose.variables import place

_URL = re.compile(r"(?P<scheme>\w+)://(?:[^/@\s]*@)?(?P<host>[a-z][a-z0-9-]*)(?::(?P<port>\d+))?(?![\w.:-])")
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "redis": 6379, "amqp": 5672, "nats": 4222}
# host:port, also several of them; a host alone only where the variable's name says that it is one.
_ADDRESS = re.compile(r"(?P<host>[a-z][a-z0-9-]*):(?P<port>\d{1,5})")
_HOST = re.compile(r"(.*_)?(HOST|HOSTNAME|SERVER|ADDR|ADDRESS|ENDPOINT|BROKER|URL|URI)S?(_.*)?", re.IGNORECASE)


_EXAMPLE = "https://www.example.com"
_BY_VARIABLE = (
    "Drop it, and let the program read it from a variable, which can have another value in x-aws.environment."
)
# What a program compares with what browsers send, and never connects to.
_COMPARED = re.compile(r"(.*_)?(CORS|CSRF|ORIGIN|ALLOWED|TRUSTED)S?(_.*)?", re.IGNORECASE)


def check(project: Project, services: Mapping[str, Fields]) -> frozenset[str]:
    """Note addresses of other services that work in Compose, where everybody reaches everybody, but have no way on AWS.

    Return the services that others are told to depend on, and that somebody will so reach.

    There, `depends_on` is what gives a service the name of another one and its security groups the rules, and `ports`
    or `expose` say for which ports. One-shot services are left alone: they share what the others are given.
    """
    one_shots = project.one_shots()
    wanted = set()
    for name, service in project.services.items():
        if name in one_shots:
            continue
        reachable = project.services.keys() - {name, *one_shots}
        for key, shown, other, port in _addresses(service, services[name]):
            if other not in reachable:
                continue
            variable = key.rpartition(".")[2] if "environment" in key else ""
            if project.services[other].schedule:
                reason = f"{shown} cannot be reached: {other} runs by the clock (x-aws.schedule) and answers nobody"
                alternative = f"Write its value on AWS, such as x-aws: {{environment: {{{variable}: {_EXAMPLE}}}}}."
                services[name].problem(key, reason, alternative if variable else _BY_VARIABLE)
                continue
            if service.schedule:
                reason = (
                    f"{shown} cannot be reached by a task that runs by the clock (x-aws.schedule), which has no names"
                )
                reason += " of other services"
                alternative = f"Write the public URL, such as x-aws: {{environment: {{{variable}: {_EXAMPLE}}}}};"
                alternative += f" or let it use the database, or {other} do what it is for."
                services[name].problem(key, reason, alternative if variable else _BY_VARIABLE)
                continue
            if is_compared(variable) or name in _before(other, project):
                reason = f"{shown} cannot be reached on AWS from here: {other} waits for this service"
                if name not in _before(other, project):
                    reason = f"{shown} is an address within AWS, and browsers have the public URL"
                alternative = f"Write its value on AWS, such as x-aws: {{environment: {{{variable}: {_EXAMPLE}}}}}."
                services[name].problem(key, reason, alternative if variable else _BY_VARIABLE)
                continue
            if other not in service.depends_on:
                wanted.add(other)
                reason = f"{shown} cannot be reached on AWS, where only what depends on {other} reaches it"
                alternative = f"Add {other} to depends_on, or give the variable another value in x-aws.environment."
                services[name].problem(key, reason, alternative)
            if port and port not in project.services[other].ports:
                reason = f"{shown} cannot be reached on AWS, where {other} has no port {port}"
                ports = " or ".join(map(str, project.services[other].ports))
                alternative = f'Name it in {other}, such as expose: ["{port}"].'
                services[name].problem(key, reason, f"Write {ports}. Or: {alternative}" if ports else alternative)
        for other in service.depends_on:
            if other in reachable and not project.services[other].ports and not service.schedule:
                port = usual_port(project.services[other].image) or 8000
                reason = f"{other} has no port, so on AWS nobody reaches it"
                alternative = f'Name it in {other}, such as expose: ["{port}"]'
                alternative += f"; or drop {other} here, if nothing is sent to it."
                services[name].problem(f"depends_on.{other}", reason, alternative)
    return frozenset(wanted)


def _before(name: str, project: Project) -> set[str]:
    """Return all services that start before another one, because it waits for them or for what waits for them."""
    found: set[str] = set()
    left = [name]
    while left:
        new = project.services[left.pop()].depends_on.keys() & project.services.keys() - found
        found |= new
        left += new
    return found


def _addresses(service: ServiceDefinition, fields: Fields) -> Iterator[tuple[str, str, str, int]]:
    """Yield key, text, host and port (0: not said) of what a service's variables and program may want to reach."""
    variables = [(place(fields, name), name, value) for name, value in service.environment.items()]
    for key, name, value in [*variables, *((key, "", word) for key, word in program(service))]:
        for url in _URL.finditer(value):
            yield key, url[0], url["host"], int(url["port"] or _DEFAULT_PORTS.get(url["scheme"], 0))
        for part in value.split(","):
            if address := _ADDRESS.fullmatch(part.strip()):
                yield key, address[0], address["host"], int(address["port"])
            elif _HOST.fullmatch(name):
                yield key, part.strip(), part.strip(), port_beside(name, service)


def is_compared(variable: str) -> bool:
    """Say whether a program compares the value of a variable of this name, and connects to nothing by it."""
    return _COMPARED.fullmatch(variable) is not None


def port_beside(name: str, service: ServiceDefinition) -> int:
    """Return the port that REDIS_PORT has beside REDIS_HOST; 0 without one."""
    port = service.environment.get(re.sub("HOST(NAME)?|SERVER|ADDR(ESS)?", "PORT", name), "")
    return int(port) if re.fullmatch(r"\d{1,5}", port) else 0
