"""`make collect`: which old images and snapshots would be removed; `make collect ARGS=--delete` removes them.

Images by `cdk gc`, which knows which of them no stack uses; snapshots are those that removed environments of this
project left, older than DAYS (`--days`), but never the newest of each. Those of a database that is there were taken by
somebody (`backup`), who alone removes them; instances are never removed, nor what a `restore` has set aside.
"""

import argparse
import datetime
import sys
from typing import Any

import boto3

from infra.compose import ComposeError, find, read
from infra.operations import cdk
from infra.operations.beside import is_beside
from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.session import open_session

_DAYS = 30


def old_snapshots(session: boto3.Session, project: str, before: datetime.datetime) -> list[Any]:
    """Return the manual snapshots of the project's removed databases from before then, but the newest of each.

    Raises:
        BotoCoreError, ClientError: AWS refused, or there are no credentials.
    """
    rds = session.client("rds")
    instances = rds.get_paginator("describe_db_instances").paginate()
    there = {one["DBInstanceIdentifier"] for page in instances for one in page["DBInstances"]}
    of_database: dict[str, list[Any]] = {}
    for page in rds.get_paginator("describe_db_snapshots").paginate(SnapshotType="manual"):
        for one in page["DBSnapshots"]:
            database = one["DBInstanceIdentifier"]
            if database in there or any(is_beside(database, name) for name in there):
                continue
            tags = {tag["Key"]: tag["Value"] for tag in one.get("TagList", [])}
            # By the stack's tag, which RDS copies: a name that merely begins like ours is somebody else's.
            if tags.get("project") == project and "SnapshotCreateTime" in one:
                of_database.setdefault(database, []).append(one)
    found = []
    for made in of_database.values():
        newest_first = sorted(made, key=lambda one: one["SnapshotCreateTime"], reverse=True)
        found += [one for one in newest_first[1:] if one["SnapshotCreateTime"] < before]
    return sorted(found, key=lambda one: str(one["DBSnapshotIdentifier"]))


def main(*arguments: str) -> int:
    """Say what is old, and with --delete remove it."""
    parser = argparse.ArgumentParser(prog="make collect", description=__doc__)
    parser.add_argument("--delete", action="store_true", help="remove it, instead of only saying what it is")
    parser.add_argument("--days", type=int, default=_DAYS, help=f"older than this (default: {_DAYS})")
    said = parser.parse_args(arguments)
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=said.days)
    try:
        project, session = read(find()).name, open_session()
        old = old_snapshots(session, project, before)
        for one in old:
            name, size = one["DBSnapshotIdentifier"], one.get("AllocatedStorage", "?")
            print(f"snapshot {name}, of {one['SnapshotCreateTime']:%Y-%m-%d}, of {size} GB")
            if said.delete:
                session.client("rds").delete_db_snapshot(DBSnapshotIdentifier=name)
    except (ComposeError, *AWS_ERRORS) as error:
        print(f"make collect: {sentence(error)}", file=sys.stderr)
        return 1
    print(f"{len(old)} snapshots {'were removed' if said.delete else 'are old; ARGS=--delete removes them'}.")
    action = ("full", "--yes") if said.delete else ("print",)
    age = ("--created-buffer-days", str(said.days))
    return cdk.run("gc", "--unstable=gc", "--action", *action, *age, region=str(session.region_name))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
