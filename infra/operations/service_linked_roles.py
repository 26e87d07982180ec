"""`python -m infra.operations.service_linked_roles`: the roles by which AWS's services act in an account.

An account that never used a service has none, and CloudFormation attaches capacity providers to a new cluster sooner
than the role that ECS makes by itself can be used: the first deployment fails, the second does not.
"""

import sys
from collections.abc import Iterator

import boto3

from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.session import open_session

ROLES = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "rds.amazonaws.com": "AWSServiceRoleForRDS",
}
"""By service as IAM calls it ("AWS services that work with IAM"), the name of its role."""


def make_roles(session: boto3.Session) -> Iterator[str]:
    """Make the role of each service where it is missing; yield what was done, a sentence each.

    Raises:
        BotoCoreError, ClientError: there are no credentials, or they may not.
    """
    iam = session.client("iam")
    for service in ROLES:
        try:
            made = iam.create_service_linked_role(AWSServiceName=service)
        except iam.exceptions.InvalidInputException as error:
            if "has been taken" not in str(error):
                raise
            yield f"The role of {service} is there already."
        else:
            yield f"The role of {service} was made: {made['Role']['RoleName']}."


def main() -> None:
    """Make the roles, or say why not."""
    try:
        for done in make_roles(open_session()):
            print(done)
    except AWS_ERRORS as error:
        sys.exit(
            f"Not all service-linked roles are there: {sentence(error)}. It takes iam:CreateServiceLinkedRole; "
            "without it, somebody who has it runs make bootstrap once."
        )


if __name__ == "__main__":
    main()
