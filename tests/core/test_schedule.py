"""The calendar of recurring jobs: which moments a schedule has."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.clock import END
from emulator.core.schedule import MONTHS, OCCURRENCES_MAX, WEEKDAYS, Schedule

HOUR, DAY = 3600.0, 86_400.0
CST = -360
"""Minutes: the controller's local time is six hours behind UTC."""


def at(text: str) -> float:
    """A moment in UTC, or in the offset that the text has."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def occurrences(schedule: Schedule, number: int, made: float | None = None) -> list[str]:
    """The first ones, in the schedule's local time."""
    zone = timezone(timedelta(minutes=schedule.utc_offset_minutes))
    found: list[str] = []
    moment = schedule.start - 1
    while len(found) < min(number, schedule.limit):
        following = schedule.following(moment, schedule.start if made is None else made)
        if following is None:
            break
        found.append(datetime.fromtimestamp(following, zone).strftime("%a %Y-%m-%d %H:%M"))
        moment = following
    return found


CALENDAR: list[tuple[str, str, dict[str, Any], list[str]]] = [
    ("a start alone is one occurrence", "2026-02-03T10:00", {}, ["Tue 2026-02-03 10:00"]),
    (
        "an interval counts from the start",
        "2026-02-03T10:00",
        {"interval": 1.5 * HOUR, "max_occurrences": 4},
        ["Tue 2026-02-03 10:00", "Tue 2026-02-03 11:30", "Tue 2026-02-03 13:00", "Tue 2026-02-03 14:30"],
    ),
    (
        "MaxOccurrences ends it",
        "2026-02-03T10:00",
        {"interval": 90 * DAY, "max_occurrences": 3},
        ["Tue 2026-02-03 10:00", "Mon 2026-05-04 10:00", "Sun 2026-08-02 10:00"],
    ),
    (
        "a lifetime ends it, and its last moment is in it",
        "2026-02-03T10:00",
        {"interval": DAY, "lifetime": 2 * DAY},
        ["Tue 2026-02-03 10:00", "Wed 2026-02-04 10:00", "Thu 2026-02-05 10:00"],
    ),
    (
        "days without an interval: once on each, at the start's time of day",
        "2026-02-03T10:00",
        {"weekdays": ("Monday", "Friday"), "max_occurrences": 4},
        ["Fri 2026-02-06 10:00", "Mon 2026-02-09 10:00", "Fri 2026-02-13 10:00", "Mon 2026-02-16 10:00"],
    ),
    (
        "Every is all days",
        "2026-02-27T10:00",
        {"weekdays": ("Every",), "max_occurrences": 3},
        ["Fri 2026-02-27 10:00", "Sat 2026-02-28 10:00", "Sun 2026-03-01 10:00"],
    ),
    (
        "so is 0 of the month",
        "2026-02-27T10:00",
        {"month_days": (0,), "max_occurrences": 3},
        ["Fri 2026-02-27 10:00", "Sat 2026-02-28 10:00", "Sun 2026-03-01 10:00"],
    ),
    (
        "a month without a 31st has none",
        "2026-01-31T23:59",
        {"month_days": (31,), "max_occurrences": 4},
        ["Sat 2026-01-31 23:59", "Tue 2026-03-31 23:59", "Sun 2026-05-31 23:59", "Fri 2026-07-31 23:59"],
    ),
    (
        "weekdays and days of the month must agree: Friday the 13th",
        "2026-01-01T00:00",
        {"weekdays": ("Friday",), "month_days": (13,), "max_occurrences": 4},
        ["Fri 2026-02-13 00:00", "Fri 2026-03-13 00:00", "Fri 2026-11-13 00:00", "Fri 2027-08-13 00:00"],
    ),
    (
        "leap days, over a century that has none",
        "2092-03-01T06:00",
        {"month_days": (29,), "months": ("February",), "max_occurrences": 3},
        ["Wed 2096-02-29 06:00", "Fri 2104-02-29 06:00", "Wed 2108-02-29 06:00"],
    ),
    (
        "a leap day on a Monday",
        "2025-01-01T06:00",
        {"month_days": (29,), "months": ("February",), "weekdays": ("Monday",), "max_occurrences": 2},
        ["Mon 2044-02-29 06:00", "Mon 2072-02-29 06:00"],
    ),
    (
        "every half hour of a Monday",
        "2026-02-01T22:15",
        {"interval": HOUR / 2, "weekdays": ("Monday",), "max_occurrences": 50},
        [f"Mon 2026-02-02 {hour:02}:{minute}" for hour in range(24) for minute in (15, 45)]
        + ["Mon 2026-02-09 00:15", "Mon 2026-02-09 00:45"],
    ),
    (
        "an interval that seldom meets the day",
        "2026-02-03T10:00",
        {"interval": 5 * DAY, "weekdays": ("Sunday",), "max_occurrences": 3},
        ["Sun 2026-02-08 10:00", "Sun 2026-03-15 10:00", "Sun 2026-04-19 10:00"],
    ),
    ("an interval that never meets the day", "2026-02-03T10:00", {"interval": 7 * DAY, "weekdays": ("Monday",)}, []),
    ("a day that no month has", "2026-02-03T10:00", {"months": ("February",), "month_days": (30, 31)}, []),
    (
        "enabled intervals, with both of their ends",
        "2026-02-03T10:00",
        {
            "interval": HOUR,
            "intervals": (
                (at("2026-02-04T03:00"), at("2026-02-04T04:00")),
                (at("2026-02-03T11:30"), at("2026-02-03T12:30")),
            ),
        },
        ["Tue 2026-02-03 12:00", "Wed 2026-02-04 03:00", "Wed 2026-02-04 04:00"],
    ),
    (
        "enabled intervals and days",
        "2026-02-03T10:00",
        {
            "interval": 6 * HOUR,
            "weekdays": ("Thursday",),
            "intervals": ((at("2026-02-05T09:00"), at("2026-02-12T05:00")),),
        },
        ["Thu 2026-02-05 10:00", "Thu 2026-02-05 16:00", "Thu 2026-02-05 22:00", "Thu 2026-02-12 04:00"],
    ),
    (
        "days are local days: at 20:00 UTC-6 it is the next day in UTC",
        "2026-02-02T20:00-06:00",
        {"weekdays": ("Monday",), "max_occurrences": 2, "utc_offset_minutes": CST},
        ["Mon 2026-02-02 20:00", "Mon 2026-02-09 20:00"],
    ),
    (
        "a start that is given in another offset",
        "2026-02-03T02:00+00:00",
        {"weekdays": ("Monday",), "max_occurrences": 2, "utc_offset_minutes": CST},
        ["Mon 2026-02-02 20:00", "Mon 2026-02-09 20:00"],
    ),
    (
        "the last day of the month in local time",
        "2026-01-31T23:00-06:00",
        {"month_days": (31,), "max_occurrences": 2, "utc_offset_minutes": CST},
        ["Sat 2026-01-31 23:00", "Tue 2026-03-31 23:00"],
    ),
]


