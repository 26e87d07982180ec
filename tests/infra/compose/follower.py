"""Somebody who changes a compose file as its messages say, word by word, and knows nothing else."""

import contextlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from infra.compose import Problem
from infra.compose.load import load

Data = dict[str, Any]


# What nobody can mend who does not know the application: each is a reason with which such messages begin.
PEOPLE_ALONE = (
    "not valid YAML",
    "there is no such file",
    "there is no file ",
    "cannot be read",
    "has neither build nor image",
    "No such file",
    r"has no service that runs on Fargate\. $",
    r"\S+\.env: ",
    "must be a host name for Service Connect",
    "an image asset is built from a local directory",
    "an image asset needs a file",
    "services share settings by anchors only",
    "ECS has no hooks",
    "only containers are deployed",
    ".* owns the database and signs in by its password",
    ".* name different users",
    "the user to sign in as is missing",
    r"names a file of SQLite.*x-aws\.rds\.$",
    r"must be a mapping\. $",
)


# A value in no form that is accepted, which the message names: the author knows what was meant.
FORMS = (
    "must be ",
    "is empty",
    "lacks ",
    "has no target",
    r"has no (minutes|hours|day-of-month|month|day-of-week|year) '",
    r"must have \? for one of day-of-month and day-of-week, and",
    "has the unknown key",
    "ports are from",
    "the ranges of ",
    "no shell reads ",
    "the load balancer and Service Connect carry TCP only",
    ".* must be an absolute path alone",
)


def plain(text: str) -> Data:
    """Return a compose file with one way to write each thing, and nothing shared between services."""
    data: Data = json.loads(json.dumps(load(text))) or {}
    for service in (data.get("services") or {}).values():
        if not isinstance(service, dict):
            continue
        if isinstance(service.get("build"), str):
            service["build"] = {"context": service["build"]}
        if isinstance(service.get("build"), dict) and isinstance(service["build"].get("args"), list):
            pairs = [item.partition("=") for item in service["build"]["args"]]
            service["build"]["args"] = {name: value if equals else None for name, equals, value in pairs}
        if isinstance(service.get("depends_on"), list):
            service["depends_on"] = {name: {"condition": "service_started"} for name in service["depends_on"]}
        for key in ("environment", "labels"):
            if isinstance(service.get(key), list) and all(isinstance(item, str) for item in service[key]):
                pairs = [item.partition("=") for item in service[key]]
                service[key] = {name: value if equals else None for name, equals, value in pairs}
    return data


def needs_a_person(problem: Problem) -> bool:
    """Say whether what is right is known to a person alone."""
    text = f"{problem.reason}. {problem.alternative}"
    is_understood = any(re.search(pattern, text, re.DOTALL) for pattern, _ in _ADVICE)
    return any(re.match(reason, text) for reason in PEOPLE_ALONE) or (
        not is_understood and any(re.match(form, text) for form in FORMS)
    )


def follow(data: Data, problem: Problem) -> None:
    """Do what a message says, the first of what it offers; raise KeyError when nothing of it is understood."""
    for pattern, act in _ADVICE:
        if match := re.search(pattern, f"{problem.reason}. {problem.alternative}", re.DOTALL):
            with contextlib.suppress(_GoneError):
                act(_Place(data, problem), match)
            return
    raise KeyError(str(problem))


class _GoneError(Exception):
    """Another message of the same round has had the place removed."""


class _Place:
    def __init__(self, data: Data, problem: Problem) -> None:
        self.data, self.problem = data, problem
        self.services: dict[str, Data] = data.get("services") or {}
        if problem.service and problem.service not in self.services:
            raise _GoneError
        if problem.service and self.services[problem.service] is None:
            self.services[problem.service] = {}
        self.service: Data = self.services[problem.service] if problem.service else data
        self.steps: list[str | int] = [
            int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", problem.key)
        ]

    def parent(self, *, make: bool = False) -> Any:
        here: Any = self.service
        for step in self.steps[:-1]:
            if isinstance(here, dict) and here.get(str(step)) is None and make:
                here[step] = {}
            try:
                here = here[step]
            except (KeyError, IndexError, TypeError):
                raise _GoneError from None
        return here

    @property
    def value(self) -> Any:
        try:
            return self.parent()[self.steps[-1]]
        except (_GoneError, KeyError, IndexError, TypeError):
            return None

    def write(self, value: Any) -> None:
        self.parent(make=True)[self.steps[-1]] = value

    def drop(self) -> None:
        parent = self.parent()
        if isinstance(parent, list):
            parent[int(self.steps[-1])] = None  # the numbers of the others stay, until the round is over
        elif isinstance(parent, dict):
            parent.pop(self.steps[-1], None)

    def merge(self, block: str, service: str | None = None) -> None:
        _merge(self.services[service] if service else self.service, yaml.safe_load(block))


