"""Every string of a service that reaches AWS, with the key that people find it under."""

from collections.abc import Iterator

from infra.compose.fields import Fields
from infra.compose.model import ServiceDefinition
from infra.compose.variables import place


def strings(service: ServiceDefinition, fields: Fields) -> Iterator[tuple[str, str]]:
    """Yield the key and the string: what reaches the template or the image."""
    for name, value in service.environment.items():
        yield place(fields, name), value
    for key, mapping in {
        "labels": service.labels,
        "build.args": service.build.args if service.build else {},
    }.items():
        for name, value in mapping.items():
            yield f"{key}.{name}", value
    yield from program(service)


def program(service: ServiceDefinition) -> Iterator[tuple[str, str]]:
    """Yield the words of what runs in the container."""
    for key, words in {
        "command": service.command,
        "entrypoint": service.entrypoint,
        "healthcheck.test": service.health_check.command if service.health_check else None,
    }.items():
        for word in words or ():
            yield key, word