@pytest.mark.parametrize(
    ("start", "rules", "expected"), [row[1:] for row in CALENDAR], ids=[row[0] for row in CALENDAR]
)
def test_a_calendar_of_examples(start: str, rules: dict[str, Any], expected: list[str]) -> None:
    schedule = Schedule(at(start), **rules)
    ends = len(expected) < schedule.limit
    assert occurrences(schedule, len(expected) + ends) == expected


def test_a_lifetime_counts_from_when_the_job_was_made() -> None:
    schedule = Schedule(at("2026-02-03T10:00"), DAY, lifetime=2 * DAY)
    assert occurrences(schedule, 9, made=at("2026-02-02T10:00")) == ["Tue 2026-02-03 10:00", "Wed 2026-02-04 10:00"]
    assert occurrences(schedule, 9, made=at("2026-01-02T10:00")) == []


def test_time_ends_with_the_calendar() -> None:
    schedule = Schedule(END - 1.5 * DAY, DAY)
    assert len(occurrences(schedule, 9)) == 2
    assert Schedule(END - DAY, month_days=(31,)).following(END - 2 * DAY, END - 2 * DAY) is None


def test_no_schedule_goes_on_for_ever() -> None:
    assert Schedule(0.0, 60.0).limit == OCCURRENCES_MAX
    assert Schedule(0.0, 60.0, max_occurrences=7).limit == 7


