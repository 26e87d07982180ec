"""The CDK app of the pipeline's stack: `cdk --app "python -m infra.pipeline.app" --context repository=OWNER/NAME`."""

import re
import sys

import aws_cdk

from infra.compose import ComposeError, find, read
from infra.pipeline.names import stack_name
from infra.pipeline.stack import PREVIEW, PipelineStack

# GitHub's own rules of the two names; nothing in them means anything to a policy.
REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")


def main() -> None:
    """Synthesise the stack, or say what is missing."""
    app = aws_cdk.App()
    repository = app.node.try_get_context("repository")
    environments = app.node.try_get_context("environments") or {}
    preview = app.node.try_get_context("preview") or {}
    enabled = preview.get("enabled") is True
    try:
        project = read(find()).name
    except ComposeError as error:
        sys.exit(str(error))
    if not isinstance(repository, str) or not REPOSITORY.fullmatch(repository):
        sys.exit(f"say whose workflows may deploy: REPOSITORY=OWNER/NAME as GitHub has it; not {repository!r}")
    PipelineStack(
        app,
        stack_name(project),
        project=project,
        repository=repository,
        environments=[*environments, *([PREVIEW] if enabled else [])],
        seeds=preview.get("seed") is not None,
        provider_arn=app.node.try_get_context("provider"),
    )
    app.synth()


if __name__ == "__main__":
    main()