def _merge(into: Data, block: Data) -> None:
    for name, value in block.items():
        if isinstance(value, dict):
            if not isinstance(into.get(name), dict):
                into[name] = {}
            _merge(into[name], value)
        elif isinstance(value, list) and isinstance(into.get(name), list):
            into[name] += [item for item in value if item not in into[name]]
        else:
            into[name] = value


def tidy(value: Any) -> Any:
    """Return the file without the items that were dropped from lists."""
    if isinstance(value, dict):
        return {name: tidy(item) for name, item in value.items()}
    return [tidy(item) for item in value if item is not None] if isinstance(value, list) else value


def _depend(place: _Place, match: re.Match[str]) -> None:
    place.service.setdefault("depends_on", {})[match[1]] = {"condition": "service_started"}


def _rename(place: _Place, match: re.Match[str]) -> None:
    value = place.value
    place.drop()
    place.steps[-1] = match[1]
    place.write(value)


def _rename_and_write(place: _Place, match: re.Match[str]) -> None:
    _rename(place, match)
    place.write(match[2])


def _move(place: _Place, match: re.Match[str]) -> None:
    value = place.value
    place.drop()
    place.steps = list(match[1].split("."))
    place.write(str(value))


def _default(place: _Place, match: re.Match[str]) -> None:
    name, example = match[1], "1"

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return re.sub(rf"\$\{{{name}\}}|\${name}\b", f"${{{name}:-{example}}}", value)
        if isinstance(value, list):
            return [filled(item) for item in value]
        return {key: filled(item) for key, item in value.items()} if isinstance(value, dict) else value

    if place.value is None:
        place.write(example)
    else:
        place.write(filled(place.value))


def _to_override(place: _Place, _: re.Match[str]) -> None:
    gone = place.problem.service or ""
    del place.services[gone]
    for service in place.services.values():
        (service.get("depends_on") or {}).pop(gone, None)
        for name, value in (service.get("environment") or {}).items():
            if gone in str(value):
                _merge(service, {"x-aws": {"environment": {name: "database.example.com"}}})


def _drop_dependency(place: _Place, match: re.Match[str]) -> None:
    (place.service.get("depends_on") or {}).pop(match[1], None)


def _scratch(place: _Place, match: re.Match[str]) -> None:
    place.drop()
    place.merge(match[1])


def _define(place: _Place, match: re.Match[str]) -> None:
    _merge(place.data, {"volumes": {match[1]: {}}})


def _health_check(place: _Place, match: re.Match[str]) -> None:
    place.merge("healthcheck: {test: [CMD, 'true']}", match[1])


def _into_x_aws(place: _Place, match: re.Match[str]) -> None:
    value = place.value
    place.drop()
    if place.problem.service:
        _merge(place.service, {"x-aws": {match[1]: value}})


def _put(place: _Place, match: re.Match[str]) -> None:
    if not isinstance(place.value, dict):
        place.write({})
    place.value[match[1]] = match[2]


def _name_it(place: _Place, _: re.Match[str]) -> None:
    place.data["name"] = "app"


def _leave_one(place: _Place, _: re.Match[str]) -> None:
    place.write(place.value[:1])
    place.service.pop("expose", None)


def _as_text(place: _Place, _: re.Match[str]) -> None:
    if isinstance(place.value, int | float):
        place.write(str(place.value))
    else:
        place.drop()


def _escape(place: _Place, match: re.Match[str]) -> None:
    token = match[1] or match[2]
    value = json.dumps(place.value, ensure_ascii=False)
    place.write(json.loads(re.sub(rf"(?<!\$){re.escape(token)}", f"${token}", value)))


def _instead(place: _Place, match: re.Match[str]) -> None:
    place.write(str(place.value).replace(match[1], match[2]))


def _without_parameter(place: _Place, match: re.Match[str]) -> None:
    place.write(re.sub(rf"(?<=[?&]){match[1]}=[^&]*&?", "", str(place.value)))


def _condition(place: _Place, match: re.Match[str]) -> None:
    if place.steps[-1] != "condition":
        place.steps.append("condition")
    place.write(match[1])


def _pass_on(place: _Place, match: re.Match[str]) -> None:
    place.drop()
    for service in place.services.values():
        if match[1] in (service.get("depends_on") or {}):
            service["depends_on"][match[2]] = {"condition": "service_started"}


def _write(example: Callable[[re.Match[str]], Any]) -> Callable[[_Place, re.Match[str]], None]:
    return lambda place, match: place.write(example(match))


def _drop(place: _Place, _: re.Match[str]) -> None:
    place.drop()


