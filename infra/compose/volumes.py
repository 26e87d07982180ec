"""`volumes` of a service: named ones, which Amazon EFS keeps; what else can be mounted on a laptop is refused."""

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any, TypeVar

from infra.compose import values
from infra.compose.fields import Fields
from infra.compose.images import gives_files_away
from infra.compose.model import Project, ServiceDefinition, VolumeMount

T = TypeVar("T")

# Of a directory of EFS (CreateAccessPoint takes 100 characters, with the slash) and of a volume of a task definition.
_NAME = values.matching("[A-Za-z0-9][A-Za-z0-9_-]{0,98}", "a name for EFS: letters, digits, - and _, at most 99")
_TARGET = values.matching(r"/[^:\0]+", "an absolute path in the container")
_TYPE = values.one_of("volume", "bind", "tmpfs")
_PATH = re.compile(r"[./~\\]|[A-Za-z]:[\\/]")

_OVERRIDE = (
    "Keep it in docker-compose.override.yml, which Compose reads on a laptop and the stack does not; on AWS, copy "
    "files into the image, use tmpfs for scratch space, and keep data in a named volume, the managed database or "
    "Amazon S3."
)
_MOVE = "Move it to docker-compose.override.yml, which Compose reads on a laptop and the stack does not."
_SOCKET = (
    "Keep it in docker-compose.override.yml; on AWS, x-aws.public routes requests, CloudWatch has the logs and metrics,"
    " and Amazon ECS (RunTask) or AWS Batch starts containers."
)


def mounts_of(fields: Fields) -> tuple[VolumeMount, ...]:
    """Return the named volumes of a service; note what else it mounts."""
    found: list[VolumeMount] = []
    for index, item in enumerate(fields.each("volumes", lambda item: item)):
        key = f"volumes[{index}]"
        kind, source, target, read_only = (
            _long(fields, key, item) if isinstance(item, dict) else _short(fields, key, item)
        )
        if not target:
            continue
        if "docker.sock" in source:
            fields.problem(key, "no task has the socket of a Docker engine", _SOCKET)
        elif kind == "bind":
            fields.problem(key, f"a Fargate task has nothing of its host, {source} included", _OVERRIDE)
        elif kind == "tmpfs":
            fields.problem(key, "scratch space has a key of its own", f"Write tmpfs: [{target}] instead.")
        elif not source:
            alternative = (
                f"Write such as data:{target} (and volumes: {{data: {{}}}}), or tmpfs: [{target}] for scratch."
            )
            fields.problem(key, "has no name, so its data would end with its task", alternative)
        elif any(PurePosixPath(target) == PurePosixPath(mount.path) for mount in found):
            fields.problem(key, f"another volume is at {target} already", "Drop one of them.")
        elif name := fields.parse(key, source, _NAME, ""):
            found.append(VolumeMount(volume=name, path=target, read_only=read_only))
    return tuple(found)


def check(project: Project, services: Mapping[str, Fields], defined: Fields) -> None:
    """Note volumes that the file does not define or AWS does not have, and services that would spoil theirs."""
    run_once = project.one_shots() | project.scheduled()
    for name, service in project.services.items():
        fields = services[name]
        for volume in dict.fromkeys(mount.volume for mount in service.volumes):
            if volume not in [*defined]:
                reason = f"the file defines no volume {volume}"
                fields.problem("volumes", reason, f"Add volumes: {{{volume}: {{}}}} beside services.")
            _check_definition(defined, volume)
        if name not in run_once and any(not mount.read_only for mount in service.volumes):
            _check_writer(service, fields)


def _check_definition(defined: Fields, volume: str) -> None:
    definition = defined.within(volume)
    if definition.raw("external"):
        definition.problem("external", "what is there before on a laptop is not on AWS, where it is made", _MOVE)
    if definition.raw("driver") not in (None, "local") or definition.raw("driver_opts"):
        key = "driver_opts" if definition.raw("driver_opts") else "driver"
        definition.problem(key, "on AWS, Amazon EFS keeps the volume", _MOVE)


def _check_writer(service: ServiceDefinition, fields: Fields) -> None:
    written = ", ".join(dict.fromkeys(mount.volume for mount in service.volumes if not mount.read_only))
    update = fields.within("deploy").within("update_config")
    if "order" not in update and service.replicas == 1 and service.autoscaling is None:
        reason = f"is missing: while a deployment replaces the task, two of them would write to {written}"
        alternative = "Write such as order: stop-first (never two at once), or start-first (if several may)."
        update.problem("order", reason, alternative)
    if service.user is None and gives_files_away(service.image):
        reason = f"is missing: this image gives the files of {written} to another user, which nobody may do on EFS"
        fields.problem("user", reason, 'Write such as user: "999" (the number of the one that it runs as).')


# Type, source (empty: none), absolute path in the container (empty: what is wrong is noted), for reading alone.
_Mount = tuple[str, str, str, bool]


def _long(fields: Fields, key: str, item: dict[str, Any]) -> _Mount:
    def part(name: str, parse: Callable[[Any], T], default: T) -> T:
        return default if item.get(name) is None else fields.parse(f"{key}.{name}", item[name], parse, default)

    if item.get("target") is None:
        fields.problem(key, "has no target, the path in the container")
    return (
        part("type", _TYPE, "volume"),
        part("source", values.string, ""),
        part("target", _TARGET, ""),
        part("read_only", values.boolean, False),
    )


def _short(fields: Fields, key: str, item: Any) -> _Mount:
    source, target, options = fields.parse(key, item, _split, ("", "", ""))
    kind = "bind" if _PATH.match(source) else "volume"
    return kind, source, target and fields.parse(key, target, _TARGET, ""), "ro" in options.split(",")


def _split(value: Any) -> tuple[str, str, str]:
    """Split SOURCE:TARGET:OPTIONS, of which the target alone must be there; a Windows path has a colon of its own."""
    text = values.string(value)
    drive, rest = (text[:2], text[2:]) if re.match(r"[A-Za-z]:[\\/]", text) else ("", text)
    parts = rest.split(":")
    if len(parts) > 3:
        raise ValueError(f"must be such as data:/srv/data or data:/srv/data:ro, not {text!r}")
    if len(parts) == 1:
        return "", drive + parts[0], ""
    return drive + parts[0], parts[1], parts[2] if len(parts) == 3 else ""
