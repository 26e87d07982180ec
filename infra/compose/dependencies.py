"""Who waits for whom (`depends_on`), and whether ECS can keep to it."""

import difflib
from collections.abc import Mapping, Set
from graphlib import CycleError, TopologicalSorter

from infra.compose import values
from infra.compose.fields import Fields
from infra.compose.model import Condition, Project

_HOST_NAME = values.matching(
    "[a-z]([a-z0-9-]{0,61}[a-z0-9])?", "a host name for Service Connect, as others reach it: lower-case, digits and -"
)
_CONDITION = values.one_of(*Condition)
_RUNS_TO_ITS_END = values.matching(r"no|on-failure(:\d+)?", '"no" or on-failure, since it has to complete')
_KEEPS_RUNNING = values.matching(
    r"always|unless-stopped|on-failure(:\d+)?",
    "always, unless-stopped or on-failure: ECS keeps it running, as no service waits for it to complete",
)


def depends_on(
    name: str, services: Mapping[str, Fields], on_fargate: Set[str], managed: Set[str]
) -> dict[str, Condition]:
    """Return the Fargate services that `name` waits for; note the services that cannot be waited for."""
    fields = services[name]
    found = {}
    for other, condition in _written(fields).items():
        key = f"depends_on.{other}"
        if other == name:
            fields.problem(key, "a service cannot wait for itself", "Drop it.")
        elif other not in services:
            close = difflib.get_close_matches(other, services.keys() - {name}, n=1)
            fields.problem(key, "there is no such service", f"Did you mean {close[0]}?" if close else "Drop it.")
        elif other not in on_fargate | managed:
            if _required(fields, other):
                alternative = "Drop its profiles, or write required: false."
                fields.problem(key, f"{other} is left out of the deployment by its profiles", alternative)
        elif condition is Condition.HEALTHY and not _has_health_check(services[other]):
            fields.problem(key, f"{other} has no health check to wait for", f"Give {other} a healthcheck.")
        elif condition is Condition.COMPLETED and other in managed:
            fields.problem(key, f"{other} is a managed database and never completes", "Write service_healthy.")
        elif other in on_fargate:
            found[other] = condition
    return found


def check(project: Project, services: Mapping[str, Fields]) -> None:
    """Note cycles, and services that are waited for to complete but could not be a container of the waiting task."""
    try:
        TopologicalSorter({name: service.depends_on for name, service in project.services.items()}).prepare()
    except CycleError as error:
        cycle = [str(name) for name in reversed(error.args[1])]
        services[cycle[0]].problem("depends_on", f"goes round in a circle: {' -> '.join(cycle)}", "Drop one of them.")

    one_shots = project.one_shots()
    for name, service in project.services.items():
        fields = services[name]
        for other, condition in service.depends_on.items():
            if other in one_shots and condition is not Condition.COMPLETED:
                alternative = f"Write service_completed_successfully, since others wait for {other} to complete."
                fields.problem(f"depends_on.{other}", f"{other} does not keep running", alternative)
            if other not in one_shots:
                services[other].parse("", other, _HOST_NAME, "")
            if name in one_shots and other not in one_shots:
                alternative = f"Let the services that wait for {name} depend on {other} instead."
                fields.problem(
                    f"depends_on.{other}", f"{name} runs in the tasks of others, before they are up", alternative
                )
        if name in one_shots:
            _check_one_shot(fields)
        else:
            _check_size(fields)
            fields.get("restart", _RUNS_TO_ITS_END if service.schedule else _KEEPS_RUNNING, "")


def _check_one_shot(fields: Fields) -> None:
    reason = "others wait for this service to complete, so nothing can be sent to it"
    for key in ("ports", "expose"):
        if key in fields:
            fields.problem(key, reason, "Drop the key, or wait with service_healthy.")
    if "public" in fields.within("x-aws"):
        fields.problem("x-aws.public", reason, "Drop the key, or wait with service_healthy.")
    fields.get("restart", _RUNS_TO_ITS_END, "")


def _check_size(fields: Fields) -> None:
    limits = fields.within("deploy").within("resources").within("limits")
    for key, example, elsewhere in (("cpus", '"0.5"', "cpus"), ("memory", "512M", "mem_limit")):
        if key not in limits and elsewhere not in fields:  # which is told to move here
            limits.problem(key, "is missing, and Fargate has no default size", f"Write such as {key}: {example}.")


def _written(fields: Fields) -> dict[str, Condition]:
    if not isinstance(fields.raw("depends_on"), dict):
        return dict.fromkeys(fields.get("depends_on", values.strings, ()), Condition.STARTED)
    below = fields.within("depends_on")
    found = {}
    for name in below:
        if "condition" not in below.within(name):
            below.problem(f"{name}.condition", "is missing", f"Write {', '.join(Condition)}.")
        found[name] = Condition(below.within(name).get("condition", _CONDITION, Condition.STARTED))
    return found


def _required(fields: Fields, other: str) -> bool:
    value = fields.raw("depends_on")
    return not isinstance(value, dict) or fields.within("depends_on").within(other).get(
        "required", values.boolean, True
    )


def _has_health_check(fields: Fields) -> bool:
    check = fields.within("healthcheck")
    return "test" in check and check.raw("test") not in ("NONE", ["NONE"]) and not check.raw("disable")