_ADVICE: list[tuple[str, Callable[[_Place, re.Match[str]], None]]] = [
    (r"unknown key\. Known here", _drop),
    (r"Write it in the service that it is about, as x-aws: \{(\S+): ", _into_x_aws),
    (
        r"says nothing of when.*Write such as (\w+): (\d+)",
        _put,
    ),
    (r"Name the project", _name_it),
    (r"Write the test here", _write(lambda _: ["CMD", "true"])),
    (r"Did you mean ([\w-]+)\?", _rename),
    (r"Add (\S+) to depends_on", _depend),
    (r"Name it in (\S+), such as (expose: \[.*?\])", lambda place, match: place.merge(match[2], match[1])),
    (r"Name the port that it listens on, such as (ports: \[.*?\])", lambda place, match: place.merge(match[1])),
    (r"(x-aws: \{.*\})[,;.: ]", lambda place, match: place.merge(_balanced(match[1]))),
    (
        r"Add (\w+): url to x-aws.rds.variables of (\w+)",
        lambda place, match: place.merge(f"x-aws: {{rds: {{variables: {{{match[1]}: url}}}}}}", match[2]),
    ),
    (r"Move this service, and what depends_on it, to docker-compose.override.yml", _to_override),
    (r"ove (?:it|the volume|them) to docker-compose.override.yml", _drop),
    (r"\$\{(\w+):-…\}", _default),
    (r"'(\$.+)' is not a variable|'(\$\{)' lacks", _escape),
    (r"Write ((?:cron|rate)\(.*?\))", _write(lambda match: match[1])),
    (r"Write (tmpfs: \[.*?\]) instead", _scratch),
    (r"Write such as (\w+:/\S+) \(", _write(lambda match: match[1])),
    (r"Add volumes: \{(\S+): \{\}\}", _define),
    (r"goes round in a circle: \S+ -> (\S+)", _drop_dependency),
    (r"Give (\S+) a healthcheck", _health_check),
    (r"Write such as \w+: (\".*?\"|\[.*?\]|[^ ]*)[. ]", _write(lambda match: yaml.safe_load(match[1]))),
    (r"Write (deploy\.[a-z.]+)\.", _move),
    (r"Write postgres: and the major version, such as (\S+)\.", _write(lambda match: match[1])),
    (r"Write (postgresql:\S+)\.", _write(lambda match: match[1])),
    (r"names the \w+ (\S+), and on AWS .*Write (\w+), or", _instead),
    (r"has the parameter (\w+)\. Write it into the address", _without_parameter),
    (r"Write (service_\w+)", _condition),
    (r"Write (cpu_percent): (\d+) instead", _rename_and_write),
    (
        r"no variable carries.*such as (DATABASE_URL): (url)",
        _put,
    ),
    (r"Write its value", _write(lambda _: "1")),
    (
        r"write the URL for AWS in x-aws.environment.(\w+)",
        lambda place, match: place.merge(
            f"x-aws: {{environment: {{{match[1]}: 'postgresql://database.example.com/app'}}}}"
        ),
    ),
    (r"(\d+) is less than the (\d+)", _write(lambda match: int(match[2]))),
    (
        r"(\d+) MiB is more than the limit.*Raise the limit",
        lambda place, match: place.merge(f"deploy: {{resources: {{limits: {{memory: {match[1]}M}}}}}}"),
    ),
    (r"Leave the one that", _leave_one),
    (
        r"(\S+) belongs to \S+ already. Give each path to one",
        lambda place, match: place.write([path for path in place.value if path != match[1]] or ["/elsewhere"]),
    ),
    (r"Let the services that wait for (\S+) depend on (\S+) instead", _pass_on),
    (r"Keep it in docker-compose.override.yml", _drop),
    (r"must be a whole number from (\d+) to", _write(lambda match: int(match[1]))),
    (r"must be true or false", _write(lambda _: True)),
    (r"must be a list", lambda place, _: place.write([place.value] if isinstance(place.value, str) else [])),
    (r"must be a string, not", _as_text),
    (r"must be (?:a|whole) [^.]*? such as \"?([^\s\",]+)", _write(lambda match: match[1])),
    (r"must be ([\w-]+)(?:,| or)", _write(lambda match: match[1])),
    (r'must be "(no)" or', _write(lambda match: match[1])),
    (r"(?:[Dd]rop|do without it)", _drop),
]


def _balanced(text: str) -> str:
    depth = 0
    for index, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "}" and depth == 0:
            return text[: index + 1]
    return text


def written(data: Data, file: Path) -> None:
    """Write the file anew."""
    file.write_text(yaml.safe_dump(tidy(data), sort_keys=False, allow_unicode=True))
