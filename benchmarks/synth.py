"""How long `cdk synth` takes against an app with an empty stack, and what comes out: `python -m benchmarks.synth`."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.report import Table, show, spread
from testkit.tools import ROOT

ROUNDS = 5
# CloudFormation refuses a stack without resources; this one has the cheapest there is.
EMPTY = (
    "import aws_cdk; app = aws_cdk.App(); stack = aws_cdk.Stack(app, 'empty'); "
    "aws_cdk.CfnWaitConditionHandle(stack, 'Nothing'); app.synth()"
)


def measure() -> list[Table]:
    """Measure each environment and the empty app in turn; return medians, their spread and the ratio."""
    environments = list(json.loads((ROOT / "cdk.json").read_text())["context"]["environments"])
    commands = {"an empty stack": ["--app", f'{sys.executable} -c "{EMPTY}"']} | {
        name: ["--context", f"environment={name}"] for name in environments
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    table = Table(
        "Synthesis, in seconds",
        ("cdk synth of", "median", "of an empty stack's", "resources", "update of a service, at most"),
        f"Medians of {ROUNDS} rounds in turns, with the least and the largest.",
    )
    with tempfile.TemporaryDirectory() as output:
        for _ in range(ROUNDS + 1):
            for name, arguments in commands.items():
                seconds[name].append(_synth([*arguments, "--output", f"{output}/{name}"]))
        for name, taken in seconds.items():
            measured = taken[1:]  # the first round fills caches
            ratios = [taken / empty for taken, empty in zip(measured, seconds["an empty stack"][1:], strict=True)]
            facts = _facts(next(Path(output, name).glob("*.template.json")))
            table.rows.append((name, spread(measured, digits=1), spread(ratios), *facts))
    return [table]


def _synth(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(["cdk", "synth", "--quiet", *arguments], cwd=ROOT, env=os.environ, check=True)
    return time.perf_counter() - started


def _facts(path: Path) -> tuple[str, str]:
    """Return how many resources there are, and how long the slowest service takes to swap its tasks."""
    resources: Mapping[str, Any] = json.loads(path.read_text())["Resources"]
    groups = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::ElasticLoadBalancingV2::TargetGroup"]
    stops = [
        container.get("StopTimeout", 30)  # seconds; what Fargate takes when nothing is said
        for r in resources.values()
        if r["Type"] == "AWS::ECS::TaskDefinition"
        for container in r["Properties"]["ContainerDefinitions"]
    ]
    if not groups:
        return str(len(resources)), ""
    found_well = max(g["HealthCheckIntervalSeconds"] * g["HealthyThresholdCount"] for g in groups)
    delays = [a["Value"] for g in groups for a in g["TargetGroupAttributes"] if a["Key"].startswith("deregistration")]
    update = found_well + max(map(int, delays)) + max(stops)
    return str(len(resources)), f"{found_well} + {max(map(int, delays))} + {max(stops)} = {update} s"


if __name__ == "__main__":
    show(measure())
