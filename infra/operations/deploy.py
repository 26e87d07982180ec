"""`make deploy ENV=…`: deploys an environment, and protects it from removal once it is there.

CloudFormation takes a first deployment that fails back, and cannot where the database, the load balancer and the users
are protected from the first second: all that would be left, with a stack that can be neither updated nor removed. So
where `deletion_protection` is true the first deployment goes without it, and an update switches it on afterwards.
"""

import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.operations import cdk, protection, stacks
from infra.operations.kept import skipped
from infra.operations.left import report
from infra.operations.project import plan_of
from infra.operations.session import open_session
from infra.plan import PlanError
from infra.plan.regions import REGIONS

FIRST_DEPLOYMENT = "first_deployment=true"
"""Context with which the stack is synthesised without its protection."""

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


def main(environment: str) -> int:
    """Deploy, or say why not; return the exit code."""
    try:
        plan, aws = plan_of(environment), open_session()
        if aws.region_name not in REGIONS:
            known = ", ".join(REGIONS)
            print(f"make deploy: set AWS_REGION to one of {known}; another: infra/plan/regions.py", file=sys.stderr)
            return 1
        is_first = stacks.status(aws, plan.stack_name) in _NEVER_COMPLETE
        if not is_first and (why := protection.refusal(aws, plan)):
            print(f"make deploy: {why}", file=sys.stderr)
            return 1
    except (PlanError, BotoCoreError, ClientError) as error:
        print(f"make deploy: {error}", file=sys.stderr)
        return 1
    protect_later = is_first and plan.settings.deletion_protection
    deploy = ("deploy", "--context", f"environment={environment}")
    if protect_later:
        print(f"{plan.stack_name} is new: it is protected from removal once it is there.")
        if code := cdk.run(*deploy, "--context", FIRST_DEPLOYMENT, region=aws.region_name):
            print("Nothing of it is protected: mend what failed, then make deploy again.", file=sys.stderr)
            _say_what_is_left(aws, plan.stack_name)
            return code
        print(f"{plan.stack_name} is there. Now it is protected from removal:")
    code = cdk.run(*deploy, region=aws.region_name)
    if code and protect_later:
        print(f"{plan.stack_name} works, but is not protected yet: make deploy again.", file=sys.stderr)
    elif code and is_first:
        _say_what_is_left(aws, plan.stack_name)
    return code


def _say_what_is_left(session: boto3.Session, stack_name: str) -> None:
    """Say what a first deployment that was taken back has left: the next one makes it anew, and does not use it."""
    try:
        if stacks.status(session, stack_name) is not None:  # it got as far as AWS
            print(*report(session, skipped(session, stack_name)), sep="\n", file=sys.stderr)
    except (BotoCoreError, ClientError) as error:
        print(f"What it left cannot be found out: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
