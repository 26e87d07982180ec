"""`x-aws.egress`: where a service's tasks may connect to besides port 443, the database and other services."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, ip_address
from typing import Any

from infra.compose import values
from infra.compose.addresses import is_compared, port_beside
from infra.compose.fields import Fields
from infra.compose.model import EgressRule, Project, ServiceDefinition
from infra.compose.strings import program
from infra.compose.variables import place

_EVERYWHERE = "0.0.0.0/0"
_ALWAYS_OPEN = EgressRule(cidr=_EVERYWHERE, port=443)
_PORT = values.integer(1, 65535)
_LAPTOP = "host.docker.internal"

_FOREIGN = r"(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+)"  # a dot: no service of Compose has one
_URL = re.compile(rf"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^/@\s]*@)?{_FOREIGN}(?::(?P<port>\d{{1,5}}))?", re.IGNORECASE)
_ADDRESS = re.compile(rf"{_FOREIGN}:(?P<port>\d{{1,5}})", re.IGNORECASE)
_HOST = re.compile(rf"{_FOREIGN}", re.IGNORECASE)
_HOST_NAME = re.compile(r"(.*_)?(HOST|HOSTNAME|SERVER|ADDR|ADDRESS)", re.IGNORECASE)
# http without a port is left out: it is what names, namespaces and public addresses look like.
_DEFAULT_PORTS = {
    "smtp": 25,
    "smtps": 465,
    "ldap": 389,
    "ldaps": 636,
    "redis": 6379,
    "rediss": 6379,
    "amqp": 5672,
    "amqps": 5671,
    "postgres": 5432,
    "postgresql": 5432,
    "mysql": 3306,
    "mongodb": 27017,
    "mongodb+srv": 27017,
}


def egress_of(fields: Fields) -> tuple[EgressRule, ...]:
    """Return the rules of a service, each once."""
    return tuple(dict.fromkeys(fields.within("x-aws").each("egress", _rule)))


def check(project: Project, services: Mapping[str, Fields]) -> None:
    """Note addresses outside of AWS that the rules of the task do not let anything out to."""
    for name, service in project.services.items():
        for key, shown, host, port in _addresses(service, services[name]):
            variable = key.rpartition(".")[2]
            if host == _LAPTOP:
                reason = f"{shown} is the machine that Docker runs on, and AWS has none"
                alternative = f"Write its value on AWS, such as x-aws: {{environment: {{{variable}: null}}}}."
                services[name].problem(key, reason, alternative if "environment" in key else "Drop it.")
            elif not any(_lets_out(rule, host, port) for rule in (_ALWAYS_OPEN, *service.egress)):
                reason = f"{shown} cannot be reached from AWS, where tasks get out to port 443 alone"
                alternative = f"Add x-aws: {{egress: [{port}]}}, or with the addresses that are meant, such as"
                services[name].problem(key, reason, f'{alternative} "203.0.113.0/24:{port}".')


def _rule(value: Any) -> EgressRule:
    cidr, colon, port = str(value).rpartition(":")
    try:
        return EgressRule(cidr=str(IPv4Network(cidr)) if colon else _EVERYWHERE, port=_PORT(port))
    except ValueError:
        raise ValueError(f'must be a port or "range:port" such as "203.0.113.0/24:5432", not {value!r}') from None


def _addresses(service: ServiceDefinition, fields: Fields) -> Iterator[tuple[str, str, str, int]]:
    """Yield key, text, host and port of each address elsewhere in a service's variables and program."""
    variables = [(place(fields, name), name, value) for name, value in service.environment.items()]
    for key, name, value in [*variables, *((key, "", word) for key, word in program(service))]:
        if is_compared(name):
            continue
        for url in _URL.finditer(value):
            port = int(url["port"] or _DEFAULT_PORTS.get(url["scheme"].split("+")[0].lower(), 0))
            if port and _is_elsewhere(url["host"]):
                yield key, url[0], url["host"], port
        for part in map(str.strip, value.split(",")):
            address = _ADDRESS.fullmatch(part)
            port = int(address["port"]) if address else 0
            if not address and _HOST_NAME.fullmatch(name) and _HOST.fullmatch(part):
                port = port_beside(name, service)
            host = address["host"] if address else part
            if port and _is_elsewhere(host):
                yield key, part if address else f"{part}:{port}", host, port


def _is_elsewhere(host: str) -> bool:
    """Say whether what is so called lies beyond the task itself and its own machine."""
    try:
        address = ip_address(host)
    except ValueError:
        # A file such as settings.py has a dot too, and a version such as 1.2.3 no letters.
        return host.rpartition(".")[2].isalpha() and not host.endswith((".py", ".js", ".ts", ".sh", ".go", ".rb"))
    return not (address.is_loopback or address.is_unspecified or address.is_link_local)


def _lets_out(rule: EgressRule, host: str, port: int) -> bool:
    """Say whether a rule may let a connection out: of a name nobody knows here which address it has."""
    if rule.port != port:
        return False
    try:
        return ip_address(host) in IPv4Network(rule.cidr)
    except ValueError:
        return True
