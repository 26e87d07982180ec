"""Go back to a snapshot or a moment: to a new database, compared with the one that runs, then put in its place.

Without a snapshot or --at it only lists what there is. The new database is made beside the one that runs, as it is;
their tables' rows are counted side by side, and after a yes (--yes) both change their names, by which everything finds
them: for ten to twenty minutes nobody reaches a database. What was written since is in the old one, which stays as
NAME-before-DATE until you delete it. Interrupted at whatever step, the same command goes on; until the yes,
--abandon deletes the new one.
"""

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from infra.cost.estimate import Group, estimate
from infra.cost.prices import NoPriceError, prices
from infra.operations import as_owner, beside, database_sign_in, restart, stacks
from infra.operations.beside import FROM, RESTORED
from infra.operations.command_line import Output, age
from infra.operations.database_settings import at_birth, differences
from infra.operations.deployment import Deployment, OperationError
from infra.operations.rotate import owners_password
from infra.plan.preview import is_preview

# RDS renames an instance and keeps everything else, and CloudFormation knows it by its name: so the stack, its address
# and the names of its logs and alarms are those of the new one, with no deployment. Another snapshot_identifier in the
# template would be a replacement, which the fixed name forbids (docs/changes.md).
UNFINISHED = "restore-unfinished"
"""The tag of a restored database until it has all that the one before had."""

_LISTED = 20

Count = dict[str, Any]
"""How many rows a table has now and in what was restored; None where there is no such table."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `restore` takes."""
    parser.add_argument("snapshot", nargs="?", help="its name; without it, those that there are are listed")
    parser.add_argument("--at", metavar="TIME", help="a moment of the last days instead: 2026-11-26T20:15:00-03:00")
    parser.add_argument("--yes", action="store_true", help="switch without being asked")
    parser.add_argument("--uncompared", action="store_true", help="without counting: for an image without Python")
    parser.add_argument("--abandon", action="store_true", help="delete what was restored and not switched to")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """List, or restore, compare and switch; 1 when it was not switched."""
    name, rds = beside.name_of(deployment), deployment.client("rds")
    say: Callable[[str], None] = (lambda _line: None) if out.as_json else out.line
    if options.abandon:
        return _abandon(rds, name, say, out)
    if not options.snapshot and not options.at:
        return _list(rds, name, out)
    if options.snapshot and options.at:
        raise OperationError("a snapshot or --at, not both")
    origin = options.snapshot or f"{name} at {_moment(options.at):%Y-%m-%dT%H:%M:%SZ}"
    restored = beside.called(name, RESTORED)
    if not options.uncompared:
        as_owner.owners_task(deployment)  # refuses, before anything is made
    found = beside.renamed(rds, name, say)
    _refuse_at_a_bad_time(deployment, found.get(name), origin)
    counts: list[Count] = []
    if name in found and UNFINISHED not in beside.tags_of(found[name]):
        _make(deployment, found, origin, _moment(options.at) if options.at else None, say)
        counts = [] if options.uncompared else _compare(deployment, rds, name, restored, say)
        if counts and not out.as_json:
            _show(counts, origin, out)
        if not options.yes and not _agreed(name, restored, out):
            out.facts({"switched": False, "counts": counts})
            return 1
        database_sign_in.allow(deployment, beside.described(rds, restored)[0])
        _rename(rds, name, beside.called_before(name), say)
    if not beside.described(rds, name):
        _refuse_another_origin(beside.described(rds, restored), restored, origin)
        _rename(rds, restored, name, say)
    before = _finish(rds, name, say)
    tasks = restart.replace_tasks(deployment, deployment.services)
    arn = beside.described(rds, name)[0]["DBInstanceArn"]
    rds.remove_tags_from_resource(ResourceName=arn, TagKeys=[UNFINISHED])  # the last: until then it is gone on with
    if not out.facts({"switched": True, "database": name, "from": origin, "before": before, "counts": counts}):
        if tasks:
            out.line(f"New tasks take over in a minute or two: {', '.join(tasks)}.")
        _report(deployment, rds, name, before, origin, out)
    return 0


def _list(rds: Any, name: str, out: Output) -> int:
    found = beside.instances(rds, name)
    latest = found.get(name, {}).get("LatestRestorableTime")
    facts = [
        {"snapshot": one["DBSnapshotIdentifier"], "kind": one["SnapshotType"], "made": one["SnapshotCreateTime"]}
        for one in beside.snapshots(rds, name)[:_LISTED]
    ]
    others = [one for one in found if one != name]
    if out.facts({"snapshots": facts, "latest_moment": latest, "beside": others}):
        return 0
    table = Table("snapshot", "made", "by", box=None, pad_edge=False)
    for one in facts:
        kind = "RDS, every day" if one["kind"] == "automated" else "somebody"
        table.add_row(one["snapshot"], f"{age(one['made'])} ago", kind)
    out.console.print(table)
    if latest:
        days = found[name]["BackupRetentionPeriod"]
        out.line(f"Or any moment of the last {days} days until {latest:%Y-%m-%d %H:%M:%S} UTC: --at TIME")
    for other in others:
        out.line(f"Beside {name} there is {other}" + _origin_of(found[other]))
    return 0


