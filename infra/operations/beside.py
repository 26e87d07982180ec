"""Instances beside the stack's database, which `restore` and `rehearse-migration` make: their names tell what they are.

NAME-restored is what `restore` compares and then switches to; NAME-before-DATE is the database as it was when it did;
NAME-rehearsal is the copy that a migration is rehearsed on. There is one of the first and of the last at most.
"""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from infra.operations.deployment import Deployment, OperationError

RESTORED, REHEARSAL = "-restored", "-rehearsal"
_BEFORE = re.compile(r"-before-\d{8}-\d{6}")
_LONGEST = 63  # Amazon RDS API Reference, "CreateDBInstance": DBInstanceIdentifier
_POLL_SECONDS = 5
_PATIENCE_SECONDS = 6 * 3600  # RDS restores by the size of the snapshot, and renames within ten minutes

FROM = "restored-from"
"""The tag of an instance that was made from a snapshot or a point in time: of which."""


def name_of(deployment: Deployment) -> str:
    """Return the identifier of the stack's database; OperationError when it has none."""
    names = deployment.physical("AWS::RDS::DBInstance")
    if not names:
        raise OperationError(f"{deployment.stack_name} has no database")
    return names[0]


def called(name: str, ending: str) -> str:
    """Return the name of an instance beside `name`, as long as RDS takes it."""
    return name[: _LONGEST - len(ending)].rstrip("-") + ending


def called_before(name: str) -> str:
    """Return what a database is called that is set aside now."""
    return called(name, f"-before-{datetime.now(UTC):%Y%m%d-%H%M%S}")


def instances(rds: Any, name: str) -> dict[str, Any]:
    """Return what RDS says of the database and of all that is beside it, by their names, oldest first."""
    found = {}
    for page in rds.get_paginator("describe_db_instances").paginate():
        for one in page["DBInstances"]:
            identifier = one["DBInstanceIdentifier"]
            if identifier == name or is_beside(identifier, name):
                found[identifier] = one
    return dict(sorted(found.items()))


def snapshots(rds: Any, name: str) -> list[Any]:
    """Return the snapshots of the database and of what is or was beside it that can be used, newest first.

    By their own names for it, as RDS does not say whether a snapshot follows an instance that is renamed.
    """
    pages = rds.get_paginator("describe_db_snapshots").paginate()
    made = [one for page in pages for one in page["DBSnapshots"] if one["Status"] == "available"]
    ours = [one for one in made if (of := one["DBInstanceIdentifier"]) == name or is_beside(of, name)]
    return sorted(ours, key=lambda one: one["SnapshotCreateTime"], reverse=True)


def renamed(rds: Any, name: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the instances once none of them is being renamed, as by somebody who was interrupted."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        found = instances(rds, name)
        busy = [identifier for identifier, one in found.items() if _is_renamed(one)]
        if not busy:
            return found
        if time.monotonic() > until:
            raise OperationError(f"{busy[0]} is still being renamed: RDS's console says more")
        say(f"  {busy[0]}: renaming")
        time.sleep(_POLL_SECONDS)


def _is_renamed(instance: Any) -> bool:
    pending = instance.get("PendingModifiedValues", {})
    return instance["DBInstanceStatus"] == "renaming" or "DBInstanceIdentifier" in pending


def is_beside(identifier: str, name: str) -> bool:
    """Say whether an instance is beside the database `name`, by its own name."""
    endings = [RESTORED, REHEARSAL, *_BEFORE.findall(identifier)]
    return any(identifier == called(name, ending) for ending in endings)


def set_aside(found: dict[str, Any]) -> list[str]:
    """Return the names of the databases that were set aside, oldest first."""
    return [identifier for identifier in found if _BEFORE.search(identifier)]


def tags_of(instance: Any) -> dict[str, str]:
    """Return an instance's tags."""
    return {tag["Key"]: tag["Value"] for tag in instance.get("TagList", [])}


def awaited(rds: Any, name: str, is_so: Callable[[Any], bool], say: Callable[[str], None]) -> Any:
    """Return what RDS says of an instance once it is available and `is_so`; tell its states meanwhile.

    Raises:
        OperationError: it failed, or takes hours.
    """
    until, said = time.monotonic() + _PATIENCE_SECONDS, ""
    while True:
        found = next(iter(described(rds, name)), None)
        status = found["DBInstanceStatus"] if found else "not there yet"
        if found and status == "available" and is_so(found):
            return found
        if status in ("failed", "incompatible-restore", "incompatible-network", "incompatible-parameters"):
            raise OperationError(f"{name} is {status}: RDS's events say why (aws rds describe-events)")
        if time.monotonic() > until:
            hours = _PATIENCE_SECONDS // 3600
            raise OperationError(f"{name} is {status} after {hours} hours: run this again later, it goes on")
        if status != said:
            say(f"  {name}: {status}")
        said = status
        time.sleep(_POLL_SECONDS)


def gone(rds: Any, name: str, say: Callable[[str], None]) -> None:
    """Wait until an instance is no more; OperationError when that takes hours."""
    until, said = time.monotonic() + _PATIENCE_SECONDS, False
    while described(rds, name):
        if time.monotonic() > until:
            raise OperationError(f"{name} is still being deleted: RDS's console says more")
        if not said:
            say(f"  {name}: deleting")
        said = True
        time.sleep(_POLL_SECONDS)


def described(rds: Any, name: str) -> list[Any]:
    """Return what RDS says of an instance, in a list, or none."""
    try:
        return list(rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"])
    except rds.exceptions.DBInstanceNotFoundFault:
        return []


def delete_copy(rds: Any, name: str, say: Callable[[str], None]) -> None:
    """Delete an instance that has nothing which is not in a snapshot, and its backups; one that is gone is no error."""
    if any(one["DBInstanceStatus"] == "deleting" for one in described(rds, name)):
        return
    try:
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)
    except rds.exceptions.DBInstanceNotFoundFault:
        return
    except rds.exceptions.InvalidDBInstanceStateFault:  # as while it is made
        awaited(rds, name, lambda _one: True, say)
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)


def how_to_delete(region: str, name: str, *, protected: bool) -> str:
    """Return the commands that delete a database that was set aside, with a last snapshot of it."""
    which = f"--region {region} --db-instance-identifier {name}"
    last = f"aws rds delete-db-instance {which} --final-db-snapshot-identifier {called(name, '-last')}"
    lift = f"aws rds modify-db-instance {which} --no-deletion-protection --apply-immediately\n"
    return (lift if protected else "") + last
