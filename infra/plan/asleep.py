"""When an environment sleeps (`services.asleep`): hours of every day without tasks and with a stopped database."""

import re
from dataclasses import dataclass
from zoneinfo import available_timezones

EXAMPLE = "20:00-08:00 America/Sao_Paulo"

_FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d) (\S+)")
_DAY = 24 * 60
_LEAST = 60  # minutes asleep, and awake: a database takes ten to stop or to start

# Tasks let go of the database before it stops, and find it when they start.
_STOPS_LATER, _STARTS_EARLIER = 10, 20


@dataclass(frozen=True)
class TimeOfDay:
    """A minute of the day, from 0 at midnight."""

    minute_of_day: int

    @property
    def hour(self) -> int:
        """0 to 23."""
        return self.minute_of_day // 60

    @property
    def minute(self) -> int:
        """0 to 59."""
        return self.minute_of_day % 60

    def plus(self, minutes: int) -> "TimeOfDay":
        """Return the time so much later, or earlier, on whichever day."""
        return TimeOfDay((self.minute_of_day + minutes) % _DAY)


@dataclass(frozen=True)
class HoursAsleep:
    """From when to when, every day, in which time zone."""

    tasks_stop: TimeOfDay
    tasks_start: TimeOfDay
    time_zone: str

    @property
    def database_stops(self) -> TimeOfDay:
        """When no task uses it any more."""
        return self.tasks_stop.plus(_STOPS_LATER)

    @property
    def database_starts(self) -> TimeOfDay:
        """So early that it is there when the tasks start."""
        return self.tasks_start.plus(-_STARTS_EARLIER)


def hours_asleep(text: str) -> HoursAsleep:
    """Return what a setting such as "20:00-08:00 America/Sao_Paulo" means.

    Raises:
        ValueError: it means nothing; the message completes "…asleep: ".
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f'must be hours and a time zone, such as "{EXAMPLE}"; not {text!r}')
    if found[5] not in available_timezones():
        raise ValueError(f"must end in a time zone of the IANA's, such as America/Sao_Paulo; not {found[5]!r}")
    stop, start = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    asleep = (start - stop) % _DAY
    if not _LEAST <= asleep <= _DAY - _LEAST:
        raise ValueError(f"must be at least an hour asleep and an hour awake; not {text!r}")
    return HoursAsleep(TimeOfDay(stop), TimeOfDay(start), found[5])
