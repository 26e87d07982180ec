"""What templates cost, for the commands that say it: `make cost`, `make diff` and `make deploy`."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.cost import tables
from infra.cost.estimate import CostEstimate, estimate
from infra.cost.prices import prices
from infra.cost.tables import CostTable
from infra.plan import Plan

_WIDTH = 150  # characters: where there is no terminal, as in a log


class TemplateError(Exception):
    """There is no template to look at; the message says why."""


def synthesised(environment: str) -> dict[str, Any]:
    """Return the template of an environment as it would be deployed now.

    Raises:
        TemplateError: the CDK CLI is missing, or says what is wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        return synthesised_into(Path(folder), environment)


def synthesised_into(folder: Path, environment: str, *contexts: str) -> dict[str, Any]:
    """Write the cloud assembly of an environment to a folder, with further `NAME=VALUE`s of context; its template.

    Raises:
        TemplateError: the CDK CLI is missing, or says what is wrong.
    """
    options = [option for one in (f"environment={environment}", *contexts) for option in ("--context", one)]
    command = ["cdk", "synth", "--quiet", *options, "--output", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise TemplateError("there is no cdk in PATH: run make setup, and this by make") from None
    if done.returncode:
        raise TemplateError(done.stderr.strip())
    return template_of(folder)


def template_of(assembly: Path) -> dict[str, Any]:
    """Return the template of a cloud assembly, which has one stack."""
    (template,) = assembly.glob("*.template.json")
    return dict(json.loads(template.read_text(encoding="utf-8")))


def price_difference(plan: Plan, before: Mapping[str, Any] | None, after: Mapping[str, Any], name: str) -> CostTable:
    """Return what a change costs; before the first deployment, all of it.

    Raises:
        NoPriceError: of the region, or of something in a template.
    """
    found, database = prices(name), database_of(plan)
    nothing = CostEstimate(name, (), {})
    old = estimate(before, found, database=database) if before else nothing
    return tables.difference(old, estimate(after, found, database=database))


def show(console: Console, table: CostTable) -> None:
    """Print a table; numbers to the right."""
    rich = Table(title=table.title, title_justify="left", show_footer=False)
    for index, column in enumerate(table.columns):
        numeric = all(_is_number(row[index]) for row in table.rows) if table.rows else False
        rich.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in table.rows:
        rich.add_row(*row)
    if table.total:
        rich.add_section()
        rich.add_row(*table.total, style="bold")
    console.print(rich)


def in_words(stack_name: str, unchanged: CostTable) -> str:
    """Return what a difference of prices without rows says."""
    return f"{stack_name} costs what it costs now: {unchanged.total[1]} US$ a month."


def console() -> Console:
    """Return where tables are printed."""
    return Console() if sys.stdout.isatty() else Console(width=_WIDTH)


def database_of(plan: Plan) -> str:
    """Return what the compose file calls its database; nothing where it has none."""
    return plan.project.database.service if plan.project.database else ""


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").lstrip("+-").isdigit()
