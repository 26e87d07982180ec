"""`make bench`: every measurement, to the terminal and benchmarks/results.md; `make bench PART=scale`: one of them.

Each part is a module of its own, and starts what it needs itself.
"""

import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks import capacity, requests, scale, start, synth, transfer, ui
from benchmarks.load import require_wrk
from benchmarks.report import Table, markdown, show
from testkit.database import SETTINGS, run_tool

RESULTS = Path(__file__).with_name("results.md")
PARTS: dict[str, Callable[[], list[Table]]] = {
    "requests": requests.measure,
    "capacity": capacity.measure,
    "scale": scale.measure,
    "transfer": transfer.measure,
    "ui": ui.measure,
    "start": start.measure,
    "synth": synth.measure,
}
PACKAGES = ("fastapi", "starlette", "pydantic", "sqlalchemy", "psycopg2-binary", "uvicorn", "uvloop", "streamlit")


def main(part: str = "") -> int:
    """Run one part and print it, or all of them and write the results; an unknown part is one sentence."""
    if part and part not in PARTS:
        print(f"make bench: there is no part {part!r}; the parts are {', '.join(PARTS)}.", file=sys.stderr)
        return 1
    if part:
        show(PARTS[part]())
        return 0
    require_wrk()
    text = ["# Results of `make bench`", "", _machine(), ""]
    for name, measure in PARTS.items():
        print(f"Measuring: {name} …", flush=True)
        tables = measure()
        show(tables)
        text.append(markdown(tables))
        RESULTS.write_text("\n".join(text))  # after each part: one that fails takes none of the others with it
    print(f"Written to {RESULTS.parent.name}/{RESULTS.name}.")
    return 0


def _machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    postgresql = run_tool("postgres", "--version").split()[-1]
    settings = ", ".join(f"{name} {value}" for name, value in SETTINGS.items())
    return (
        f"One run on {datetime.now(UTC):%d %B %Y}: {os.cpu_count()} cores ({_processor()}), "
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.system()}, Python {platform.python_version()}, "
        f"PostgreSQL {postgresql} ({settings}; the rest as `initdb` makes it), {packages}.\n\n"
        "The ratios compare what took turns in the same run on the same machine: they travel, absolute figures do not."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