def _origin_of(instance: Any) -> str:
    origin = beside.tags_of(instance).get(FROM)
    return f", from {origin}" if origin else ""


def _abandon(rds: Any, name: str, say: Callable[[str], None], out: Output) -> int:
    found, restored = beside.instances(rds, name), beside.called(name, RESTORED)
    if name not in found:
        origin = _origin_of(found.get(restored, {})) or ", which is not there either"
        raise OperationError(
            f"{name} is set aside already, and its place is for {restored}{origin}: restore that again"
        )
    if restored in found:
        beside.delete_copy(rds, restored, say)
    if not out.facts({"deleted": [restored] if restored in found else []}):
        out.line(f"{restored} is being deleted." if restored in found else "There is nothing to abandon.")
    return 0


def _moment(text: str) -> datetime:
    moment = None
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
    if moment is None or moment.tzinfo is None:
        raise OperationError(f"--at {text}: not a time with its offset, such as 2026-11-26T20:15:00-03:00")
    return moment.astimezone(UTC)


def _refuse_at_a_bad_time(deployment: Deployment, live: Any, origin: str) -> None:
    """Refuse what could not be gone through with, before anything is made."""
    if is_preview(deployment.plan.settings.name):
        raise OperationError("a preview has nobody's data, and goes away by itself: make destroy, and deploy it again")
    if (status := deployment.stack["StackStatus"]).endswith("_IN_PROGRESS"):
        raise OperationError(f"{deployment.stack_name} is being changed ({status}): wait for it")
    if live and live["DBInstanceStatus"] in ("stopped", "stopping", "starting"):
        raise OperationError(f"the database is {live['DBInstanceStatus']}: make wake first")
    unfinished = beside.tags_of(live or {}).get(UNFINISHED, origin)
    if unfinished != origin:
        raise OperationError(f"going back to {unfinished} was interrupted: restore that again first, which goes on")


def _refuse_another_origin(restored: list[Any], name: str, origin: str) -> None:
    """Refuse to go on with what was made from something else than is asked for, or is not there."""
    made_from = beside.tags_of(restored[0]).get(FROM, "something unknown") if restored else ""
    if not restored:
        raise OperationError(f"there is neither the database nor {name}: RDS's console says more")
    if made_from != origin:
        raise OperationError(
            f"{name} is there, from {made_from}: restore with that goes on with it, and restore --abandon deletes it"
        )


def _make(
    deployment: Deployment, found: dict[str, Any], origin: str, moment: datetime | None, say: Callable[[str], None]
) -> None:
    """Have the new database there, as the one that runs, with its owner's password; what is there is gone on with."""
    rds, name = deployment.client("rds"), beside.name_of(deployment)
    restored, live = beside.called(name, RESTORED), found[name]
    if restored in found:
        _refuse_another_origin([found[restored]], restored, origin)
        say(f"{restored} is there already, from {origin}:")
    else:
        wanted = at_birth(live, {FROM: origin, UNFINISHED: origin})
        if moment:
            rds.restore_db_instance_to_point_in_time(
                SourceDBInstanceIdentifier=name, TargetDBInstanceIdentifier=restored, RestoreTime=moment, **wanted
            )
        else:
            refuse_foreign(deployment, snapshot_named(rds, origin), live)
            rds.restore_db_instance_from_db_snapshot(
                DBInstanceIdentifier=restored, DBSnapshotIdentifier=origin, **wanted
            )
        say(f"{restored} is made from {origin}; that takes ten minutes and more:")
    give_password(deployment, restored, say)


def snapshot_named(rds: Any, name: str) -> Any:
    """Return what RDS says of a snapshot; OperationError when there is none that can be used."""
    try:
        (found,) = rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"]
    except rds.exceptions.DBSnapshotNotFoundFault:
        raise OperationError(f"there is no snapshot {name}: restore without a name lists them") from None
    if found["Status"] != "available":
        raise OperationError(f"the snapshot {name} is {found['Status']}: wait for it")
    return found


