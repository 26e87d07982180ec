"""`make destroy ENV=…`: removes an environment, and says what stays, why, what it costs, and how to remove that too."""

import sys

from botocore.exceptions import BotoCoreError, ClientError

from infra.operations import cdk, stacks
from infra.operations.kept import kept
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
        code = cdk.run("destroy", "--context", f"environment={environment}", region=str(session.region_name))
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
    except (PlanError, BotoCoreError, ClientError) as error:
        print(f"make destroy: {error}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
