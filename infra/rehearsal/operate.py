"""Ask the deployed application how it is, and work on it, with the command line that its operators have."""

import contextlib
import io
import json
import time
from collections.abc import Callable
from typing import Any

from infra.operations.__main__ import main
from infra.operations.deployment import Deployment
from infra.operations.project import plan_of
from infra.operations.session import open_session
from infra.plan.preview import preview_settings
from infra.rehearsal.cdk import Cdk
from infra.rehearsal.emulator import Emulator
from infra.rehearsal.engine import ROOT
from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.site import Site
from infra.rehearsal.tunnel import get_in

_PATIENCE = 180  # seconds for a service to have another version
_SOMEBODY = "operator@example.com"
_TIMES = 10  # that it is asked for it, which reaches every task


def operate(environment: str, cdk: Cdk, emulator: Emulator) -> list[str]:
    """Look at the environment, read its logs, run commands in tasks, ask the database; return what was seen.

    Raises RehearsalError at the first verb that fails or does not see what is there.
    """
    status = facts(environment, "status")
    short = [one["name"] for one in status["services"] if one["running"] < one["desired"]]
    if short:
        raise RehearsalError(f"status: {', '.join(short)} runs fewer tasks than it should")
    logged = facts(environment, "logs", "--since", "1h")
    if not logged:
        raise RehearsalError("logs: nobody has logged anything")
    service = status["services"][0]["name"]
    steps = [step["what"] for step in facts(environment, "trace", service)]
    happened = len(facts(environment, "events"))
    code, said = ask(environment, "run", service, "--", "sh", "-c", "echo seen; exit 3")
    if code != 3 or "seen" not in said.splitlines():
        raise RehearsalError(f"run: ended with {code} instead of 3, and said: {said}")
    seeded = _fill(environment)
    worked = _work(environment, service)
    services = ", ".join(f"{one['name']} {one['running']} of {one['desired']}" for one in status["services"])
    return [
        f"status: {services}",
        f"logs: {len(logged)} lines",
        f"events: {happened}",
        f"trace {service}: {', '.join(steps)}",
        "run: its log, and its exit code 3",
        *seeded,
        *worked,
        *get_in(cdk, emulator, ROOT, service, is_let_in=plan_of(environment, ROOT).settings.services.ecs_exec),
    ]


def _work(environment: str, service: str) -> list[str]:
    """Replace a service's tasks, run more of them and fewer, and let somebody in and out; return what became of it."""
    (before,) = [one for one in facts(environment, "status")["services"] if one["name"] == service]
    _must(environment, "scale", service, str(before["desired"] + 1))
    more = _rolled_out(environment, service, lambda one: one["running"] == before["desired"] + 1)
    _must(environment, "scale", service, str(before["desired"]))
    _must(environment, "restart", service)
    after = _rolled_out(environment, service, lambda one: one["since"] > before["since"])
    _must(environment, "users", "invite", _SOMEBODY)
    _must(environment, "users", "disable", _SOMEBODY)
    (invited,) = [one for one in facts(environment, "users") if one["email"] == _SOMEBODY]
    _must(environment, "users", "remove", _SOMEBODY)
    if invited["is_enabled"] or any(one["email"] == _SOMEBODY for one in facts(environment, "users")):
        raise RehearsalError(f"users: {_SOMEBODY} was not disabled, or not removed")
    return [
        f"scale: {more['running']} of {more['desired']}, and back",
        f"restart: {after['running']} of {after['desired']} new tasks",
        "users: invited, disabled, removed",
        f"open: {facts(environment, 'open')['url']}",
    ]


