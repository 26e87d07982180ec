"""This project as commands see it: what is planned for one of its environments."""

import json
from pathlib import Path

from infra.compose import find
from infra.plan import Plan, PlanError, assemble
from infra.plan.preview import PreviewError, with_preview


def plan_of(environment: str, project: Path = Path()) -> Plan:
    """Return the plan of an environment of the project; raise `PlanError` with all that is wrong with it."""
    context = json.loads((project / "cdk.json").read_text(encoding="utf-8"))["context"]
    try:
        environments = with_preview(environment, context)
    except PreviewError as error:
        raise PlanError([str(error)]) from None
    return assemble(find(project), environment, environments)
