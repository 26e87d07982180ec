"""What stays of a stack that is gone, said so that somebody can remove it: why it stays, what it costs, the command.

Prices are AWS's list prices in us-east-1 (November 2026), in US$.
"""

from collections.abc import Iterator

import boto3

from infra.operations.kept import SNAPSHOT, Kept

# By type: why it stays, what it costs a month, and the command that removes it.
WHY = {
    SNAPSHOT: (
        "a last snapshot of the database, so that no product is lost",
        "0.095 for each GB of storage",
        "aws rds delete-db-snapshot --region {region} --db-snapshot-identifier {identity}",
    ),
    "AWS::KMS::Key": (
        "the key of the database: without it nobody reads the snapshots",
        "1, and 1 more for each of the first two years' rotations",
        "aws kms schedule-key-deletion --region {region} --key-id {identity}",
    ),
    "AWS::EFS::FileSystem": (
        "the files of the volumes",
        "0.30 for each GB, and what AWS Backup keeps of them 0.05 for 35 days",
        "aws efs delete-file-system --region {region} --file-system-id {identity}",
    ),
    "AWS::S3::Bucket": (
        "the logs of who connected and who asked; each file is deleted when its time is over",
        "0.023 for each GB",
        "aws s3 rb --force s3://{identity}",
    ),
}
_UNKNOWN = ("its DeletionPolicy says so", "see the prices of its service", "the command of its service")
_SHARED = "What make bootstrap made stays for other stacks, with the images; `cdk gc` deletes those that nobody uses."


def report(session: boto3.Session, left: list[Kept]) -> Iterator[str]:
    """Yield what stays of a stack that is gone, a paragraph each; a snapshot by its own name.

    Raises:
        BotoCoreError, ClientError: AWS refused.
    """
    named = [one for item in left for one in (_snapshots(session, item) if item.type == SNAPSHOT else [item])]
    for one in named:
        why, price, command = WHY.get(one.type, _UNKNOWN)
        remove = command.format(region=session.region_name, identity=one.identity)
        yield f"{one.type} {one.identity} stays: {why}.\n  US$ a month: {price}.\n  Remove it: {remove}"
    if not named:
        yield "Nothing of it stays."
    yield _SHARED


def _snapshots(session: boto3.Session, database: Kept) -> list[Kept]:
    """Return the snapshots of a database that is gone; those of its earlier lives too, as they cost the same."""
    pages = (
        session.client("rds")
        .get_paginator("describe_db_snapshots")
        .paginate(DBInstanceIdentifier=database.identity, SnapshotType="manual")
    )
    return [Kept(SNAPSHOT, found["DBSnapshotIdentifier"]) for page in pages for found in page["DBSnapshots"]]
