"""The short version of the fault experiments: nothing is lost, doubled, leaked or left spinning."""

import json
import subprocess
import sys

from testkit.tools import ROOT


def test_application_withstands_the_fault_experiments() -> None:
    command = [sys.executable, "-m", "faults", "--short", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(done.stderr)
    assert done.stdout, done.stderr
    results = json.loads(done.stdout)["results"]
    assert {name: result["failures"] for name, result in results.items() if result["failures"]} == {}
    assert done.returncode == 0
    assert sum(result["ledger"]["acknowledged"] for result in results.values()) > 100
