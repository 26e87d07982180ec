"""`python -m infra.operations.image_scanning`: has every image scanned for known vulnerabilities when it is pushed.

The images go to the repository that `cdk bootstrap` made, which belongs to no stack of ours and leaves scanning off.
"""

import sys
from typing import Any, cast

import boto3

from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.session import open_session

_BOOTSTRAP_STACK, _REPOSITORY = "CDKToolkit", "ContainerAssetsRepository"  # as cdk bootstrap calls them


def scan_on_push(session: boto3.Session) -> str:
    """Turn the scanning on in the session's account and region; return the name of the repository.

    Raises:
        BotoCoreError, ClientError: there are no credentials, they do not suffice, or `cdk bootstrap` has not run.
    """
    found = session.client("cloudformation").describe_stack_resource(
        StackName=_BOOTSTRAP_STACK, LogicalResourceId=_REPOSITORY
    )
    name: str = found["StackResourceDetail"]["PhysicalResourceId"]
    registry = cast("Any", session).client("ecr")
    registry.put_image_scanning_configuration(repositoryName=name, imageScanningConfiguration={"scanOnPush": True})
    return name


def main() -> None:
    """Turn the scanning on, or say why not."""
    try:
        print(f"Images are scanned when they are pushed to {scan_on_push(open_session())}.")
    except AWS_ERRORS as error:
        sys.exit(
            f"Image scanning is not on: {sentence(error)}. Run cdk bootstrap first, with the credentials of "
            "the account."
        )


if __name__ == "__main__":
    main()
