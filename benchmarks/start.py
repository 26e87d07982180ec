"""How long the API takes to start and to import, and how large its images are: `python -m benchmarks.start`."""

import statistics
import subprocess
import sys

from benchmarks.containers import docker, engine_answers
from benchmarks.report import Table, goal, show, spread
from testkit import server
from testkit.database import make_database, postgres
from testkit.tools import ROOT

ROUNDS = 10
READY_SECONDS = 1.5
IMPORT_SECONDS = 0.7
IMPORT = "import time; started = time.perf_counter(); import app.api.main; print(time.perf_counter() - started)"
BASE = "python:3.13-slim"
MEGABYTES_OVER_BASE = {"api": 90, "ui": None}


def measure() -> list[Table]:
    """Return the times, and the sizes when a container engine answers."""
    ready, imported = [], []
    with postgres() as postgresql:
        database = make_database(postgresql, 0)
        for _ in range(ROUNDS + 1):
            with server.api(database) as running:
                ready.append(running.start_seconds)
            output = subprocess.run(
                [sys.executable, "-c", IMPORT], cwd=ROOT, capture_output=True, text=True, check=True
            )
            imported.append(float(output.stdout))
    table = Table(
        "Start, in seconds",
        ("", "median", "goal"),
        f"Of {ROUNDS} new processes; the least and the largest in brackets.",
    )
    for name, (_, *seconds), most in (  # the first one fills the caches of the machine
        ("from the start of the process to /health/ready", ready, READY_SECONDS),
        ("import of app.api.main", imported, IMPORT_SECONDS),
    ):
        table.rows.append((name, spread(seconds), goal(statistics.median(seconds), at_most=most, unit=" s")))
    return [table, _images()]


def _images() -> Table:
    table = Table("Images, in megabytes", ("image", "size", f"over {BASE}", "goal"))
    if not engine_answers():
        table.rows.append(("no container engine answers here (`docker info`)", "", "", ""))
        return table
    if not docker("images", "--quiet", BASE):  # a build may take its base without giving it a name here
        docker("pull", "--quiet", BASE)
    for target, most in MEGABYTES_OVER_BASE.items():
        size = _size(docker("build", "--quiet", "--target", target, "--file", "app/Dockerfile", "."))
        over = size - _size(BASE)
        table.rows.append((target, f"{size:.0f}", f"{over:.0f}", goal(over, at_most=most, unit=" MB") if most else ""))
    return table


def _size(image: str) -> float:
    return int(docker("image", "inspect", "--format", "{{.Size}}", image)) / 1e6


if __name__ == "__main__":
    show(measure())