def _rolled_out(environment: str, service: str, is_right: Callable[[Any], bool]) -> Any:
    """Wait until a service's deployment is complete and it is as it should be; return what `status` says of it."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        # `status` ends with 1 while a task is missing, which is no failure here.
        said = json.loads(ask(environment, "status", "--json")[1])["services"]
        (found,) = [one for one in said if one["name"] == service]
        is_complete = found["deployment"] == "completed" and found["running"] == found["desired"]
        if is_complete and is_right(found):
            return found
        if time.monotonic() > deadline:
            raise RehearsalError(f"{service} is not as it was told to be after {_PATIENCE} s: {found}")
        time.sleep(1)


def _fill(environment: str) -> list[str]:
    """Run twice what fills a preview, where cdk.json has it: the second time it has to leave everything as it is."""
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    seed = preview_settings(context["preview"]).seed if "preview" in context else None
    if seed is None:
        return []
    said = [ask(environment, "run", seed.service, "--", *seed.command) for _ in range(2)]
    if failed := [text for code, text in said if code]:
        raise RehearsalError(f"{' '.join(seed.command)}: {failed[0]}")
    return [text.splitlines()[-1] for _, text in said]


def failure_cards(environment: str, emulator: Emulator) -> list[str]:
    """Return what the command line says of tasks that failed, while ECS knows of them and when it has forgotten them.

    Raises RehearsalError when it says nothing.
    """
    lines = facts(environment, "logs", "--previous")
    if not lines:
        raise RehearsalError("logs --previous: nothing of a task that is gone")
    emulator.an_hour_later()
    if list(Deployment(open_session(), plan_of(environment)).stopped_and_running("STOPPED")):
        raise RehearsalError("ECS still knows of tasks that stopped an hour ago")
    cards = [f"{one['service']}: {one['reason']} → {one['key']}" for one in facts(environment, "failures")]
    if not cards:
        raise RehearsalError("failures: knows of no task that failed an hour ago")
    return [
        f"logs --previous: {len(lines)} lines",
        *(f"failures, an hour later: {card}" for card in dict.fromkeys(cards)),
    ]


def back_and_forward(environment: str, site: Site) -> list[str]:
    """Go back to the version before the one that runs, and forward again; return which versions answered.

    Raises RehearsalError when another one answers afterwards.
    """
    newest = {one["service"]: one["revision"] for one in reversed(facts(environment, "rollback"))}
    latest = _version(site)
    _must(environment, "rollback", "previous")
    earlier = _awaited(environment, site, lambda version: version != latest)
    for service, revision in newest.items():
        _must(environment, "rollback", f"{service}:{revision}")
    return [f"rollback: from {latest} to {earlier}", f"and to {_awaited(environment, site, lambda one: one == latest)}"]


def _awaited(environment: str, site: Site, is_right: Callable[[str], bool]) -> str:
    """Wait until every deployment is complete and the right version answers, and no other one; return it.

    The tasks before go on to answer for some seconds, as on AWS, where the load balancer takes leave of them first.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        is_complete = all(one["deployment"] == "completed" for one in facts(environment, "status")["services"])
        versions = {_version(site) for _ in range(_TIMES)} if is_complete else set()
        if len(versions) == 1 and is_right(version := versions.pop()):
            return version
        if time.monotonic() > deadline:
            answered = f", and {' and '.join(versions)} answers" if versions else ""
            raise RehearsalError(f"rollback: it is not there after {_PATIENCE} s{answered}")
        time.sleep(1)


def _version(site: Site) -> str:
    return str(site.request("GET", "/openapi.json", 200)["info"]["version"])


def _must(environment: str, verb: str, *arguments: str) -> None:
    code, said = ask(environment, verb, *arguments)
    if code:
        raise RehearsalError(f"{verb} ended with {code}: {said}")


def facts(environment: str, verb: str, *arguments: str) -> Any:
    """Return the facts that a verb prints; RehearsalError when it fails."""
    code, said = ask(environment, verb, "--json", *arguments)
    if code:
        raise RehearsalError(f"{verb}: ended with {code}: {said}")
    return json.loads(said)


def ask(environment: str, verb: str, *arguments: str) -> tuple[int, str]:
    """Return a verb's exit code and what it said."""
    said, complaints = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complaints):
        code = main([verb, "--env", environment, *arguments])
    return code, said.getvalue() or complaints.getvalue()
