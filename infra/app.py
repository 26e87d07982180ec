"""The CDK app (`cdk.json` names it): one stack, from the settings of one environment and docker-compose.yml."""

import sys
from pathlib import Path

import aws_cdk

from infra.compose import ComposeError, read
from infra.constructs.sign_in import open_to_everybody
from infra.plan.connections import over_budget
from infra.plan.environment import SettingsError, environment
from infra.plan.tasks import tasks
from infra.stack import ApplicationStack


def main() -> None:
    """Synthesise the stack, or print everything that is wrong with what it is made from."""
    app = aws_cdk.App()
    problems: list[str] = []
    try:
        settings = environment(app.node.try_get_context("environment"), app.node.try_get_context("environments"))
    except SettingsError as error:
        problems += error.problems
    try:
        project = read(Path("docker-compose.yml"))
        planned = tasks(project)
    except ComposeError as error:
        problems += map(str, error.problems)
    if problems:
        sys.exit("\n".join(problems))
    problems = [*over_budget(planned.values(), settings), *open_to_everybody(project, settings)]
    if problems:
        sys.exit("\n".join(problems))
    ApplicationStack(app, f"{project.name}-{settings.name}", project=project, tasks=planned, settings=settings)
    app.synth()


if __name__ == "__main__":
    main()
