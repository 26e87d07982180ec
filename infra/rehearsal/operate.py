"""Ask the deployed application how it is, and work on it, with the command line that its operators have."""

import contextlib
import io
import json
from typing import Any

from infra.operations.__main__ import main
from infra.rehearsal.problem import RehearsalError


def operate(environment: str) -> list[str]:
    """Look at the environment, read its logs, run a command in a task of its own; return what was seen.

    Raises RehearsalError at the first verb that fails or does not see what is there.
    """
    status = _facts(environment, "status")
    short = [one["name"] for one in status["services"] if one["running"] < one["desired"]]
    if short:
        raise RehearsalError(f"status: {', '.join(short)} runs fewer tasks than it should")
    logged = _facts(environment, "logs", "--since", "1h")
    if not logged:
        raise RehearsalError("logs: nobody has logged anything")
    service = status["services"][0]["name"]
    steps = [step["what"] for step in _facts(environment, "trace", service)]
    happened = len(_facts(environment, "events"))
    code, said = _ask(environment, "run", service, "--", "sh", "-c", "echo seen; exit 3")
    if code != 3 or "seen" not in said.splitlines():
        raise RehearsalError(f"run: ended with {code} instead of 3, and said: {said}")
    services = ", ".join(f"{one['name']} {one['running']} of {one['desired']}" for one in status["services"])
    return [
        f"status: {services}",
        f"logs: {len(logged)} lines",
        f"events: {happened}",
        f"trace {service}: {', '.join(steps)}",
        "run: its log, and its exit code 3",
    ]


def failure_cards(environment: str) -> list[str]:
    """Return what the command line says of the tasks that failed, a sentence each.

    Raises RehearsalError when it knows of none.
    """
    cards = [f"failures: {one['service']}: {one['reason']} → {one['key']}" for one in _facts(environment, "failures")]
    if not cards:
        raise RehearsalError("failures: knows of no task that failed")
    return cards


def _facts(environment: str, verb: str, *arguments: str) -> Any:
    code, said = _ask(environment, verb, "--json", *arguments)
    if code:
        raise RehearsalError(f"{verb}: ended with {code}: {said}")
    return json.loads(said)


def _ask(environment: str, verb: str, *arguments: str) -> tuple[int, str]:
    said, complaints = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complaints):
        code = main([verb, "--env", environment, *arguments])
    return code, said.getvalue() or complaints.getvalue()
