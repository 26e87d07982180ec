"""Container definitions from CloudFormation in the spelling of the ECS API, each after those it depends on.

The emulator translates some of the keys only (not `Secrets`, `DependsOn`, `HealthCheck`, `LinuxParameters` …) and
starts containers in the order of the list. The collector of traces is left out: there is no X-Ray here (gaps.py).
"""

from graphlib import TopologicalSorter
from typing import Any

from infra.rehearsal.launcher.internals import provisioners, replace

COLLECTOR = "public.ecr.aws/aws-observability/"  # how the name of its image begins
_MAPS = ("dockerLabels", "options")  # their keys are the user's own


def install() -> None:
    """Replace the emulator's translation."""
    replace(provisioners, "_normalize_container_defs", lambda _: translated)


def translated(definitions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the containers of a task definition as the ECS API has them, in the order in which they start."""
    containers = {
        definition["Name"]: _camel_case(definition)
        for definition in definitions
        if not str(definition["Image"]).startswith(COLLECTOR)
    }
    depends_on = {
        name: [dependency["containerName"] for dependency in container.get("dependsOn", [])]
        for name, container in containers.items()
    }
    return [containers[name] for name in TopologicalSorter(depends_on).static_order()]


def _camel_case(value: Any) -> Any:
    if isinstance(value, list):
        return [_camel_case(item) for item in value]
    if not isinstance(value, dict):
        return value
    translated = {key[:1].lower() + key[1:]: item for key, item in value.items()}
    return {key: item if key in _MAPS else _camel_case(item) for key, item in translated.items()}
