"""The whole plan of a stack: the compose file and the settings of one environment, checked by every check there is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.compose import ComposeError, Project, read
from infra.plan.architecture import architecture_problems
from infra.plan.connections import connection_problems
from infra.plan.engine_version import engine_version_problems
from infra.plan.environment import Environment, SettingsError, environment
from infra.plan.exposure import exposure_problems
from infra.plan.iam_sign_in import iam_sign_in_problems
from infra.plan.names import name_problems
from infra.plan.task_count import TaskCount, task_count
from infra.plan.tasks import Task, tasks


class PlanError(ValueError):
    """What is asked for cannot be deployed; `problems` says where and why, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that is decided before any construct exists."""

    project: Project
    settings: Environment
    tasks: Mapping[str, Task]  # by the name of their service, in file order
    counts: Mapping[str, TaskCount]  # by the same names

    @property
    def stack_name(self) -> str:
        """What the stack, and much in it, is called."""
        return f"{self.project.name}-{self.settings.name}"


def assemble(compose_file: Path, environment_name: object, environments: object, *, is_first: bool = False) -> Plan:
    """Return the plan for one of `environments` (cdk.json: context.environments).

    The first deployment of a stack protects nothing from removal: it could not be taken back.

    Raises:
        PlanError: with everything that is wrong with the file and the settings; or, where each is right by itself,
            with what is wrong with the two together.
    """
    problems: list[str] = []
    traces = False
    try:
        settings = environment(environment_name, environments)
        if is_first:
            settings = settings.model_copy(update={"deletion_protection": False})
        traces = settings.monitoring.traces
    except SettingsError as error:
        problems += error.problems
    try:
        project = read(compose_file)
        planned = tasks(project, traces=traces)
    except ComposeError as error:
        problems += map(str, error.problems)
    if problems:
        raise PlanError(problems)
    counts = {name: task_count(task.service, settings.services) for name, task in planned.items()}
    problems = [
        *name_problems(project, settings),
        *connection_problems(planned, counts, settings),
        *iam_sign_in_problems(planned, settings),
        *engine_version_problems(project, settings),
        *exposure_problems(project, settings),
        *architecture_problems(project, settings),
    ]
    if problems:
        raise PlanError(problems)
    return Plan(project=project, settings=settings, tasks=planned, counts=counts)
