"""`make invite EMAIL=… ENV=…`: lets somebody sign in; Cognito sends them a temporary password."""

import sys

import boto3

from infra.operations import stacks
from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.project import plan_of
from infra.operations.session import open_session
from infra.plan import PlanError


class InviteError(Exception):
    """Nobody was invited; the message says why."""


def invite(session: boto3.Session, stack: str, email: str) -> str:
    """Invite `email` to the user pool of the stack; return where to sign in.

    Raises:
        InviteError: there is no such stack, or it has no user pool.
        BotoCoreError, ClientError: AWS refused, or there are no credentials.
    """
    described = stacks.described(session, stack)
    if described is None:
        raise InviteError(f"there is no stack {stack} in {session.region_name}")
    outputs = stacks.outputs(described)
    if "UserPoolId" not in outputs:
        raise InviteError(
            f"{stack} has no sign-in: its public_url.mode is load_balancer, or no service has x-aws.sign_in"
        )
    session.client("cognito-idp").admin_create_user(
        UserPoolId=outputs["UserPoolId"],
        Username=email,
        # Verified, as nobody but its owner gets the password; without it nobody could reset a forgotten one.
        UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
        DesiredDeliveryMediums=["EMAIL"],
    )
    return outputs["PublicUrl"]


def main(environment: str, email: str) -> int:
    """Invite, and say what happens next or what went wrong."""
    if "@" not in email:
        print("make invite: say whom: make invite EMAIL=someone@example.com ENV=prod", file=sys.stderr)
        return 1
    try:
        url = invite(open_session(), plan_of(environment).stack_name, email)
    except (InviteError, PlanError, *AWS_ERRORS) as error:
        print(f"make invite: {sentence(error)}", file=sys.stderr)
        return 1
    print(f"{email} gets an e-mail with a temporary password, and signs in at {url}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
