"""Whether the services whose addresses a service is given can be reached by it on AWS."""

import re
from collections.abc import Mapping

from infra.compose.fields import Fields
from infra.compose.model import Project
from infra.compose.variables import place

_URL = re.compile(r"(?P<scheme>\w+)://(?:[^/@\s]*@)?(?P<host>[a-z][a-z0-9-]*)(?::(?P<port>\d+))?(?![\w.:-])")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def check(project: Project, services: Mapping[str, Fields]) -> None:
    """Note URLs of other services that work in Compose, where everybody reaches everybody, but have no way on AWS.

    There, `depends_on` is what gives a service the name of another one and its security groups the rules, and `ports`
    or `expose` say for which ports. One-shot services are left alone: they share what the others are given.
    """
    one_shots = project.one_shots()
    for name, service in project.services.items():
        for variable, value in service.environment.items():
            for url in _URL.finditer(value):
                other = url["host"]
                if other not in project.services or other in {name, *one_shots} or name in one_shots:
                    continue
                key = place(services[name], variable)
                if other not in service.depends_on:
                    reason = f"{url[0]} cannot be reached on AWS, where only what depends on {other} reaches it"
                    alternative = f"Add {other} to depends_on, or give the variable another value in x-aws.environment."
                    services[name].problem(key, reason, alternative)
                port = int(url["port"] or _DEFAULT_PORTS.get(url["scheme"], 0))
                if port and port not in project.services[other].ports:
                    reason = f"{url[0]} cannot be reached on AWS, where {other} has no port {port}"
                    services[name].problem(key, reason, f"Name it under ports or expose of {other}.")
