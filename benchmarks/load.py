"""Load on a server, by wrk and by pgbench."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from testkit.database import libpq, run_tool

SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True)
class Measured:
    """Answers per second, and seconds that half and 99 of 100 requests took; `failed` is how many were no success."""

    rate: float
    p50: float
    p99: float
    failed: int


def wrk(url: str, *operation: str, connections: int, seconds: int) -> Measured:
    """Send one of load.lua's operations over so many connections for so long."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(SCRIPT), url, "--"]
    output = subprocess.run([*command, *operation], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = json.loads(output[output.index("{") :])
    failed = found["refused"] + found["broken"]
    succeeded = max(found["requests"] - found["refused"], 0)
    return Measured(succeeded / found["seconds"], found["p50"], found["p99"], failed)


def pgbench(database: URL, sql: str, *, connections: int, seconds: int) -> float:
    """Send SQL (with pgbench's variables) over so many connections for so long, and return answers per second."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(sql)
        script.flush()
        arguments = ["--no-vacuum", f"--client={connections}", "--jobs=1", f"--time={seconds}", f"--file={script.name}"]
        output = run_tool("pgbench", *arguments, libpq(database))
    found = re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"pgbench says no rate:\n{output}")
    return float(found[1])


def require_wrk() -> None:
    """End the program with a sentence when wrk is not installed."""
    if shutil.which("wrk") is None:
        sys.exit("make bench: wrk is not installed, which generates the load; on Debian or Ubuntu: apt install wrk")
