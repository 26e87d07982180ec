"""The gates that look at the construct tree: CDK's own validation, cdk-nag's AwsSolutions and NIST 800-53 rev. 5."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from infra.gates.findings import Finding


@dataclass(frozen=True)
class Synthesis:
    """What synthesising one environment gave."""

    environment: str
    template: Path
    findings: tuple[Finding, ...]


def synthesise(
    environment: str, build: Callable[[aws_cdk.App], aws_cdk.Stack], folder: Path, context: dict[str, Any]
) -> Synthesis:
    """Write the template of the stack that `build` makes below `folder`, with everything these gates find in it."""
    app = aws_cdk.App(
        outdir=str(folder),
        context={
            **context,
            "aws:cdk:enable-path-metadata": True,  # by which the other gates' findings get their place in the tree
            "@aws-cdk/core:failSynthOnValidationErrors": False,  # so that the report, not an exception, has them
        },
    )
    stack = build(app)
    aws_cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))
    app.synth()
    report = json.loads((folder / "validation-report.json").read_text())
    return Synthesis(environment, folder / stack.template_file, tuple(_findings(environment, report)))


def place(path: str) -> str:
    """Return a construct's path as acknowledgements have it: below the stack, without the CloudFormation resource."""
    return path.partition("/")[2].removesuffix("/Resource")


def _findings(environment: str, report: dict[str, Any]) -> Iterator[Finding]:
    for plugin in report["pluginReports"]:
        for violation in plugin["violations"]:
            # A rule says the same of every resource; the control numbers after its sentence fill a screen.
            message = violation["description"].partition(" - (Control")[0].rstrip(".")
            for construct in violation["violatingConstructs"]:
                resource = place(construct.get("constructPath") or "")
                yield Finding(environment, plugin["pluginName"], violation["ruleName"], resource, message)
