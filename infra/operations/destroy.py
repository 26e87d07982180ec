"""`make destroy ENV=…`: removes an environment, and says what stays, why, what it costs, and how to remove that too."""

import sys
from functools import partial

import boto3

from infra.operations import beside, cdk, database_sign_in, stacks
from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.kept import SNAPSHOT, Kept, kept
from infra.operations.left import report
from infra.operations.project import plan_of
from infra.operations.session import open_session
from infra.operations.versions import deregister
from infra.plan import PlanError


def main(environment: str) -> int:
    """Remove the environment, or say why not; return the exit code."""
    try:
        plan, session = plan_of(environment), open_session()
        stack_name = plan.stack_name
        if stacks.status(session, stack_name) is None:
            print(f"make destroy: there is no stack {stack_name} in {session.region_name}", file=sys.stderr)
            return 1
        left = kept(session, stack_name)
        if others := _beside(session, left):
            print("make destroy: nothing is removed yet. " + others, file=sys.stderr)
            return 1
        destroy = partial(
            cdk.run, "destroy", "--context", f"environment={environment}", region=str(session.region_name)
        )
        code = destroy()
        if (
            code
            and stacks.status(session, stack_name) == "DELETE_FAILED"
            and database_sign_in.withdraw(session, stack_name)
        ):
            code = destroy("--force")  # a yes has been given
        if code:
            print(
                "It is not gone, or not all of it: mend what failed, then make destroy again. Where cdk.json has "
                "deletion_protection: true, set it to false and make deploy first.",
                file=sys.stderr,
            )
        elif stacks.status(session, stack_name) is not None:
            print(f"{stack_name} is still there.")
        else:
            deregister(session, plan)
            print(*report(session, left), sep="\n")
    except (PlanError, *AWS_ERRORS) as error:
        print(f"make destroy: {sentence(error)}", file=sys.stderr)
        return 1
    return code


def _beside(session: boto3.Session, left: list[Kept]) -> str:
    """Return what to do about databases beside the stack's, which are in its network; nothing when there are none."""
    rds, region = session.client("rds"), str(session.region_name)
    names = [one.identity for one in left if one.type == SNAPSHOT]
    found = {one: of for name in names for one, of in beside.instances(rds, name).items() if one not in names}
    if not found:
        return ""
    commands = [
        beside.how_to_delete(region, one, protected=bool(of["DeletionProtection"])) for one, of in found.items()
    ]
    return (
        f"In the stack's network there {'is' if len(found) == 1 else 'are'} {', '.join(found)} too, with data that the "
        "stack's database has not, and CloudFormation cannot remove the network around them. Delete them first; a last "
        "snapshot of each stays:\n" + "\n".join(commands)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
