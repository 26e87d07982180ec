"""`python -m infra.gates`: synthesise every environment, hold it against all gates, print what stands in the way."""

import datetime
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import aws_cdk

from infra.compose import find as compose_file
from infra.constructs.expiry import Expiry
from infra.gates.acknowledgements import ACKNOWLEDGEMENTS
from infra.gates.findings import Finding, Verdict, judge
from infra.gates.synthesis import synthesise
from infra.gates.templates import GateError, check, places
from infra.pipeline.stack import PipelineStack
from infra.plan import Plan, PlanError, assemble
from infra.stack import ApplicationStack

# `prod` as a team with a domain has it, and with what the others leave out; RFC 2606 keeps the name for examples.
_DOMAIN = {
    "mode": "domain",
    "domain_name": "catalogue.example.com",
    "hosted_zone_name": "example.com",
    "hosted_zone_id": "Z0123456789EXAMPLE",
}
ONE_ENVIRONMENT = "dev"
PIPELINE = "pipeline"  # what the findings of the workflows' roles are listed under
PREVIEW = "preview"  # what a pull request's environment has besides
# The first is what CDK's own validation calls itself.
_GATES = ("CloudFormation Validate", "AwsSolutions", "NIST.800.53.R5", "checkov", "cfn-lint")


def main() -> int:
    """Print the verdict; 1 when a finding is not acknowledged, or what is acknowledged is not there any more."""
    context = json.loads(Path("cdk.json").read_text())["context"]
    variants = with_domain(context["environments"])
    try:
        with tempfile.TemporaryDirectory() as folder:
            findings, resources = find(compose_file(), variants, context, Path(folder))
    except (PlanError, GateError) as error:
        sys.exit(str(error))
    verdict = judge(findings, ACKNOWLEDGEMENTS, resources)
    print(report(verdict, [*variants, PIPELINE, PREVIEW]))
    return 0 if verdict.passes else 1


def with_domain(environments: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the environments and, where there is a `prod`, that one as a team with a domain has it."""
    if "prod" not in environments:
        return dict(environments)
    prod = environments["prod"]
    # Who may use the application is the same with a name as without.
    domain = {**_DOMAIN, "open_to_the_internet": prod["public_url"].get("open_to_the_internet", False)}
    monitoring = {**prod["monitoring"], "traces": True}
    return {**environments, "prod-domain": {**prod, "public_url": domain, "monitoring": monitoring}}


def find(
    compose: Path, variants: Mapping[str, Mapping[str, Any]], context: Mapping[str, Any], folder: Path
) -> tuple[list[Finding], dict[str, set[str]]]:
    """Synthesise the stack with each of the settings; return what the gates find, and which resources there are.

    Raises:
        PlanError: one of them cannot be deployed.
        GateError: a gate is not installed or failed.
    """
    plans = {name: assemble(compose, name, variants) for name in variants}
    syntheses = [synthesise(name, partial(_stack, plan), folder / name, dict(context)) for name, plan in plans.items()]
    for name, build in ((PIPELINE, _pipeline), (PREVIEW, _preview)):
        syntheses.append(synthesise(name, build, folder / name, dict(context)))
    found = check({synthesis.environment: synthesis.template for synthesis in syntheses})
    resources = {synthesis.environment: {*places(synthesis.template).values()} for synthesis in syntheses}
    return found + [finding for synthesis in syntheses for finding in synthesis.findings], resources


def report(verdict: Verdict, environments: list[str]) -> str:
    """Return what people read: the numbers of each gate, then all that stands in the way."""
    acknowledged = Counter((finding.gate, finding.environment) for finding in verdict.acknowledged)
    left = Counter((finding.gate, finding.environment) for finding in verdict.unacknowledged)
    gates = [*_GATES, *sorted({finding.gate for finding in verdict.unacknowledged} - {*_GATES})]
    lines = ["".join(f"{title:<25}" for title in ("", *environments)).rstrip()]
    for gate in gates:
        numbers = [
            f"{left[gate, name]} (+{acknowledged[gate, name]} known)" if acknowledged[gate, name] else left[gate, name]
            for name in environments
        ]
        lines.append("".join(f"{cell:<25}" for cell in (gate, *numbers)).rstrip())
    if verdict.unacknowledged:
        lines += ["", "Mend these, or say in infra/gates/acknowledgements.py why they are meant:"]
        lines += map(str, verdict.unacknowledged)
    if verdict.stale:
        lines += ["", "Drop these from infra/gates/acknowledgements.py, as no gate finds them:", *verdict.stale]
    return "\n".join(lines)


def _pipeline(app: aws_cdk.App) -> aws_cdk.Stack:
    # One environment, as the roles of all are alike.
    return PipelineStack(
        app, PIPELINE, project="catalogue", repository="example/catalogue", environments=[ONE_ENVIRONMENT]
    )


def _preview(app: aws_cdk.App) -> aws_cdk.Stack:
    # What it has beside an environment's stack, which the others are.
    stack = aws_cdk.Stack(app, PREVIEW)
    Expiry(stack, "Expiry", at=datetime.datetime(2026, 12, 1, tzinfo=datetime.UTC))
    return stack


def _stack(plan: Plan, app: aws_cdk.App) -> aws_cdk.Stack:
    return ApplicationStack(app, plan.stack_name, plan=plan)


if __name__ == "__main__":
    sys.exit(main())
