"""Use the deployed application: what every application has, and then what only its own script knows."""

import importlib
import json
import sys
from pathlib import Path

import boto3

from infra.compose import Project
from infra.rehearsal.emulator import Emulator
from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.public_paths import ask_public_paths
from infra.rehearsal.runs import run_scheduled_tasks
from infra.rehearsal.site import Site


def script_of(root: Path) -> str | None:
    """Return the module whose `round_trip(site, emulator)` uses the application (cdk.json: context.round_trip)."""
    script: str | None = json.loads((root / "cdk.json").read_text(encoding="utf-8"))["context"].get("round_trip")
    return script


def use(site: Site, emulator: Emulator, project: Project, stack_name: str, script: str | None) -> list[str]:
    """Ask public paths for their health, run what runs by the clock, run the script; return what happened.

    Raises:
        RehearsalError: at the first answer that is not as it should be.
    """
    answers = [*ask_public_paths(site, project), *run_scheduled_tasks(boto3.Session(), stack_name)]
    if script:
        sys.path.insert(0, str(project.file.parent.resolve()))
        try:
            answers += importlib.import_module(script).round_trip(site, emulator)
        except RehearsalError:
            raise
        except Exception as error:  # it is the application's own
            raise RehearsalError(f"{script} (cdk.json: context.round_trip): {error}") from error
        finally:
            sys.path.pop(0)
    return answers
