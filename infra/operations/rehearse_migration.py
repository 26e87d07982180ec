"""Run this checkout's migrations on a copy of the newest snapshot, and tell whom their locks keep waiting for how long.

The copy is made beside the database (NAME-rehearsal), which is not touched, and deleted at the end, also after Ctrl-C;
one that a killed rehearsal has left is deleted by the next, or by --clean-up. The image of this checkout is built and
pushed, as a deployment would do it: what is deployed has no migrations that are pending. Nobody else is on the copy, so
what counts is how long a lock is held; `make migration-check` is about waiting for one, with readers and writers.
"""

import argparse
import json
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from infra.operations import as_owner, beside, cdk, one_off
from infra.operations.beside import FROM, REHEARSAL
from infra.operations.command_line import Output
from infra.operations.database_settings import at_birth
from infra.operations.deployment import Deployment, OperationError
from infra.operations.lock_watch import LockWatch, watched, watching
from infra.operations.one_off import Container
from infra.operations.pricing import TemplateError, synthesised_into
from infra.operations.restore import give_password, refuse_foreign, snapshot_named
from infra.operations.rotate import urls_secrets

# The copy of a day is nobody's: no second zone, no backups of its own.
_CHEAP = {"MultiAZ": False, "BackupRetentionPeriod": 0, "CopyTagsToSnapshot": False}
_TAG = re.compile(r":([0-9a-f]{64})$")  # of an image that is an asset of CDK's


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `rehearse-migration` takes."""
    parser.add_argument("--snapshot", help="of the database (default: the newest, which backup or RDS has made)")
    parser.add_argument("--clean-up", action="store_true", help="only delete a copy that a killed rehearsal has left")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Rehearse; return 1 when a migration fails, which the database has been spared."""
    name, rds = beside.name_of(deployment), deployment.client("rds")
    say: Callable[[str], None] = (lambda _line: None) if out.as_json else out.line
    copy = beside.called(name, REHEARSAL)
    _clean_up(rds, copy, say)
    if options.clean_up:
        if not out.facts({"copy": copy}):
            out.line(f"There is no {copy} any more.")
        return 0
    live = beside.instances(rds, name).get(name)
    if live is None:
        raise OperationError(f"there is no database {name}: restore goes on where one is being put in its place")
    service, described = as_owner.owners_task(deployment)
    migrating = as_owner.owners_container(deployment, described)
    _require_other_address(deployment, migrating, live["Endpoint"]["Address"])
    snapshot = snapshot_named(rds, options.snapshot) if options.snapshot else _newest(rds, name)
    refuse_foreign(deployment, {**snapshot, "KmsKeyId": live.get("KmsKeyId")}, live)  # a copy may have another key
    image = _published(deployment, service.name, migrating)
    if image == migrating["image"]:
        if not out.facts({"pending": False}):
            out.line(f"The image of {migrating['name']} is the one that is deployed: no migration is pending.")
        return 0
    origin = snapshot["DBSnapshotIdentifier"]
    try:
        say(f"{copy} is made from {origin}; that takes ten minutes and more, and costs as long as it is there:")
        wanted = {**at_birth(live, {FROM: origin}), **_CHEAP}
        rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier=copy, DBSnapshotIdentifier=origin, **wanted)
        give_password(deployment, copy, say)
        host = beside.described(rds, copy)[0]["Endpoint"]["Address"]
        own = _led_to(migrating, image, live["Endpoint"]["Address"], host)
        containers = [watching(deployment, described, host), watched(own)]
        watch = LockWatch(say)
        code = one_off.run_once(deployment, service, described, containers, watch.heard)
    finally:
        _clean_up(rds, copy, say)
    if not out.facts({"snapshot": origin, "code": code, "seconds": watch.seconds, "locks": watch.locks}):
        _show(watch, out)
        out.line(f"The migration {'succeeded' if code == 0 else f'failed with {code}: nothing else saw it'}.")
    return 1 if code else 0


def _clean_up(rds: Any, copy: str, say: Callable[[str], None]) -> None:
    """Delete the copy, should there be one, and wait until RDS has let go of its name."""
    if not beside.described(rds, copy):
        return
    say(f"{copy} is deleted:")
    beside.delete_copy(rds, copy, say)
    beside.gone(rds, copy, say)


def _newest(rds: Any, name: str) -> Any:
    made = beside.snapshots(rds, name)
    if not made:
        raise OperationError(f"there is no snapshot of {name}: backup takes one")
    return made[0]


def _require_other_address(deployment: Deployment, migrating: Container, address: str) -> None:
    """Refuse a container that would migrate the database itself: it can be led elsewhere by a variable alone."""
    urls = urls_secrets(deployment.resources)
    by_url = any(one["valueFrom"].startswith(url) for one in migrating["secrets"] for url in urls)
    if by_url or not any(one["value"] == address for one in migrating.get("environment", [])):
        raise OperationError(
            f"{migrating['name']} is given the database's address in a URL, which is a secret, so it cannot be led to "
            "a copy: give it the parts (x-aws.rds.variables with host, username and password), and nothing else"
        )


def _published(deployment: Deployment, service: str, migrating: Container) -> str:
    """Return this checkout's image of the container that migrates, built and pushed as a deployment does it.

    Raises:
        OperationError: it cannot be, or is none that is built from a checkout.
    """
    region, environment = str(deployment.session.region_name), deployment.plan.settings.name
    with tempfile.TemporaryDirectory() as folder:
        try:
            template = synthesised_into(Path(folder), environment)
        except TemplateError as error:
            raise OperationError(str(error)) from None
        written = json.dumps(_container_of(template, f"{deployment.stack_name}-{service}", migrating["name"])["Image"])
        new, deployed = _TAG.search(written.rstrip('"}')), _TAG.search(migrating["image"])
        if new is None or deployed is None:
            raise OperationError(f"the image of {migrating['name']} is not built from a checkout: nothing is pending")
        image = f"{migrating['image'][: deployed.start()]}:{new[1]}"
        options = ("--unstable=publish-assets", "--app", folder, "--all")
        if image != migrating["image"] and cdk.run("publish-assets", *options, region=region):
            raise OperationError("the images of this checkout could not be built and pushed: see above")
    return image


def _container_of(template: Mapping[str, Any], family: str, name: str) -> Any:
    for one in template["Resources"].values():
        if one["Type"] == "AWS::ECS::TaskDefinition" and one["Properties"].get("Family") == family:
            for container in one["Properties"]["ContainerDefinitions"]:
                if container["Name"] == name:
                    return container
    raise OperationError(f"this checkout has no container {name} in the task {family}")


def _led_to(migrating: Container, image: str, address: str, host: str) -> Container:
    """Return the container that migrates with the new image, and with the copy at `host` in the place of `address`."""
    variables = {one["name"]: host for one in migrating["environment"] if one["value"] == address}
    return as_owner.with_variables({**migrating, "image": image, "essential": True}, variables)


def _show(watch: LockWatch, out: Output) -> None:
    table = Table("table", "keeps waiting", "seconds", box=None, pad_edge=False)
    table.columns[-1].justify = "right"
    for one in watch.locks:
        table.add_row(one.table, one.who, f"{one.seconds:.2f}")
    if watch.locks:
        out.console.print(table)
    else:
        out.line("No lock was held for long enough to be seen, which is a fiftieth of a second.")
    out.line(f"It was connected for {watch.seconds:.1f} s; a copy reads what it has not read before from S3.")
