"""The table: for the terminal, for results.md, and as JSON."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from faults.load import KINDS
from faults.trial import Result

BEFORE = Path(__file__).with_name("before.json")
WIDTH = 200  # characters
COLUMNS = (
    "fault",
    "load held",
    " / ".join(KINDS),
    "slowest, s",
    "recovery, s",
    "acknowledged",
    "missing",
    "doubled",
    "at rest, CPU: API, UI, PostgreSQL",
    "at rest, MiB: API, UI, PostgreSQL",
    "verdict",
)

Row = Mapping[str, Any]


def as_json(results: Sequence[Result], version: str) -> str:
    """Return the results as JSON, with the day, the machine and the version of the application."""
    rows = {result.name: asdict(result) | {"verdict": result.verdict} for result in results}
    document = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine(), "version": version, "results": rows}
    return json.dumps(document, ensure_ascii=False, indent=1)


def read_before() -> Any:
    """Return the results that were kept to compare with."""
    return json.loads(BEFORE.read_text(encoding="utf-8")) if BEFORE.exists() else {"results": {}}


def show(row: Row, console: Console) -> None:
    """Print one result as it comes."""
    table = Table(show_header=False, box=None)
    for name, value in zip(COLUMNS, cells(row), strict=True):
        table.add_row(name, value)
    for said, times in row["said"].items():
        table.add_row("", f"{times} × {said}")
    for note in row["notes"]:
        table.add_row("", note)
    console.print(table)


def markdown(document: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Return the table, each fault with what it did before where that is known."""
    lines = [
        "# Results of `make faults`",
        "",
        f"{document['date']}, {document['machine']}, version {document['version']}.",
    ]
    if before["results"]:
        lines.append(f"Lines in italics: before, {before['date']}, {before['machine']}, version {before['version']}.")
    lines += [
        "",
        "Recovery is the time until fifty good answers in a row began. CPU (cores) and memory are those of processes "
        "at rest, before → after.",
        "",
        *(f"| {' | '.join(row)} |" for row in (COLUMNS, ["---"] * len(COLUMNS))),
    ]
    for name, row in document["results"].items():
        lines.append(f"| {' | '.join(cells(row))} |")
        if was := before["results"].get(name):
            _, *rest = cells(was)
            lines.append(f"| *before* | {' | '.join(f'*{cell}*' if cell else '' for cell in rest)} |")
    lines += ["", "## What was done", ""]
    lines += [f"- **{row['name']}**: {row['what']}" for row in document["results"].values()]
    return "\n".join([*lines, ""])


def cells(row: Row) -> list[str]:
    """Return the cells of one result."""
    ledger, was, now = row["ledger"], row["before"], row["after"]
    return [
        row["name"],
        row["load"],
        " / ".join(str(row["answers"].get(kind, 0)) for kind in KINDS),
        f"{row['slowest']:.1f}",
        "never" if row["recovery"] is None else f"{row['recovery']:.1f}",
        str(ledger["acknowledged"]),
        str(ledger["missing"]),
        str(ledger["doubled"]),
        ", ".join(f"{was[who]['cores']:.2f} → {now[who]['cores']:.2f}" for who in ("api", "ui", "postgres")),
        ", ".join(f"{was[who]['mebibytes']:.0f} → {now[who]['mebibytes']:.0f}" for who in ("api", "ui", "postgres")),
        row["verdict"].replace("|", "\\|"),
    ]


def machine() -> str:
    """Say what these results were measured on."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"
