"""A directory of an EFS file system is a volume of the engine: files stay when the task that wrote them is gone.

The emulator itself only writes file systems down. A volume belongs to the user of its access point; who writes to it
writes as itself, where EFS would make it that user.
"""

import os
from typing import Any

from infra.rehearsal.launcher.database import run_off_the_loop
from infra.rehearsal.launcher.internals import container_reaper, efs, handlers

_ACCESS_POINT = "AWS::EFS::AccessPoint"
_LABEL = "catalogue.rehearsal"  # by which infra/rehearsal/engine.py removes what is left


def install(engine: Any) -> None:
    """Make the volume of each access point with it."""
    points = handlers(_ACCESS_POINT)
    create_record = points["create"]

    def create(logical_id: str, properties: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        identity, attributes = create_record(logical_id, properties, stack_name)
        _make(engine, identity)
        return identity, attributes

    points["create"] = create
    run_off_the_loop(_ACCESS_POINT)


def mounted(mount: dict[str, Any], task_definition: dict[str, Any]) -> str:
    """Return what the engine mounts for a mount point: an access point's volume, or a new one for a scratch volume."""
    for volume in task_definition.get("volumes", []):
        on_efs = volume.get("EFSVolumeConfiguration")
        if on_efs and volume["Name"] == mount["sourceVolume"]:
            options = "ro,nocopy" if mount.get("readOnly") else "nocopy"
            name = _name(on_efs["AuthorizationConfig"]["AccessPointId"])
            return f"{name}:{mount['containerPath']}:{options}"
    return str(mount["containerPath"])


def remove(engine: Any) -> None:
    """Remove the volumes, which outlive the stack, with the emulator."""
    for volume in engine.volumes.list(filters={"label": f"{_LABEL}={os.environ['MINISTACK_HOSTNAME']}"}):
        volume.remove(force=True)


def _make(engine: Any, access_point: str) -> None:
    name = _name(access_point)
    if any(volume.name == name for volume in engine.volumes.list()):
        return
    engine.volumes.create(name, labels={_LABEL: os.environ["MINISTACK_HOSTNAME"]})
    info = efs._access_points[access_point]["RootDirectory"]["CreationInfo"]
    script = f"chown {info['OwnerUid']}:{info['OwnerGid']} /volume && chmod {info['Permissions']} /volume"
    engine.containers.run(
        engine.containers.get(os.environ["HOSTNAME"]).image.id,
        ["sh", "-c", script],
        volumes=[f"{name}:/volume"],
        labels=container_reaper.own_labels("efs"),
        remove=True,
    )


def _name(access_point: str) -> str:
    record = efs._access_points[access_point]
    path = record["RootDirectory"]["Path"].strip("/")
    return f"{os.environ['MINISTACK_HOSTNAME']}-{record['FileSystemId']}-{path}"
