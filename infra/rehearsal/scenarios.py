"""What a rehearsal goes through with what it has deployed, one scenario after the other; each can be left out."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import boto3

from infra.operations.project import plan_of
from infra.rehearsal import browser, files, round_trip
from infra.rehearsal.cdk import Cdk
from infra.rehearsal.doors import doors
from infra.rehearsal.emulator import Emulator
from infra.rehearsal.engine import ROOT
from infra.rehearsal.nap import nap
from infra.rehearsal.operate import back_and_forward, failure_cards, operate
from infra.rehearsal.rehearsed_migration import rehearsed
from infra.rehearsal.restored import restored
from infra.rehearsal.site import Site
from infra.rehearsal.unwell import replaced
from infra.rehearsal.update import roll_back, roll_through
from infra.rehearsal.use import script_of, use
from infra.rehearsal.versions import EXITS, NEXT, SLOW, UI_EXITS, UNHEALTHY, ProjectVersion, copy_of


@dataclass(kw_only=True)
class DeployedStack:
    """What is deployed, and what deploys it."""

    environment: str
    stack_name: str
    cdk: Cdk
    site: Site
    emulator: Emulator
    session: boto3.Session
    directory: Path
    project: Path = ROOT  # that is deployed: this one, or a later version of it


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One of them: what to call it, and what does it; it returns what there is to say, or raises RehearsalError."""

    title: str
    play: Callable[[DeployedStack], list[str]]


def _use(deployment: DeployedStack) -> list[str]:
    project = plan_of(deployment.environment, ROOT).project
    return [" · ".join(use(deployment.site, deployment.emulator, project, deployment.stack_name, script_of(ROOT)))]


def _browse(deployment: DeployedStack) -> list[str]:
    return browser.journey(deployment.emulator, deployment.session, deployment.stack_name)


def _sleep(deployment: DeployedStack) -> list[str]:
    if not plan_of(deployment.environment, ROOT).settings.services.hours_asleep:
        return [f"{deployment.environment} never sleeps: it has no services.asleep"]
    return nap(deployment.session, deployment.stack_name, deployment.site)


def _rehearse_migration(deployment: DeployedStack) -> list[str]:
    project = copy_of(SLOW, deployment.directory, deployment.project)
    environment, stack_name = deployment.environment, deployment.stack_name
    return rehearsed(environment, stack_name, deployment.session, deployment.cdk, project)


def _update(version: ProjectVersion) -> Scenario:
    def play(deployment: DeployedStack) -> list[str]:
        project = copy_of(version, deployment.directory, deployment.project)
        what = (version, project, deployment.cdk, deployment.site, deployment.emulator)
        if not version.works:
            return [*roll_back(*what), *failure_cards(deployment.environment, deployment.emulator)]
        deployment.project = project
        return roll_through(*what)

    end = "it rolls through" if version.works else "it is taken back"
    return Scenario(title=f"cdk deploy {version.name}: {end}", play=play)


SCENARIOS = {
    "use": Scenario(title="Use it at the public URL", play=_use),
    "doors": Scenario(
        title="Try what security groups allow, and what they do not",
        play=lambda deployment: [" · ".join(doors(deployment.session, deployment.emulator))],
    ),
    "browser": Scenario(title="Use the UI at the public URL in a browser", play=_browse),
    "operate": Scenario(
        title="Look at it and work on it as its operators do",
        play=lambda deployment: operate(deployment.environment, deployment.cdk, deployment.emulator),
    ),
    "sleep": Scenario(title="make sleep, make wake", play=_sleep),
    "restore-data": Scenario(
        title="Back up, change data by mistake, go back to the snapshot",
        play=lambda deployment: restored(
            deployment.environment, deployment.stack_name, deployment.session, deployment.site
        ),
    ),
    "rehearse-migration": Scenario(
        title="Rehearse the migration of a later version on a copy of a snapshot", play=_rehearse_migration
    ),
    "import": Scenario(
        title=f"Import {files.IMPORT_ROWS:,} products over connections that are cut",
        play=lambda deployment: files.import_whose_connection_is_cut(deployment.site),
    ),
    "export": Scenario(
        title=f"Export all products to somebody who takes {files.EXPORT_SECONDS} s to read them",
        play=lambda deployment: files.export_to_a_slow_reader(deployment.site),
    ),
    "unwell": Scenario(
        title="Have a task hang that was well: another replaces it",
        play=lambda deployment: replaced(deployment.site, deployment.emulator, deployment.session),
    ),
    "update": _update(NEXT),
    "rollback": Scenario(
        title="Go back to the version before, and forward again",
        play=lambda deployment: back_and_forward(deployment.environment, deployment.site),
    ),
    "api-exits": _update(EXITS),
    "api-unhealthy": _update(UNHEALTHY),
    "ui-exits": _update(UI_EXITS),
}
"""By their names, in the order in which they are played."""

RESTORE = "restore"
"""The one after the end: a deployment from the snapshot that the removed one has left."""

ALL = (*SCENARIOS, RESTORE)
"""Those of a whole rehearsal, in their order."""

_OF_EVERY_APPLICATION = {"use"}


def is_of_products() -> bool:
    """Return whether the project is the one of this repository, which the other scenarios are about."""
    return script_of(ROOT) == round_trip.__name__


def playable(scenarios: Collection[str]) -> set[str]:
    """Return those of the scenarios that the project has."""
    return set(scenarios) if is_of_products() else set(scenarios) & _OF_EVERY_APPLICATION
