"""`make rehearse` as its user runs it: the stack on an emulated AWS, with and without a Docker engine."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.tools import ROOT, require


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_without_an_engine_the_stack_is_made_looked_at_and_destroyed(environment: str) -> None:
    require("cdk")
    with _rehearsal("--environment", environment, "--control-plane") as rehearsal:
        output, errors = rehearsal.communicate(timeout=300)

    assert rehearsal.returncode == 0, errors
    rows = _rows(output)
    assert {row[0] for row in rows} >= {"Cluster", "LoadBalancer", "Listener", "Secret", "Role", "LogGroup"}
    assert sorted(row[2] for row in rows if row[0] == "Service") == [
        "1 of 1 tasks running, api:1",
        "1 of 1 tasks running, ui:1",
    ]
    assert any(row[0] == "TaskDefinition" and row[2].startswith("migrate, api on") for row in rows)
    assert any(row[0] == "ListenerRule" and "/products/*" in row[1] for row in rows)
    assert any(row[0] == "TargetGroup" and "port 8501, health /_stcore/health" in row[2] for row in rows)
    (database,) = (row[2] for row in rows if row[0] == "DBInstance")
    assert database.startswith("postgres 18")
    assert ("Multi-AZ" in database) == (environment == "prod")
    assert "✓ cdk deploy again: no changes" in output
    assert ("✓ cdk destroy is refused" in output) == (environment == "prod")
    assert re.search(r"Left after destroy, retained by policy: AWS::RDS::DBSnapshot \S+$", output, re.MULTILINE)
    assert "Not emulated, so not shown by this:\n  - IAM" in output


def test_with_an_engine_a_product_lives_its_life_through_the_load_balancer() -> None:
    require("cdk")
    require("engine")
    with _rehearsal() as rehearsal:
        output, errors = rehearsal.communicate(timeout=900)

    assert rehearsal.returncode == 0, errors
    assert (
        "POST /products/ 201 · GET /products/1 200 · PUT /products/1 200 · DELETE /products/1 200 · "
        "GET /products/1 404 · GET / 200 · the UI reaches the API at its API_URL"
    ) in output
    assert sorted(row[2].rpartition(", ")[2] for row in _rows(output) if row[0] == "TargetGroup") == ["1 targets"] * 2
    assert _left(output) == ""


def test_an_interrupted_rehearsal_leaves_nothing_behind() -> None:
    require("cdk")
    require("engine")
    with _rehearsal() as rehearsal:
        assert rehearsal.stdout
        output = ""
        while "✓ cdk bootstrap" not in output:
            line = rehearsal.stdout.readline()
            assert line, "the rehearsal ended by itself"
            output += line
        rehearsal.send_signal(signal.SIGINT)
        _rest, errors = rehearsal.communicate(timeout=60)

    assert rehearsal.returncode == 130
    assert errors == "rehearse: stopped; the emulated AWS and all it ran are gone\n"
    assert _left(output) == ""


def test_what_is_wrong_is_said_in_one_sentence() -> None:
    require("cdk")
    with _rehearsal("--environment", "staging", "--control-plane") as rehearsal:
        _output, errors = rehearsal.communicate(timeout=60)

    assert rehearsal.returncode == 1
    said = re.fullmatch(r"rehearse: cdk synth failed: .* no environment 'staging'.* \(logs: (\S+)\)\n", errors)
    assert said
    logs = ROOT / said[1]
    assert "staging" in (logs / "cdk.log").read_text()
    shutil.rmtree(logs)


@contextmanager
def _rehearsal(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.rehearsal", *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "250"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()  # it cleans up after itself
        process.wait(60)


def _rows(output: str) -> list[list[str]]:
    """The cells of the table it prints."""
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in output.splitlines() if line[:1] == "│"]


def _left(output: str) -> str:
    """What the engine still has of the rehearsal whose output this is: containers, networks, volumes, images."""
    found = re.search(r"account (\d{12})", output)
    assert found
    account = found[1]
    listings = [
        ["ps", "--all", "--quiet", "--filter", f"label=ministack.instance=catalogue-rehearsal-{account}:4566"],
        ["ps", "--all", "--quiet", "--filter", f"name={account}"],
        ["network", "ls", "--quiet", "--filter", f"name={account}"],
        ["images", "--quiet", "--filter", f"reference={account}.*/*"],
    ]
    return "".join(
        subprocess.run(["docker", *one], capture_output=True, text=True, check=True).stdout for one in listings
    )
