"""A snapshot of an instance holds its data, and an instance can be made from it.

The emulator writes both down only. The data is what PostgreSQL's own tools write of all databases and roles.
"""

import io
import tarfile
from typing import Any

from infra.rehearsal.launcher.internals import handlers, rds, replace

INSTANCE = "AWS::RDS::DBInstance"
SUPERUSER = "rdsadmin"
_FILE = "/tmp/snapshot.sql.gz"  # noqa: S108 (in the database's container)

_dumps: dict[str, bytes] = {}  # by the names of the snapshots


def install() -> None:
    """Give an instance from a snapshot the snapshot's database and owner, which nobody tells RDS beside it."""
    instances = handlers(INSTANCE)
    create = instances["create"]

    def restore(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
        name = properties.get("DBSnapshotIdentifier")
        if name is None:
            return create(logical_id, properties, stack_name)
        if name not in rds._snapshots:
            raise ValueError(f"DBSnapshot not found: {name}")
        snapshot = rds._snapshots[name]
        own = {key: snapshot[key] for key in ("MasterUsername", "DBName", "Engine", "EngineVersion")}
        return create(logical_id, own | properties, stack_name)

    instances["create"] = restore


def keep_data(engine: Any) -> None:
    """Have a snapshot hold what is in the instance's container, whoever makes it."""

    def with_data(make_record: Any) -> Any:
        def make(name: str, instance: dict[str, Any]) -> Any:
            if name not in _dumps:  # by who deletes an instance, it is kept before
                keep(engine, name, instance)
            return make_record(name, instance)

        return make

    replace(rds, "_create_snapshot_internal", with_data)


def keep(engine: Any, name: str, instance: dict[str, Any]) -> None:
    """Keep what is in an instance's container under a snapshot's name; ValueError when that is not possible."""
    container = engine.containers.get(instance["_docker_container_id"])
    # Without the role that there is in every container before.
    dump = f"pg_dumpall --username={SUPERUSER} | grep -v '^CREATE ROLE {SUPERUSER};$' | gzip -1"
    result = container.exec_run(["bash", "-o", "pipefail", "-c", dump], demux=True)
    data, errors = result.output
    if result.exit_code != 0:
        raise ValueError(f"the data of {instance['DBInstanceIdentifier']} cannot be kept: {(errors or b'').decode()}")
    _dumps[name] = data


def forget(name: str) -> None:
    """Forget what a snapshot holds."""
    _dumps.pop(name, None)


def restore(container: Any, name: str) -> None:
    """Put what a snapshot holds into a PostgreSQL that has nothing of its own; ValueError when that is not possible."""
    data, archive = _dumps[name], io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(_FILE.lstrip("/"))
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    container.put_archive("/", archive.getvalue())
    psql = f"psql --quiet --username={SUPERUSER} --dbname=postgres --set=ON_ERROR_STOP=1 --output=/dev/null"
    result = container.exec_run(["bash", "-o", "pipefail", "-c", f"gunzip --stdout {_FILE} | {psql} && rm {_FILE}"])
    if result.exit_code != 0:
        raise ValueError(f"{name} cannot be restored: {result.output.decode()[-500:]}")
