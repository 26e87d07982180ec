"""The rehearsal as a story: bootstrap, deploy, look, deploy again, use it, destroy, look at what is left."""

import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from infra.operations import receipts, stacks
from infra.operations.kept import SNAPSHOT, Kept, kept
from infra.operations.left import report
from infra.operations.pricing import template_of
from infra.operations.project import plan_of
from infra.operations.service_linked_roles import ROLES
from infra.operations.versions import deregister
from infra.rehearsal.account import Resource, kinds, resources
from infra.rehearsal.cdk import Cdk
from infra.rehearsal.emulator import REGION, Emulator, emulated_aws
from infra.rehearsal.engine import ROOT
from infra.rehearsal.gaps import gaps
from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.products import PRODUCT
from infra.rehearsal.scenarios import ALL, RESTORE, SCENARIOS, DeployedStack, Scenario, is_of_products, playable
from infra.rehearsal.site import Site, service_token
from infra.rehearsal.versions import from_snapshot, unprotected

_BOOTSTRAP_STACK = "CDKToolkit"
_NETWORK = "AWS::EC2::"


def rehearse(
    environment: str, directory: Path, console: Console, *, containers: bool, scenarios: Collection[str], keep: bool
) -> None:
    """Rehearse one environment, with logs in `directory`; raise RehearsalError at the first thing that is wrong.

    `containers` runs tasks and the database on the Docker engine, and then plays those of `scenarios`.
    `keep` waits for Ctrl-C before anything is destroyed. Whatever happens, the emulated AWS is gone afterwards.
    """
    scenarios = playable(scenarios)
    where = (
        "its containers run on the Docker engine" if containers else "without a Docker engine, the control plane only"
    )
    console.print(f"Rehearsing {environment} on an emulated AWS: {where}", soft_wrap=True)
    with _emulated_aws(directory, console, containers) as emulator:
        cdk = Cdk(emulator, environment, directory)
        with _step(console, "cdk synth"):
            cdk.synth(first=True)
        session = boto3.Session()
        with _step(console, "cdk bootstrap, and the roles of AWS's services"):
            cdk.bootstrap()
            for role in ROLES.values():  # by hand: the emulator has other names for what AWS makes
                session.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument="{}")
        if containers:  # without an engine it would refuse, and rightly
            _verify(cdk, console)
        before = resources(session)
        with _step(console, "cdk deploy"):
            cdk.deploy()
        if plan_of(environment, ROOT).settings.deletion_protection:
            with _step(console, "cdk deploy again: what is there is protected from removal"):
                cdk.synth()
                cdk.deploy()
        template = template_of(cdk.assembly)
        stack = _stack(session)
        made = _made(session, stack["StackName"], before)
        console.print(_table(stack, made))
        with _step(console, "cdk deploy again: no changes"):
            if cdk.deploy():
                raise RehearsalError("a second cdk deploy of the same stack changed something")
        deployment = DeployedStack(
            environment=environment,
            stack_name=stack["StackName"],
            cdk=cdk,
            site=_site(emulator, session, stack),
            emulator=emulator,
            session=session,
            directory=directory,
        )
        if containers:
            console.print(f"The public URL is {deployment.site.url or 'none, as nothing is public'}", soft_wrap=True)
            for name, scenario in SCENARIOS.items():
                if name in scenarios:
                    _play(scenario, deployment, console)
        if keep:
            _wait(emulator, deployment.site, console)
        if containers and RESTORE in scenarios:
            deployment.site.request("POST", "/products/", 201, PRODUCT)
        products = deployment.site.count() if containers and RESTORE in scenarios else 0
        left = kept(session, stack["StackName"])
        if stack["EnableTerminationProtection"]:
            _refuse_destruction(session, cdk, console)
            with _step(console, "cdk deploy with deletion_protection: false"):
                cdk.synth(unprotected(deployment.project, environment, directory))
                cdk.deploy()
        with _step(console, "cdk destroy"):
            cdk.destroy()
            deregister(session, plan_of(environment, ROOT))  # as make destroy does
        _report_left(session, emulator, before, left, console)
        if RESTORE in scenarios:
            _restore(deployment, products, console)
    if containers and scenarios >= playable(ALL):
        receipts.write(environment, template, ROOT)
        console.print(f"make deploy ENV={environment} takes exactly this as rehearsed.")
    console.print("\nNot emulated, so not shown by this:")
    for gap in gaps(containers=containers):
        console.print(f"  - {gap}", soft_wrap=True)


@contextmanager
def _emulated_aws(directory: Path, console: Console, containers: bool) -> Iterator[Emulator]:
    started = time.monotonic()
    with emulated_aws(directory, containers=containers) as emulator:
        # From here on this process and all it starts know of no other account.
        environment = emulator.environment()
        os.environ.clear()
        os.environ.update(environment)
        _done(console, f"Start the emulated AWS, account {emulator.account}", started)
        yield emulator


def _stack(session: boto3.Session) -> Any:
    stacks = session.client("cloudformation").describe_stacks()["Stacks"]
    (stack,) = (stack for stack in stacks if stack["StackName"] != _BOOTSTRAP_STACK)
    return stack


def _output(stack: Any, key: str) -> str:
    return stacks.outputs(stack).get(key, "")  # an application of which nothing is public has no URL


def _made(session: boto3.Session, stack_name: str, before: list[Resource]) -> list[Resource]:
    """What the stack made, as the services themselves tell it; an error when they know less than CloudFormation."""
    made = [resource for resource in resources(session) if resource not in before]
    known = {(resource.type, resource.identity) for resource in made}
    listed = {(one.type, one.physical) for one in stacks.resources(session, stack_name) if one.type in kinds()}
    if missing := sorted(listed - known):
        raise RehearsalError(f"CloudFormation lists what does not exist: {', '.join(map(' '.join, missing))}")
    return made


