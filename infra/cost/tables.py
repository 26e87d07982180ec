"""What `make cost` prints, as tables for a terminal and for Markdown, for readers who do not know AWS."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.cost.alternatives import Saving
from infra.cost.estimate import CostEstimate, Line
from infra.cost.goals import Goal, beyond
from infra.cost.prices import Prices
from infra.cost.usage import Usage

STALE_DAYS = 180
"""After so long prices are said to be old."""


@dataclass(frozen=True)
class CostTable:
    """A title, the columns, and rows of text; a row is emphasised when it is a sum."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: Sequence[str] = ()


def usd(amount: float) -> str:
    """Return an amount as people write it."""
    return f"{amount:,.2f}"


def signed(amount: float) -> str:
    """Return a difference with its sign."""
    return f"{amount:+,.2f}"


def by_purpose(found: CostEstimate) -> CostTable:
    """Return what the money is for, in a few lines."""
    rows = [(group, usd(low), usd(high)) for group, (low, high) in _sorted(found.by(lambda line: line.group))]
    total = ("Together", usd(found.minimum), usd(found.maximum))
    return CostTable("US$ a month, by purpose", ("what for", "fewest tasks", "most tasks"), rows, total)


def by_service(found: CostEstimate) -> CostTable:
    """Return what each service of the compose file costs, and what they share."""
    sums = found.by(lambda line: line.owner or "all of them together")
    rows = [(owner, usd(low), usd(high)) for owner, (low, high) in _sorted(sums)]
    columns = ("service of the compose file", "fewest tasks", "most tasks")
    return CostTable("US$ a month, by service", columns, rows, ("Together", usd(found.minimum), usd(found.maximum)))


def by_resource(found: CostEstimate) -> CostTable:
    """Return every line with its sum; those that depend on how much the application is used are marked."""
    lines = sorted(found.lines, key=lambda line: -line.minimum)
    rows = [
        (line.place, f"{line.what}{' *' if line.is_assumed else ''}", line.how, usd(line.minimum), usd(line.maximum))
        for line in lines
    ]
    columns = ("resource", "what it is", "how it is reckoned", "fewest tasks", "most tasks")
    return CostTable("US$ a month, by resource (* depends on use, see below)", columns, rows)


def cheaper(found: Sequence[Saving]) -> CostTable:
    """Return what the features add, and the settings without them."""
    rows = [
        (usd(saving.usd), saving.alternative.buys, saving.alternative.setting, saving.alternative.gives_up)
        for saving in found
    ]
    columns = ("US$ a month", "buys", "without it: in cdk.json", "which gives up")
    return CostTable("What each of these adds, and how to do without", columns, rows)


def difference(before: CostEstimate, after: CostEstimate) -> CostTable:
    """Return what changes between two templates, by resource; no rows when nothing does."""

    def key(line: Line) -> str:
        return f"{line.place}\0{line.what}"

    old, new = before.by(key), after.by(key)
    rows = []
    for name in {**old, **new}:
        (low, high), (new_low, new_high) = old.get(name, (0, 0)), new.get(name, (0, 0))
        if round(new_low - low, 2) or round(new_high - high, 2):
            place, what = name.split("\0")
            rows.append((place, what, signed(new_low - low), signed(new_high - high)))
    rows += [
        (kind, f"NOT PRICED: {more:+} of them", "?", "?")
        for kind in {**before.not_priced, **after.not_priced}
        if (more := after.not_priced.get(kind, 0) - before.not_priced.get(kind, 0))
    ]
    low, high = after.minimum - before.minimum, after.maximum - before.maximum
    total = ("Together", f"{usd(before.minimum)} → {usd(after.minimum)}", signed(low), signed(high))
    return CostTable("US$ a month more or less", ("resource", "what it is", "fewest tasks", "most tasks"), rows, total)


def notes(found: CostEstimate, prices: Prices, usage: Usage, today: datetime.date) -> Iterator[str]:
    """Yield what has to be known about the figures, a sentence or two each."""
    for kind, count in found.not_priced.items():
        yield f"NOT PRICED: {kind} ({count}). Its cost is in no sum: infra/cost/estimate.py has no rule for it."
    age = (today - prices.oldest).days
    old = f" Prices that old may have changed: make prices REGION={prices.region}." if age > STALE_DAYS else ""
    yield (
        f"List prices of {found.region}, without tax and discounts, the oldest {age} days old; each with its source in "
        f"infra/cost/prices.toml, and renewed by make prices.{old} {prices.uncertain} of {len(prices.found)} are "
        "uncertain, and say so there; none was read from AWS itself."
    )
    yield f"Asleep (make sleep) it costs {usd(found.asleep)} a month: what is neither tasks nor hours of the database."
    yield "* assumed: " + "; ".join(usage.sentences()) + " (infra/cost/usage.py)."
    yield (
        "Not in it: images, which are in the account's own repository (about 0.09 a month for each version kept); data "
        "between zones, 0.01 a GB each way; backups beyond the size of the disk, 0.095 a GB."
    )


def against_goal(goal: Goal, minimum: float, found: list[Saving]) -> Iterator[str]:
    """Yield how the fewest tasks stand to the goal, and what each dollar beyond it buys."""
    if minimum <= goal.usd:
        yield f"The goal of {usd(goal.usd)} is kept."
        return
    yield f"{usd(minimum - goal.usd)} beyond the goal of {usd(goal.usd)}, which would be kept without:"
    for saving in beyond(goal, minimum, found):
        one = saving.alternative
        yield f"  {usd(saving.usd)} for {one.buys} ({one.setting})"


def markdown(table: CostTable) -> str:
    """Return a table as Markdown, without its title."""
    rows = [table.columns, ["---"] * len(table.columns), *table.rows]
    if table.total:
        rows.append([f"**{cell}**" for cell in table.total])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _sorted(sums: dict[str, tuple[float, float]]) -> list[tuple[str, tuple[float, float]]]:
    return sorted(sums.items(), key=lambda item: -item[1][0])
