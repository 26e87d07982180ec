"""`make capacity ENV=…`: what an environment carries, what it takes to carry more, and what breaks next.

`make capacity TARGET=5000` reckons with so many requests a second at the busiest time; `--write` writes docs/scaling.md
anew, for prod in us-east-1.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infra.cost import scaling, tables
from infra.cost.capacity import TARGETS, stack, step
from infra.cost.prices import NoPriceError, prices
from infra.cost.readme import with_passage
from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.pricing import TemplateError, console, show, synthesised
from infra.operations.project import plan_of
from infra.operations.session import region
from infra.plan import Plan, PlanError

DOCUMENT = Path("docs/scaling.md")
BEGIN, END = "<!-- written by python -m infra.operations.capacity --write -->", "<!-- until here -->"
_ENVIRONMENT, _REGION = "prod", "us-east-1"


def answering(plan: Plan) -> str:
    """Return the service whose tasks use the database and answer from outside: the one that is reckoned with.

    Raises:
        ValueError: the compose file has none.
    """
    for name, task in plan.tasks.items():
        if task.service.public and task.service.uses_database:
            return name
    raise ValueError("no service of the compose file is public and uses a database: there is nothing to reckon with")


def passage(body: dict[str, Any], api: str) -> str:
    """Return the tables of docs/scaling.md, of the template of prod."""
    found = prices(_REGION)
    now = scaling.carried_table(_ENVIRONMENT, stack(body, found, api))
    steps = scaling.steps_table([step(target, body, found, api) for target in TARGETS])
    tables_ = [f"### {table.title}\n\n{tables.markdown(table)}" for table in (now, steps)]
    sentences = "\n".join(f"- {sentence}" for sentence in scaling.assumptions())
    return "\n\n".join([BEGIN, *tables_, sentences, END])


def main(*arguments: str) -> int:
    """Print what was asked for, or say why not."""
    parser = argparse.ArgumentParser(prog="make capacity", description="What an environment carries.")
    parser.add_argument("environment", nargs="?", default=_ENVIRONMENT)
    parser.add_argument("--target-rps", type=float, help="requests a second at the busiest time")
    parser.add_argument("--region", help="take the prices of this region instead of the one that commands take")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT} anew")
    said = parser.parse_args(arguments)
    if said.target_rps is not None and not 0 < said.target_rps <= 1e7:
        print("make capacity: a target is more than 0 and at most 10,000,000 requests a second", file=sys.stderr)
        return 1
    try:
        if said.write:
            plan = plan_of(_ENVIRONMENT)
            new = passage(synthesised(_ENVIRONMENT), answering(plan))
            DOCUMENT.write_text(with_passage(DOCUMENT.read_text(encoding="utf-8"), new, BEGIN, END), encoding="utf-8")
            return 0
        plan, name = plan_of(said.environment), said.region or region()
        targets = [said.target_rps] if said.target_rps else TARGETS
        return _print(plan, name, targets, as_json=said.json)
    except (PlanError, TemplateError, NoPriceError, *AWS_ERRORS, OSError, ValueError) as error:
        print(f"make capacity: {sentence(error)}", file=sys.stderr)
        return 1


def _print(plan: Plan, name: str, targets: Sequence[float], *, as_json: bool) -> int:
    body, found, api = synthesised(plan.settings.name), prices(name), answering(plan)
    now, steps = stack(body, found, api), [step(target, body, found, api) for target in targets]
    if as_json:
        print(json.dumps({"now": asdict(now), "steps": [asdict(one) for one in steps]}, indent=2))
        return 0
    to = console()
    show(to, scaling.carried_table(plan.stack_name, now))
    show(to, scaling.steps_table(steps))
    for text in scaling.assumptions():
        to.print(text, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
