"""The CDK app (`cdk.json` names it): one stack, from the compose file and the settings of one environment."""

import sys

import aws_cdk

from infra.compose import find
from infra.plan import PlanError, assemble
from infra.stack import ApplicationStack


def main() -> None:
    """Synthesise the stack, or print everything that is wrong with what it is made from."""
    app = aws_cdk.App()
    try:
        plan = assemble(
            find(),
            app.node.try_get_context("environment"),
            app.node.try_get_context("environments"),
            is_first=app.node.try_get_context("first_deployment") == "true",
        )
    except PlanError as error:
        sys.exit(str(error))
    ApplicationStack(app, plan.stack_name, plan=plan)
    app.synth()


if __name__ == "__main__":
    main()