BASE = int(at("2028-02-20T00:00"))
MINUTES = 60 * 24 * 24
"""So many minutes are looked through: over a leap day and the end of two months."""
SCHEDULES = st.builds(
    lambda start, interval, weekdays, month_days, months, spans, offset: Schedule(
        BASE + start * 60.0,
        None if interval is None else interval * 60.0,
        None,
        None,
        tuple(weekdays),
        tuple(month_days),
        tuple(months),
        tuple((BASE + begin * 60.0, BASE + (begin + length) * 60.0) for begin, length in spans),
        offset,
    ),
    st.integers(0, 5000),
    st.none() | st.integers(1, 20) | st.sampled_from([60, 90, 1440, 1439, 2880, 10_080]),
    st.lists(st.sampled_from(WEEKDAYS), max_size=3),
    st.lists(st.integers(1, 31), max_size=6),
    st.lists(st.sampled_from(MONTHS[:4]), max_size=2),
    st.lists(st.tuples(st.integers(0, MINUTES), st.integers(0, 3000)), max_size=2),
    st.sampled_from([0, -300, 330, 840, -720]),
)


def is_enabled(schedule: Schedule, moment: int) -> bool:
    """By the rules as they are written down."""
    since = moment - int(schedule.start)
    if schedule.interval is not None:
        in_step = since >= 0 and since % int(schedule.interval) == 0
    elif schedule.names_days:
        in_step = since >= 0 and since % int(DAY) == 0
    else:
        in_step = since == 0
    local = datetime.fromtimestamp(moment, timezone(timedelta(minutes=schedule.utc_offset_minutes)))
    return (
        in_step
        and (not schedule.weekdays or WEEKDAYS[local.weekday()] in schedule.weekdays)
        and (not schedule.month_days or local.day in schedule.month_days)
        and (not schedule.months or MONTHS[local.month - 1] in schedule.months)
        and (not schedule.intervals or any(begin <= moment <= end for begin, end in schedule.intervals))
    )


@given(schedule=SCHEDULES, after=st.integers(-100, MINUTES))
def test_the_next_occurrence_is_the_first_minute_that_obeys_all_rules(schedule: Schedule, after: int) -> None:
    """Compared with a search minute by minute."""
    begin, end = after, min(after + 6000, MINUTES)
    found = schedule.following(BASE + after * 60.0, schedule.start)
    searched = (BASE + minute * 60 for minute in range(begin + 1, end))
    expected = next((moment for moment in searched if is_enabled(schedule, moment)), None)
    if expected is None:
        assert found is None or found >= BASE + end * 60
    else:
        assert found == expected


@given(schedule=SCHEDULES, seconds=st.floats(60.0, 1e6), start=st.floats(0, 1e9))
def test_occurrences_are_strictly_later_each_and_a_minute_apart(
    schedule: Schedule, seconds: float, start: float
) -> None:
    odd = Schedule(start, seconds, weekdays=schedule.weekdays, utc_offset_minutes=schedule.utc_offset_minutes)
    moments = [start - 1]
    while len(moments) < 20 and (following := odd.following(moments[-1], start)) is not None:
        assert following > moments[-1]
        moments.append(following)
    assert all(later - earlier >= 59.999 for earlier, later in pairwise(moments[1:]))


@given(day=st.dates(date(1970, 1, 1), date(9998, 12, 31)), hour=st.integers(0, 23))
def test_any_day_of_the_calendar_is_known_by_its_names(day: date, hour: int) -> None:
    start = datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp()
    named = {"weekdays": (WEEKDAYS[day.weekday()],), "month_days": (day.day,), "months": (MONTHS[day.month - 1],)}
    for wrong in ({}, {"month_days": (day.day % 31 + 1,)}, {"months": (MONTHS[day.month % 12],)}):
        found = Schedule(start, **{**named, **wrong}).following(start - 1, start)
        assert (found == start) is (not wrong)


@given(schedule=SCHEDULES)
def test_a_schedule_that_was_stored_is_the_same(schedule: Schedule) -> None:
    assert Schedule.from_plain(schedule.to_plain()) == schedule
