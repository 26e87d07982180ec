"""`make pipeline-bootstrap REPOSITORY=OWNER/NAME`: lets its workflows deploy, once in an account and region."""

import sys

import boto3

from infra.compose import ComposeError, find, read
from infra.operations import cdk, stacks
from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.session import open_session
from infra.pipeline.names import ISSUER, stack_name

_PROVIDER = "AWS::IAM::OIDCProvider"


def provider_of_others(session: boto3.Session, stack: str) -> str | None:
    """Return the ARN of GitHub's provider where the account has one that the stack did not make: it can have but one.

    Raises:
        BotoCoreError, ClientError: AWS refused, or there are no credentials.
    """
    listed = session.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    known = next((one["Arn"] for one in listed if one["Arn"].endswith(f"/{ISSUER}")), None)
    if known is None or stacks.described(session, stack) is None:
        return known
    ours = [one.physical for one in stacks.resources(session, stack) if one.type == _PROVIDER]
    return None if known in ours else known


def main(repository: str) -> int:
    """Deploy the stack, or say why not."""
    try:
        name, session = stack_name(read(find()).name), open_session()
        provider = provider_of_others(session, name)
    except (ComposeError, *AWS_ERRORS) as error:
        print(f"make pipeline-bootstrap: {sentence(error)}", file=sys.stderr)
        return 1
    said = ["--context", f"repository={repository}", *(["--context", f"provider={provider}"] if provider else [])]
    app = f'"{sys.executable}" -m infra.pipeline.app'
    code = cdk.run("deploy", "--app", app, "--output", "cdk.out/pipeline", *said, region=str(session.region_name))
    if code == 0:
        print(
            f"In GitHub, Settings, Environments of {repository}: make one for each role above, with the role as its "
            "variable AWS_ROLE and AWS_REGION beside it; give prod its reviewers. docs/pipeline.md has the rest."
        )
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
