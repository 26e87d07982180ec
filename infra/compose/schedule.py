"""`x-aws.schedule`: a service whose task runs by the clock, to its end, instead of all the time."""

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from zoneinfo import available_timezones

from infra.compose import values
from infra.compose.fields import Fields
from infra.compose.model import Project, Schedule

T = TypeVar("T")

_RATE = re.compile(r"rate\((?:1 (?:minute|hour|day)|(?!0|1 )\d{1,5} (?:minutes|hours|days))\)")
_CRON = re.compile(r"cron\((.*)\)")
_MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_DAYS = "SUN|MON|TUE|WED|THU|FRI|SAT"
# EventBridge Scheduler User Guide, "Schedule types": the fields of cron(), in their order.
_FIELDS = {
    "minutes": (r"[1-5]?\d", ""),
    "hours": (r"2[0-3]|1?\d", ""),
    "day-of-month": (r"3[01]|[12]\d|[1-9]", r"|\?|L|LW|\d{1,2}W"),
    "month": (rf"1[0-2]|[1-9]|{_MONTHS}", ""),
    "day-of-week": (rf"[1-7]|{_DAYS}", rf"|\?|L|(?:[1-7]|{_DAYS})(?:L|#[1-5])"),
    "year": (r"(?:19[7-9]|20\d|21\d)\d", ""),
}
_EXAMPLE = 'such as "cron(0 3 * * ? *)" or "rate(6 hours)"'

_RETRIES = 3  # of `restart: on-failure`, which says no number
_TIMEOUT = 12 * 3600
_SECONDS = values.seconds(60, 7 * 86400)


def schedule_of(fields: Fields) -> Schedule | None:
    """Return when a service's task runs; None for one that keeps running."""
    x_aws = fields.within("x-aws")
    written = x_aws.raw("schedule")
    if written is None:
        return None
    is_long = isinstance(written, Mapping)
    more: Mapping[str, Any] = written if is_long else {}

    def part(key: str, parse: Callable[[Any], T], default: T) -> T:
        return default if more.get(key) is None else x_aws.parse(f"schedule.{key}", more[key], parse, default)

    return Schedule(
        expression=x_aws.parse(
            "schedule.expression" if "expression" in more else "schedule",
            more.get("expression") if is_long else written,
            _expression,
            "",
        ),
        time_zone=part("time_zone", _time_zone, "UTC"),
        may_overlap=part("overlap", values.boolean, False),
        timeout_seconds=part("timeout", _SECONDS, _TIMEOUT),
        retries=_retries(fields),
    )


def check(project: Project, services: Mapping[str, Fields]) -> None:
    """Note what only a service that keeps running can have, and who waits for one that does not."""
    scheduled = project.scheduled()
    for name in sorted(scheduled):
        fields = services[name]
        reason = "it runs by the clock (x-aws.schedule), so nothing can be sent to it"
        for key in ("ports", "expose"):
            if key in fields:
                fields.problem(key, reason, "Drop the key, or drop x-aws.schedule.")
        if "public" in fields.within("x-aws"):
            fields.problem("x-aws.public", reason, "Drop the key, or drop x-aws.schedule.")
        for place, key in (("x-aws", "autoscaling"), ("deploy", "update_config")):
            if key in fields.within(place):
                fields.problem(f"{place}.{key}", "one task runs, by the clock (x-aws.schedule)", "Drop the key.")
        if project.services[name].replicas != 1:
            fields.problem("deploy.replicas", "one task runs, by the clock (x-aws.schedule)", "Drop the key.")
    for name, service in project.services.items():
        for other in service.depends_on:
            if other in scheduled:
                reason = f"{other} runs by the clock (x-aws.schedule), so nobody can wait for it"
                services[name].problem(f"depends_on.{other}", reason, "Drop it.")


def _expression(value: Any) -> str:
    if value is None:
        raise ValueError(f"lacks expression, when it runs, {_EXAMPLE}")
    text = " ".join(str(value).split())
    if _RATE.fullmatch(text):
        return text
    if rate := re.fullmatch(r"rate\((\d{1,5}) (minute|hour|day)s?\)", text):
        number = max(int(rate[1]), 1)
        raise ValueError(f"must be in words that agree. Write rate({number} {rate[2]}{'s' * (number > 1)})")
    if cron := _CRON.fullmatch(text):
        return _cron(cron[1])
    if translated := _of_crontab(text):
        raise ValueError(f"must be in the words of EventBridge Scheduler. Write {translated}")
    raise ValueError(
        f"must be cron(minutes hours day-of-month month day-of-week year) or rate(…), {_EXAMPLE}, not {text!r}"
    )


def _cron(text: str) -> str:
    """Return the expression as it is when it has six fields that are right; the days are `?` in one of two."""
    fields = re.sub(r"\b0+(?=\d)", "", text).split()
    if len(fields) != len(_FIELDS):
        translated = _of_crontab(text)
        alternative = f". Write {translated}" if translated else ""
        raise ValueError(f"must have the six fields {', '.join(_FIELDS)}, not {len(fields)}{alternative}")
    for (name, (one, others)), field in zip(_FIELDS.items(), fields, strict=True):
        part = rf"(?:\*|(?:{one})(?:-(?:{one}))?)(?:/\d+)?"
        if not re.fullmatch(rf"{part}(?:,{part})*{others}", field, re.IGNORECASE):
            raise ValueError(f"has no {name} {field!r}")
    days = fields[2], fields[4]
    if days.count("?") != 1:
        fields[4 if days[1] in ("*", "?") else 2] = "?"
        if days.count("?") == 0 and "*" in days:
            raise ValueError(f"must have ? for one of day-of-month and day-of-week. Write cron({' '.join(fields)})")
        raise ValueError("must have ? for one of day-of-month and day-of-week, and the other one say the days")
    return f"cron({' '.join(fields)})"


def _of_crontab(text: str) -> str | None:
    """Return the expression for five fields of a crontab, where weeks begin with 0 for Sunday; None if it is none."""
    fields = text.split()
    if len(fields) != 5 or "/" in fields[4]:
        return None
    minutes, hours, day, month, weekday = fields
    names = _DAYS.split("|")
    weekday = re.sub(r"\d", lambda found: names[int(found[0]) % 7], weekday)
    if weekday == "*":
        weekday = "?"
    elif day == "*":
        day = "?"
    try:
        return _cron(" ".join((minutes, hours, day, month, weekday, "*")))
    except ValueError:
        return None


def _time_zone(value: Any) -> str:
    known = available_timezones()
    text = values.string(value)
    if text not in known and known:
        close = difflib.get_close_matches(text, known, n=1)
        raise ValueError(f"must be a time zone such as {close[0] if close else 'America/Sao_Paulo'}, not {text!r}")
    return text


def _retries(fields: Fields) -> int:
    """Return how often a run that failed is repeated, as `restart` says it in Compose."""
    policy, _, number = str(fields.raw("restart") or "no").partition(":")
    if policy != "on-failure":
        return 0
    return int(number) if number.isdigit() else _RETRIES
