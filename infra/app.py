"""The CDK app (`cdk.json` names it): one stack, from the compose file and the settings of one environment."""

import datetime
import sys

import aws_cdk

from infra.compose import find
from infra.constructs.expiry import Expiry
from infra.plan import PlanError, assemble
from infra.plan.preview import PreviewError, is_preview, preview_settings, with_preview
from infra.stack import ApplicationStack


def main() -> None:
    """Synthesise the stack, or print everything that is wrong with what it is made from."""
    app = aws_cdk.App()
    name = app.node.try_get_context("environment")
    context = {key: app.node.try_get_context(key) for key in ("environments", "preview")}
    try:
        plan = assemble(
            find(),
            name,
            with_preview(name, context),
            is_first=app.node.try_get_context("first_deployment") == "true",
        )
    except (PlanError, PreviewError) as error:
        sys.exit(str(error))
    stack = ApplicationStack(app, plan.stack_name, plan=plan)
    if is_preview(name):
        hours = preview_settings(context["preview"]).hours
        Expiry(stack, "Expiry", at=datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=hours))
    app.synth()


if __name__ == "__main__":
    main()
