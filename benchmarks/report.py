"""What a part of the benchmark found: tables, for the terminal and for results.md."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table as RichTable

WIDTH = 140  # characters; tables are not squeezed into less, as in a log


@dataclass(frozen=True)
class Table:
    """A title, what the columns are, the rows, and a sentence on how to read them."""

    title: str
    columns: Sequence[str]
    note: str = ""
    rows: list[Sequence[str]] = field(default_factory=list)


def show(tables: Iterable[Table]) -> None:
    """Print tables to the terminal."""
    console = Console()
    console.width = max(console.width, WIDTH)
    for table in tables:
        rich = RichTable(*table.columns, title=table.title, title_justify="left", caption=table.note or None)
        for row in table.rows:
            rich.add_row(*row)
        console.print(rich)


def markdown(tables: Iterable[Table]) -> str:
    """Return tables as Markdown."""
    return "\n".join(_markdown(table) for table in tables)


def spread(values: Sequence[float], unit: str = "", digits: int = 2) -> str:
    """Return the median of `values` with the least and the largest: `3.10 (2.95–3.32)`."""
    median, least, largest = (f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"{median}{unit} ({least}–{largest})"


def goal(value: float, *, at_least: float | None = None, at_most: float | None = None, unit: str = "") -> str:
    """Return what was to be reached and whether `value` does: `≥ 3: met`."""
    met = value >= at_least if at_least is not None else at_most is not None and value <= at_most
    sign, bound = ("≥", at_least) if at_least is not None else ("≤", at_most)
    return f"{sign} {bound:g}{unit}: {'met' if met else 'missed'}"


def _markdown(table: Table) -> str:
    lines = [f"### {table.title}", "", *([table.note, ""] if table.note else [])]
    lines += [f"| {' | '.join(row)} |" for row in (table.columns, ["---"] * len(table.columns), *table.rows)]
    return "\n".join([*lines, ""])
