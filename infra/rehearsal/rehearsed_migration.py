"""A migration that only a later version has, on a copy of a snapshot, by the command line of operators."""

from pathlib import Path

import boto3

from infra.operations import beside
from infra.rehearsal.cdk import Cdk
from infra.rehearsal.operate import facts
from infra.rehearsal.problem import RehearsalError

_WORDS = ("the schema is at revision", "public.products", "It was connected for", "The migration succeeded.")


def rehearsed(environment: str, stack_name: str, session: boto3.Session, cdk: Cdk, project: Path) -> list[str]:
    """Back up, rehearse the migration of `project`, a later version; return what was said of it.

    Raises RehearsalError when it fails, does not tell of its locks, or leaves the copy.
    """
    rds, snapshot = session.client("rds"), facts(environment, "backup")["snapshot"]
    code, said = cdk.operate(project, "rehearse-migration", variables={})
    told = [next((line for line in said if words in line), "") for words in _WORDS]
    if code or not all(told):
        raise RehearsalError(f"rehearse-migration ended with {code}, and said: {' / '.join(said[-5:])}")
    if (left := list(beside.instances(rds, stack_name))) != [stack_name]:
        raise RehearsalError(f"rehearse-migration left {', '.join(left)}")
    rds.delete_db_snapshot(DBSnapshotIdentifier=snapshot)
    return [f"on a copy of {snapshot}, which is gone", *told]