def _table(stack: Any, made: list[Resource]) -> Table:
    """A row for each thing made, except that those of the network are only counted."""
    network = Counter(resource.type.removeprefix(_NETWORK) for resource in made if resource.type.startswith(_NETWORK))
    table = Table("What", "Name", "State", title=stack["StackName"], title_justify="left")
    table.add_row("network", "", ", ".join(f"{count} {kind}" for kind, count in network.items()))
    for resource in made:
        if not resource.type.startswith(_NETWORK):
            name, facts = (text.replace(f"{stack['StackName']}-", "") for text in (resource.name, resource.facts))
            table.add_row(resource.type.rpartition("::")[2], name, facts)
    return table


def _site(emulator: Emulator, session: boto3.Session, stack: Any) -> Site:
    return Site(emulator.url, _output(stack, "PublicUrl"), service_token(session, stack["StackName"]))


def _play(scenario: Scenario, deployment: DeployedStack, console: Console) -> None:
    with _step(console, scenario.title):
        lines = scenario.play(deployment)
    for line in lines:
        console.print(f"  {line}", soft_wrap=True, markup=False)


def _verify(cdk: Cdk, console: Console) -> None:
    """See that nothing speaks against a deployment, as `make deploy` sees it."""
    with _step(console, "verify"):
        code, said = cdk.operate(ROOT, "verify", variables={})
    for line in said:
        console.print(f"  {line}", soft_wrap=True, markup=False)
    if code:
        raise RehearsalError("verify: something speaks against the deployment")


def _restore(deployment: DeployedStack, products: int, console: Console) -> None:
    """Deploy from the snapshot that is left, see that everything is there, and remove that deployment too."""
    session, cdk, emulator = deployment.session, deployment.cdk, deployment.emulator
    before = resources(session)
    (snapshot,) = session.client("rds").describe_db_snapshots()["DBSnapshots"]
    identifier = snapshot["DBSnapshotIdentifier"]
    with _step(console, f"cdk deploy with snapshot_identifier: {identifier}"):
        cdk.synth(from_snapshot(deployment.project, deployment.environment, deployment.directory, identifier))
        cdk.deploy()
    if emulator.runs_containers:
        restored = _site(emulator, session, _stack(session)).count()
        if restored != products:
            raise RehearsalError(f"of {products} products {restored} were restored from {identifier}")
        console.print(f"  {restored:,} products, as many as were there when it was destroyed", soft_wrap=True)
    left = kept(session, deployment.stack_name)
    with _step(console, "cdk destroy what was restored"):
        cdk.destroy()
        deregister(session, plan_of(deployment.environment, ROOT))
    _report_left(session, emulator, before, left, console)


def _wait(emulator: Emulator, site: Site, console: Console) -> None:
    path = "/products/" if is_of_products() else "/"
    headers = " ".join(f'--header "{name}: {value}"' for name, value in site.headers(signed_in=True).items())
    account = f"AWS_ENDPOINT_URL={emulator.url} AWS_ACCESS_KEY_ID={emulator.account} AWS_SECRET_ACCESS_KEY=rehearsal"
    console.print(f"Kept until Ctrl-C. curl {headers} {emulator.url}{path}", soft_wrap=True, markup=False)
    console.print(f"For the AWS CLI and boto3: {account} AWS_REGION={REGION}", soft_wrap=True)
    while True:
        time.sleep(3600)


def _refuse_destruction(session: boto3.Session, cdk: Cdk, console: Console) -> None:
    rds = session.client("rds")
    names = [database["DBInstanceIdentifier"] for database in rds.describe_db_instances()["DBInstances"]]
    delete = partial(rds.delete_db_instance, SkipFinalSnapshot=True)
    with _step(console, "cdk destroy is refused, and so is deleting the database"):
        refusals = [_refusal("cdk destroy", cdk.destroy)]
        refusals += [_refusal(f"deleting {name}", partial(delete, DBInstanceIdentifier=name)) for name in names]
    for refusal in refusals:
        console.print(f"  {refusal}", soft_wrap=True, markup=False)


def _refusal(what: str, delete: Callable[[], object]) -> str:
    """The sentence with which something protected from deletion refuses it; an error when it does not."""
    try:
        delete()
    except (RehearsalError, ClientError) as error:
        return str(error)
    raise RehearsalError(f"{what} deleted what is protected from deletion")


def _report_left(
    session: boto3.Session, emulator: Emulator, before: list[Resource], retained: list[Kept], console: Console
) -> None:
    left = [resource for resource in resources(session) if resource not in before]
    known = {one.type if one.type == SNAPSHOT else one.identity for one in retained}
    orphans = [resource for resource in left if not {resource.identity, resource.type} & known]
    if orphans:
        named = ", ".join(f"{resource.type} {resource.name}" for resource in orphans)
        raise RehearsalError(f"cdk destroy left behind what no policy retains: {named}")
    if running := emulator.containers():
        raise RehearsalError(f"cdk destroy left containers running: {' '.join(running)}")
    named = ", ".join(f"{resource.type} {resource.name}" for resource in left) or "nothing"
    console.print(f"Left after destroy, retained by policy: {named}", soft_wrap=True)
    for line in report(session, retained):
        console.print(line, soft_wrap=True, markup=False)


@contextmanager
def _step(console: Console, title: str) -> Iterator[None]:
    started = time.monotonic()
    with console.status(title):
        yield
    _done(console, title, started)


def _done(console: Console, title: str, started: float) -> None:
    console.print(f"✓ {title} ({time.monotonic() - started:.1f} s)")
