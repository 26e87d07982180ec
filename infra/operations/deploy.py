"""Deploy an environment: look whether that can succeed, say what changes and costs, follow it, ask what it made.

CloudFormation takes a first deployment that fails back, and cannot where the database, the load balancer and the users
are protected from the first second: all that would be left, with a stack that can be neither updated nor removed. So
where `deletion_protection` is true the first deployment goes without it, and an update switches it on afterwards.
What is protected is deployed only as it was rehearsed here (`make rehearse`), unless --unrehearsed says otherwise.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.cost.prices import NoPriceError
from infra.operations import cdk, failures, protection, receipts, smoke, stacks, verify, wake
from infra.operations.command_line import Output
from infra.operations.deployment import AWS_ERRORS, Deployment, OperationError, sentence
from infra.operations.kept import skipped
from infra.operations.left import report
from infra.operations.pricing import TemplateError, console, in_words, price_difference, show, synthesised_into
from infra.operations.progress import Progress, followed

FIRST_DEPLOYMENT = "first_deployment=true"
"""Context with which the stack is synthesised without its protection."""

_CARDS = 3  # of tasks that failed: the others most likely did for the same reason

# What a stack is in that never was complete; of one that is being made nobody knows yet.
_NEVER_COMPLETE = {
    None,
    "CREATE_FAILED",
    "CREATE_IN_PROGRESS",
    "DELETE_COMPLETE",
    "DELETE_IN_PROGRESS",
    "REVIEW_IN_PROGRESS",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "ROLLBACK_IN_PROGRESS",
}


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `deploy` takes."""
    parser.add_argument(
        "--unrehearsed", action="store_true", help="deploy what is protected although just this was not rehearsed"
    )


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Deploy; the exit code is that of the CDK CLI, or 1 when something speaks against it or came of it."""
    found = list(verify.verify(deployment))
    verify.show(found, out)
    if verify.speaks_against(found):
        raise OperationError("nothing was deployed: mend what is marked ✗")
    plan, session = deployment.plan, deployment.session
    is_first = stacks.status(session, plan.stack_name) in _NEVER_COMPLETE
    if not is_first and (why := protection.refusal(session, plan)):
        raise OperationError(why)
    is_protected = plan.settings.deletion_protection
    with _assembly(plan.settings.name) as (assembly, template):
        unrehearsed = receipts.missing(plan.settings.name, template) if is_protected else None
        if unrehearsed and not options.unrehearsed:
            name = plan.settings.name
            raise OperationError(
                f"{unrehearsed}. make rehearse ENV={name} goes through it on an emulated AWS; "
                f"make deploy ENV={name} ARGS=--unrehearsed goes on without"
            )
        _say_what_changes(deployment, assembly, template, out, is_first=is_first)
        if not is_first and (code := wake.main(plan.settings.name, wake.IF_ASLEEP)):
            return code
        if is_first and is_protected:
            out.line(f"{plan.stack_name} is new: it is protected from removal once it is there.")
            with _assembly(plan.settings.name, FIRST_DEPLOYMENT) as (unprotected, _template):
                code = _deploy(deployment, unprotected, out)
            if code:
                print("Nothing of it is protected: mend what failed, then make deploy again.", file=sys.stderr)
                _say_what_is_left(deployment)
                return code
            out.line(f"{plan.stack_name} is there. Now it is protected from removal:")
        code = _deploy(deployment, assembly, out)
    if code:
        if is_first and is_protected:
            print(f"{plan.stack_name} works, but is not protected yet: make deploy again.", file=sys.stderr)
        elif is_first:
            _say_what_is_left(deployment)
        return code
    return _look_at_it(Deployment(session, plan), out)


@contextmanager
def _assembly(environment: str, *contexts: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Synthesise into a folder that is gone at the end, and yield it with the template: what is shown is deployed."""
    with tempfile.TemporaryDirectory(prefix="cdk.out.") as folder:
        try:
            template = synthesised_into(Path(folder), environment, *contexts)
        except TemplateError as error:
            raise OperationError(str(error)) from None
        yield Path(folder), template


def _say_what_changes(
    deployment: Deployment, assembly: Path, template: Mapping[str, Any], out: Output, *, is_first: bool
) -> None:
    """Print the difference to what is deployed, and what it costs; neither has to succeed for the deployment to."""
    region = deployment.session.region_name or ""
    if is_first:
        out.line(f"All of {deployment.stack_name} is new: {len(template['Resources'])} resources.")
    else:
        cdk.run("diff", "--app", str(assembly), region=region)
    try:
        before = None if is_first else stacks.template(deployment.session, deployment.stack_name)
        table = price_difference(deployment.plan, before, template, region)
    except (NoPriceError, *AWS_ERRORS) as error:
        out.line(f"What that costs is not known: {sentence(error)}")
        return
    if table.rows:
        show(console(), table)
    else:
        out.line(in_words(deployment.stack_name, table))


def _deploy(deployment: Deployment, assembly: Path, out: Output) -> int:
    """Have the CDK CLI deploy it, tell what the services do meanwhile, and of tasks that failed why when it fails."""
    progress = Progress(deployment.session, deployment.plan)
    try:
        with followed(progress, out):
            # As lines: a bar would be drawn over those of the services.
            code = cdk.run(
                *("deploy", "--app", str(assembly), "--progress", "events"), region=deployment.session.region_name or ""
            )
    except KeyboardInterrupt:
        out.line(
            f"CloudFormation goes on with {deployment.stack_name}: `status --watch` shows how it ends; "
            f"aws cloudformation cancel-update-stack --stack-name {deployment.stack_name} takes an update back"
        )
        raise
    if code:
        for failure in progress.failed[-_CARDS:]:
            failures.show(deployment, failure, out)
    return code


def _look_at_it(deployment: Deployment, out: Output) -> int:
    """Say what CloudFormation does not: which services run another version than its own, and what the URL answers."""
    versions = set(deployment.physical("AWS::ECS::TaskDefinition"))
    others = [one for one in deployment.services if one.described["taskDefinition"] not in versions]
    for one in others:
        running = one.described["taskDefinition"].rpartition("/")[2]
        print(
            f"✗ {one.name} runs {running}, which is another version than the stack's: it was taken back by ECS, which "
            "`failures` explains, or by `rollback`, which goes forward too",
            file=sys.stderr,
        )
    wrong = False
    for answer in smoke.answers(deployment, smoke.PATIENCE_SECONDS):
        wrong = wrong or bool(answer.wrong)
        out.line(answer.line)
    return 1 if others or wrong else 0


def _say_what_is_left(deployment: Deployment) -> None:
    """Say what a first deployment that was taken back has left: the next one makes it anew, and does not use it."""
    session, stack_name = deployment.session, deployment.stack_name
    try:
        if stacks.status(session, stack_name) is not None:  # it got as far as AWS
            print(*report(session, skipped(session, stack_name)), sep="\n", file=sys.stderr)
    except AWS_ERRORS as error:
        print(f"What it left cannot be found out: {sentence(error)}", file=sys.stderr)
