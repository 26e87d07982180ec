"""What one process of the API and its PostgreSQL carry, as `make bench` measured it: benchmarks/results.md, read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).parents[2] / "benchmarks/results.md"

_TITLE = "### Requests: answers per second"
_CONNECTIONS = "16"
_CORES_OF_POSTGRESQL = 2  # of the machine, which the generator shares: rather too little than too much


@dataclass(frozen=True)
class Carried:
    """Answers a second: of one process of the API on a whole CPU, and of PostgreSQL on one CPU by its SQL alone."""

    api: float
    database: float


def carried(mix: Mapping[str, float], results: Path = RESULTS) -> Carried:
    """Return what is carried of a mix of operations, such as {"read": 0.8, "create": 0.2}.

    Raises:
        ValueError: the results lack one of them, or do not have the table.
    """
    rows = _rows(results.read_text(encoding="utf-8"))
    lacking = [name for name in mix if name not in rows]
    if lacking:
        raise ValueError(
            f"{results.name} has no rate of {', '.join(lacking)} over {_CONNECTIONS} connections: make bench"
        )
    api = 1 / sum(share / rows[name][0] for name, share in mix.items())
    database = 1 / sum(share / rows[name][1] for name, share in mix.items())
    return Carried(api, database / _CORES_OF_POSTGRESQL)


def _rows(text: str) -> dict[str, tuple[float, float]]:
    """Return the API's and pgbench's rates by operation."""
    table = text.partition(_TITLE)[2].partition("\n### ")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]
    head = next((row for row in cells if "API" in row and "pgbench" in row), None)
    if head is None:
        raise ValueError(f"there is no table {_TITLE!r}: make bench writes it")
    api, pgbench = head.index("API"), head.index("pgbench")
    return {
        row[0]: (_number(row[api]), _number(row[pgbench]))
        for row in cells
        if len(row) == len(head) and row[1] == _CONNECTIONS
    }


def _number(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text))
