"""`services.asleep`: what it means, and what it may not say."""

import pytest

from infra.plan.asleep import EXAMPLE, TimeOfDay, hours_asleep


def test_the_database_stops_after_the_tasks_and_starts_before_them() -> None:
    hours = hours_asleep(EXAMPLE)

    assert (hours.tasks_stop, hours.tasks_start) == (TimeOfDay(20 * 60), TimeOfDay(8 * 60))
    assert (hours.database_stops.hour, hours.database_stops.minute) == (20, 10)
    assert (hours.database_starts.hour, hours.database_starts.minute) == (7, 40)
    assert hours.time_zone == "America/Sao_Paulo"


def test_hours_around_midnight() -> None:
    hours = hours_asleep("23:55-00:55 UTC")

    assert (hours.database_stops.hour, hours.database_stops.minute) == (0, 5)
    assert (hours.database_starts.hour, hours.database_starts.minute) == (0, 35)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("20:00-08:00", "must be hours and a time zone, such as"),
        ("20-8 America/Sao_Paulo", "must be hours and a time zone, such as"),
        ("24:00-08:00 UTC", "must be hours and a time zone, such as"),
        ("20:00-08:00 America/São Paulo", "must be hours and a time zone, such as"),
        ("20:00-08:00 Brasília", "must end in a time zone of the IANA's"),
        ("20:00-08:00 ../../etc/passwd", "must end in a time zone of the IANA's"),
        ("20:00-20:00 UTC", "at least an hour asleep and an hour awake"),
        ("20:00-20:59 UTC", "at least an hour asleep and an hour awake"),
        ("20:00-19:01 UTC", "at least an hour asleep and an hour awake"),
    ],
)
def test_what_means_nothing_says_what_would(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        hours_asleep(text)
