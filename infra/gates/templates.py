"""The gates that look at the finished templates: checkov and cfn-lint."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from infra.gates.findings import Finding
from infra.gates.synthesis import place

# checkov asks for older releases of what everything else here uses, so it has a virtual environment of its own.
_CHECKOV = Path(sys.prefix) / "checkov/bin"


class GateError(Exception):
    """A gate could not do its work; str() says which, and what to do."""


def check(templates: Mapping[str, Path]) -> list[Finding]:
    """Return what the gates find in the templates, given by environment; raises `GateError` when one is missing."""
    with ThreadPoolExecutor() as pool:
        work = [pool.submit(gate, templates) for gate in (_checkov, _cfn_lint)]
        return [finding for future in work for finding in future.result()]


def _checkov(templates: Mapping[str, Path]) -> list[Finding]:
    files = [str(template) for template in templates.values()]
    # Without `--skip-download` it asks its maker's servers for descriptions of the rules.
    arguments = ["--framework", "cloudformation", "--skip-download", "--compact", "--quiet", "--output", "json"]
    report = _run("checkov", [*arguments, "--file", *files])
    results = report.get("results", {})
    if results.get("parsing_errors") or report.get("summary", {}).get("resource_count", 0) == 0:
        raise GateError(f"checkov could not read the templates: {results.get('parsing_errors')}")
    at = {environment: places(template) for environment, template in templates.items()}
    environments = {template.resolve(): environment for environment, template in templates.items()}
    found = []
    for failed in results["failed_checks"]:
        environment = environments[Path(failed["file_abs_path"]).resolve()]
        resource = at[environment].get(failed["resource"].rpartition(".")[2], "")
        found.append(Finding(environment, "checkov", failed["check_id"], resource, failed["check_name"]))
    return found


def _cfn_lint(templates: Mapping[str, Path]) -> list[Finding]:
    report = _run("cfn-lint", ["--format", "json", *map(str, templates.values())])
    environments = {str(template): environment for environment, template in templates.items()}
    at = {environment: places(template) for environment, template in templates.items()}
    return list(_linted(report, environments, at))


def _linted(
    report: list[dict[str, Any]], environments: Mapping[str, str], at: Mapping[str, Mapping[str, str]]
) -> Iterator[Finding]:
    for match in report:
        environment = environments[match["Filename"]]
        section, logical_id, *rest = [*map(str, match["Location"]["Path"] or ()), "", ""]
        resource = at[environment].get(logical_id, "") if section == "Resources" else ""
        key = ".".join(filter(None, rest))
        yield Finding(environment, "cfn-lint", match["Rule"]["Id"], resource, f"{match['Message']} ({key or section})")


def _run(program: str, arguments: list[str]) -> Any:
    """Return what a program prints as JSON; both end with 0 or another number as they find nothing or something."""
    found = shutil.which(
        program, path=os.pathsep.join([str(_CHECKOV), str(Path(sys.executable).parent), os.environ["PATH"]])
    )
    if found is None:
        raise GateError(f"{program} is not installed; run make setup")
    answer = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)
    try:
        return json.loads(answer.stdout)
    except ValueError:
        raise GateError(f"{program} failed: {answer.stderr.strip() or answer.stdout.strip()}") from None


def places(template: Path) -> dict[str, str]:
    """Return the place in the construct tree of each resource by its name in the template."""
    resources = json.loads(template.read_text())["Resources"]
    return {name: place(resource.get("Metadata", {}).get("aws:cdk:path", "")) for name, resource in resources.items()}
