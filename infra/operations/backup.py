"""Take a snapshot of the database, which stays until somebody deletes it, whatever becomes of the stack."""

import argparse
import time
from datetime import UTC, datetime
from typing import Any

from infra.operations.command_line import Output
from infra.operations.deployment import Deployment, OperationError

_PAUSE_SECONDS = 10
_PATIENCE_SECONDS = 6 * 3600


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `backup` takes."""
    parser.add_argument("--no-wait", action="store_true", help="do not wait until it can be used")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Take it; Ctrl-C ends the waiting, not the snapshot."""
    rds, names = deployment.client("rds"), deployment.physical("AWS::RDS::DBInstance")
    if not names:
        raise OperationError(f"{deployment.stack_name} has no database")
    snapshot = f"{deployment.stack_name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    rds.create_db_snapshot(
        DBSnapshotIdentifier=snapshot,
        DBInstanceIdentifier=names[0],
        Tags=[{"Key": "stack", "Value": deployment.stack_name}],
    )
    if not options.json:
        out.line(f"Snapshot {snapshot} of {names[0]} …")
    state = "creating" if options.no_wait else _awaited(rds, snapshot, None if options.json else out)
    if state not in ("creating", "available"):
        raise OperationError(f"the snapshot {snapshot} is {state}: RDS's events say why")
    if not out.facts({"snapshot": snapshot, "state": state}):
        if state == "available":
            out.line("It is there.")
        out.line(
            f"An environment whose database.snapshot_identifier is {snapshot} begins with it; delete it with\n"
            f"aws rds delete-db-snapshot --region {deployment.session.region_name} --db-snapshot-identifier {snapshot}"
        )
    return 0


def _awaited(rds: Any, snapshot: str, out: Output | None) -> str:
    """Return the state of a snapshot once it is no longer being made; tell how far it is meanwhile."""
    deadline, said = time.monotonic() + _PATIENCE_SECONDS, -1
    while True:
        (found,) = rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"]
        if found["Status"] != "creating":
            return str(found["Status"])
        if time.monotonic() > deadline:
            hours = _PATIENCE_SECONDS // 3600
            raise OperationError(f"{snapshot} is not there after {hours} hours: RDS's console says more")
        done = found.get("PercentProgress", 0)
        if out is not None and done != said:
            out.line(f"  {done} %")
        said = done
        time.sleep(_PAUSE_SECONDS)