def refuse_foreign(deployment: Deployment, snapshot: Any, live: Any) -> None:
    """Raise OperationError with all that keeps a snapshot from taking the place of the database."""
    database = deployment.plan.project.database
    owner = database.owner if database else live["MasterUsername"]
    major = snapshot["EngineVersion"].partition(".")[0]
    problems = []
    if snapshot["MasterUsername"] != owner:
        problems.append(f"its owner is {snapshot['MasterUsername']}, and that of the stack {owner}")
    if major != live["EngineVersion"].partition(".")[0]:
        problems.append(f"it is of PostgreSQL {major}, and the database of {live['EngineVersion']}")
    if snapshot.get("KmsKeyId") != live.get("KmsKeyId"):
        problems.append(
            "it has another key, which would be the database's then: aws rds copy-db-snapshot --kms-key-id "
            f"{live.get('KmsKeyId', '…')} makes a copy with the right one"
        )
    if problems:
        raise OperationError(f"the snapshot {snapshot['DBSnapshotIdentifier']} does not fit: {'; '.join(problems)}")


def give_password(deployment: Deployment, name: str, say: Callable[[str], None]) -> None:
    """Wait for an instance, and give its owner the password that the stack's secret has: a snapshot has its own."""
    rds = deployment.client("rds")
    beside.awaited(rds, name, lambda _one: True, say)
    password = owners_password(deployment.session, deployment.resources)
    rds.modify_db_instance(DBInstanceIdentifier=name, MasterUserPassword=password, ApplyImmediately=True)
    beside.awaited(rds, name, lambda one: "MasterUserPassword" not in one.get("PendingModifiedValues", {}), say)


def _compare(deployment: Deployment, rds: Any, name: str, restored: str, say: Callable[[str], None]) -> list[Count]:
    hosts = [beside.described(rds, one)[0]["Endpoint"]["Address"] for one in (name, restored)]
    say("The rows of both are counted:")
    counts = as_owner.counts(deployment, hosts, say)
    tables = sorted(set().union(*counts))
    return [{"table": one, "now": counts[0].get(one), "restored": counts[1].get(one)} for one in tables]


def _show(counts: list[Count], origin: str, out: Output) -> None:
    table = Table("table", "rows now", f"in {origin}", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for one in counts:
        cells = [f"{one[side]:,}" if one[side] is not None else "no such table" for side in ("now", "restored")]
        table.add_row(one["table"], *cells)
    out.console.print(table)


def _agreed(name: str, restored: str, out: Output) -> bool:
    """Ask; say what is to be done where there is nobody to ask."""
    if out.as_json or not sys.stdin.isatty():
        print(f"Nothing is switched: the same with --yes does, and --abandon deletes {restored}.", file=sys.stderr)
        return False
    out.line("Nobody reaches a database for ten to twenty minutes now, and the counts on the right are what there is.")
    try:
        answer = input(f"Put it in the place of {name}? Type yes: ")
    except EOFError:
        answer = ""
    if answer.strip().lower() == "yes":
        return True
    out.line(f"Nothing is switched. {restored} costs what a database costs: restore --abandon deletes it.")
    return False


def _rename(rds: Any, old: str, new: str, say: Callable[[str], None]) -> None:
    beside.awaited(rds, old, lambda _one: True, say)  # while it is backed up or changed, RDS refuses
    say(f"{old} becomes {new}:")
    rds.modify_db_instance(DBInstanceIdentifier=old, NewDBInstanceIdentifier=new, ApplyImmediately=True)
    beside.awaited(rds, new, lambda _one: True, say)


def _finish(rds: Any, name: str, say: Callable[[str], None]) -> str:
    """Give the database in its new place all that the one before has, whose name is returned."""
    live = beside.awaited(rds, name, lambda _one: True, say)
    found = beside.instances(rds, name)
    before = (beside.set_aside(found) or [""])[-1]
    if before and (changes := differences(live, found[before])):
        rds.modify_db_instance(DBInstanceIdentifier=name, ApplyImmediately=True, **changes)
        say(f"{name} is set as {before} was: {', '.join(changes)}")
        beside.awaited(rds, name, lambda _one: True, say)
    return before


def _report(deployment: Deployment, rds: Any, name: str, before: str, origin: str, out: Output) -> None:
    out.line(f"{name} is what {origin} had. What was written since is in {before} alone.")
    (old,) = beside.described(rds, before) or [{}]
    out.line(f"It stays, protected as it was, and costs {_cost(deployment)} When nobody needs it:")
    region = str(deployment.session.region_name)
    out.line(beside.how_to_delete(region, before, protected=bool(old.get("DeletionProtection"))))


def _cost(deployment: Deployment) -> str:
    try:
        body = stacks.template(deployment.session, deployment.stack_name) or {"Resources": {}}
        lines = estimate(body, prices(str(deployment.session.region_name))).lines
    except NoPriceError:
        return "as much as the database itself."
    usd = sum(line.minimum for line in lines if line.group is Group.DATABASE)
    return f"as much as the database itself, some {usd:.0f} US$ a month."
