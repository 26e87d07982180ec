"""`make cost ENV=…`: what an environment costs a month, before anybody deploys it.

`python -m infra.operations.cost dev --against deployed` prints the difference to what is deployed, `--against FILE` to
another template, `--markdown` for a pull request's comment, and `--write` writes the READMEs' figures
anew, which are those of us-east-1.
"""

import argparse
import datetime
import json
import sys
from dataclasses import asdict
from pathlib import Path

from infra.cost import tables
from infra.cost.alternatives import savings
from infra.cost.estimate import estimate
from infra.cost.goals import GOALS
from infra.cost.prices import NoPriceError, Prices, prices
from infra.cost.readme import ENGLISH, PORTUGUESE, passage, with_passage
from infra.cost.usage import Usage
from infra.operations import stacks
from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.pricing import TemplateError, console, database_of, in_words, price_difference, show, synthesised
from infra.operations.project import plan_of
from infra.operations.session import open_session, region
from infra.plan import Plan, PlanError

DEPLOYED = "deployed"
README_REGION = "us-east-1"
READMES = {"README.md": ENGLISH, "README.pt-BR.md": PORTUGUESE}


def main(*arguments: str) -> int:
    """Print what was asked for, or say why not."""
    parser = argparse.ArgumentParser(prog="make cost", description="What an environment costs a month.")
    parser.add_argument("environment", nargs="?", default="dev")
    parser.add_argument("--region", help="take the prices of this region instead of the one that commands take")
    parser.add_argument("--against", help=f"print the difference to a template: a file, or {DEPLOYED}")
    parser.add_argument("--markdown", action="store_true", help="as Markdown")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--write", action="store_true", help="write the READMEs' figures anew")
    said = parser.parse_args(arguments)
    try:
        if said.write:
            return _write_readmes()
        plan = plan_of(said.environment)
        name = said.region or region()
        if said.against:
            return _print_difference(said, plan, name)
        return _print_cost(said, plan, prices(name))
    except (PlanError, TemplateError, NoPriceError, *AWS_ERRORS, OSError, ValueError) as error:
        print(f"make cost: {sentence(error)}", file=sys.stderr)
        return 1


def _write_readmes() -> int:
    found = {}
    for environment in GOALS:
        body, usual = synthesised(environment), prices(README_REGION)
        found[environment] = (estimate(body, usual), savings(body, usual))
    for name, language in READMES.items():
        readme = Path(name)
        new = with_passage(readme.read_text(encoding="utf-8"), passage(language, found))
        readme.write_text(new, encoding="utf-8")
    return 0


def _print_difference(said: argparse.Namespace, plan: Plan, name: str) -> int:
    before = (
        stacks.template(open_session(), plan.stack_name)
        if said.against == DEPLOYED
        else json.loads(Path(said.against).read_text(encoding="utf-8"))
    )
    if before is None:
        print(f"{plan.stack_name} is not deployed: all of it is new.", file=sys.stderr)
    table = price_difference(plan, before, synthesised(said.environment), name)
    if said.json:
        print(json.dumps(asdict(table), indent=2))
    elif said.markdown:
        print(f"**{plan.stack_name}: {table.title}**\n\n{tables.markdown(table)}")
    elif table.rows:
        show(console(), table)
    else:
        print(in_words(plan.stack_name, table))
    return 0


def _print_cost(said: argparse.Namespace, plan: Plan, found: Prices) -> int:
    usage, body = Usage(), synthesised(said.environment)
    result = estimate(body, found, usage, database_of(plan))
    cheaper = savings(body, found, usage)
    if said.json:
        alternatives = [{"setting": one.alternative.setting, "usd": round(one.usd, 2)} for one in cheaper]
        print(json.dumps({**asdict(result), "alternatives": alternatives}, indent=2))
        return 0
    printed = [
        tables.by_resource(result),
        tables.by_service(result),
        tables.cheaper(cheaper),
        tables.by_purpose(result),
    ]
    goal = GOALS.get(said.environment)
    sentences = list(tables.against_goal(goal, result.minimum, cheaper)) if goal else []
    sentences += list(tables.notes(result, found, usage, datetime.datetime.now(datetime.UTC).date()))
    if said.markdown:
        for table in printed:
            print(f"### {table.title}\n\n{tables.markdown(table)}\n")
        print(*(f"- {text}" for text in sentences), sep="\n")
        return 0
    to = console()
    for table in printed:
        show(to, table)
    for text in sentences:
        to.print(text, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
