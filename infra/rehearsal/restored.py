"""A backup, data that is changed by mistake, and the way back, by the command line of operators."""

import boto3

from infra.operations import beside
from infra.operations.asleep import wait_for
from infra.rehearsal.operate import ask, facts
from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.products import PRODUCT
from infra.rehearsal.site import Site

_PATIENCE = 120  # seconds; the tasks' connections are new ones


def restored(environment: str, stack_name: str, session: boto3.Session, site: Site) -> list[str]:
    """Back up, delete a product and create two, go back; return what was seen, and leave nothing beside the database.

    Raises RehearsalError at the first thing that is not as it should be.
    """
    kept = site.request("POST", "/products/", 201, PRODUCT)
    snapshot = facts(environment, "backup")["snapshot"]
    before = site.count()
    site.request("DELETE", f"/products/{kept['id']}", 200)
    mistakes = [site.request("POST", "/products/", 201, PRODUCT)["id"] for _ in range(2)]
    code, compared = ask(environment, "restore", snapshot, "--uncompared", "--json")  # nobody agrees
    if code != 1 or site.count() != before + 1:
        raise RehearsalError(f"restore without a yes ended with {code}, and said: {compared}")
    said = facts(environment, "restore", snapshot, "--yes")
    (products,) = [one for one in said["counts"] if one["table"] == "products"]
    if (products["now"], products["restored"]) != (before + 1, before):
        raise RehearsalError(f"restore counted {products}, where there are {before + 1} now and {before} in {snapshot}")
    wait_for("the first answer", lambda: site.fetch("GET", f"/products/{kept['id']}")[0] == 200, _PATIENCE)
    if site.count() != before or any(site.fetch("GET", f"/products/{one}")[0] != 404 for one in mistakes):
        raise RehearsalError(f"after restore there are {site.count()} products, and not the {before} of {snapshot}")
    _clean_up(session, stack_name, snapshot)
    return [
        f"backup: {snapshot}",
        f"restore: products {products['now']} now, {products['restored']} in the snapshot",
        f"switched: {kept['id']} is there again, {' and '.join(map(str, mistakes))} are not; before: {said['before']}",
    ]


def _clean_up(session: boto3.Session, stack_name: str, snapshot: str) -> None:
    """Delete the snapshot and what is beside the database, as an operator does at last."""
    rds = session.client("rds")
    found = beside.instances(rds, stack_name)
    for name in [one for one in found if one != stack_name]:
        if found[name]["DeletionProtection"]:
            rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    rds.delete_db_snapshot(DBSnapshotIdentifier=snapshot)
