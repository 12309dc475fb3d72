"""Schedules: the moments at which something is to happen again and again (DMTF Schedule 1.2.5).

The moments are counted from the start: start, start + interval, start + 2 intervals, ... Of these, those count whose
day is enabled in the controller's local time, by weekday *and* day of the month *and* month, and that lie within an
enabled interval, where such are given. Without a RecurrenceInterval a schedule that names days has one moment a day,
at the time of day of its start; one that names none has its start alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import floor
from typing import Any

from emulator.core.clock import END

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
EVERY, EVERY_DAY = "Every", 0
"""What stands for all days of the week, or all months, and for all days of the month."""
INTERVAL_SECONDS_MIN = 60.0
"""The least distance between two occurrences."""
OCCURRENCES_MAX = 10_000
"""No schedule has more occurrences than these, so that a jump of the clock over years is done in seconds."""
HORIZON_DAYS = 15_000
"""How far ahead the next occurrence is looked for: a 29th of February on a given weekday comes within 40 years."""

_DAY = 86_400
_MICRO = 1_000_000
_THURSDAY = 3
"""The weekday of 1970-01-01, with Monday as 0."""
_DAYS_BEFORE_1970, _DAYS_IN_400_YEARS = 719_468, 146_097
"""From the first of March of the year 0; after 400 years the calendar begins again."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is to happen. Moments are in seconds since 1970 UTC, on the controller's own clock."""

    start: float
    """InitialStartTime."""
    interval: float | None = None
    """RecurrenceInterval, in seconds."""
    max_occurrences: int | None = None
    lifetime: float | None = None
    """So many seconds after it was made it ends."""
    weekdays: tuple[str, ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[str, ...] = ()
    intervals: tuple[tuple[float, float], ...] = ()
    """EnabledIntervals: the first and the last moment of each."""
    utc_offset_minutes: int = 0
    """The controller's local time, whose days and months are meant."""

    @property
    def names_days(self) -> bool:
        """Whether it says anything about days, even that all are enabled."""
        return bool(self.weekdays or self.month_days or self.months)

    @property
    def limit(self) -> int:
        """How many occurrences it has at most."""
        return min(self.max_occurrences or OCCURRENCES_MAX, OCCURRENCES_MAX)

    def ends(self, made: float) -> float:
        """The last moment of a schedule that was made at `made`."""
        return END if self.lifetime is None else min(END, made + self.lifetime)

    def following(self, after: float, made: float) -> float | None:
        """The next occurrence later than `after` of a schedule that was made at `made`; None where there is none."""
        return _rules(self).following(after, self.ends(made))

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Schedule:
        """The reverse of `to_plain`."""
        fields = {name: _frozen(value) for name, value in plain.items()}
        return cls(**fields)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


@lru_cache(maxsize=512)
def _rules(schedule: Schedule) -> _Rules:
    return _Rules(schedule)


class _Rules:
    """A schedule, ready to be asked. Moments are whole microseconds here, so that counting intervals is exact."""

    def __init__(self, schedule: Schedule) -> None:
        self._start = floor(schedule.start * _MICRO)  # not later than the start: one that is now is due now
        self._period = _period(schedule)
        self._offset = schedule.utc_offset_minutes * 60 * _MICRO
        self._weekdays = _numbers(schedule.weekdays, WEEKDAYS, range(7))
        self._months = _numbers(schedule.months, MONTHS, range(12))
        self._month_days = frozenset(schedule.month_days) - {EVERY_DAY} or frozenset(range(1, 32))
        self._spans = sorted((_micro(begin), _micro(end)) for begin, end in schedule.intervals)

    def following(self, after: float, until: float) -> float | None:
        """The first occurrence later than `after` and not later than `until`."""
        passed = _micro(after)
        if self._period is None:
            is_to_come = passed < self._start <= _micro(until) and self._enabled_from(self._start) == self._start
            return self._start / _MICRO if is_to_come else None
        count = max(0, (passed - self._start) // self._period + 1)
        horizon = max(HORIZON_DAYS * _DAY * _MICRO, self._period)
        last = min(_micro(until), max(passed, self._start) + horizon)
        while (at := self._start + count * self._period) <= last:
            earliest = self._enabled_from(at)
            if earliest is None:
                return None
            if earliest == at:
                return at / _MICRO
            count = -((self._start - earliest) // self._period)  # the first that is not before it
        return None

    def _enabled_from(self, at: int) -> int | None:
        """`at` where it is enabled, else the next moment that may be; None where none comes."""
        day = (at + self._offset) // (_DAY * _MICRO)
        enabled = next((one for one in range(day, day + HORIZON_DAYS) if self._is_enabled(one)), None)
        if enabled is None:
            return None
        if enabled != day:
            return enabled * _DAY * _MICRO - self._offset
        if not self._spans or any(begin <= at <= end for begin, end in self._spans):
            return at
        return next((begin for begin, _ in self._spans if begin > at), None)

    def _is_enabled(self, day: int) -> bool:
        """Whether a local day, counted from 1970 on, is one of those named."""
        if (day + _THURSDAY) % 7 not in self._weekdays:
            return False
        month, month_day = _month_and_day(day)
        return month - 1 in self._months and month_day in self._month_days


def _month_and_day(day: int) -> tuple[int, int]:
    """The month, 1 to 12, and the day of the month of a day counted from 1970 on, in the Gregorian calendar.

    Years are counted from the first of March here, so that a leap day is the last of its year.
    """
    day_of_era = (day + _DAYS_BEFORE_1970) % _DAYS_IN_400_YEARS
    year = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year + year // 4 - year // 100)
    month = (5 * day_of_year + 2) // 153  # 0 is March
    return (month + 2) % 12 + 1, day_of_year - (153 * month + 2) // 5 + 1


def _period(schedule: Schedule) -> int | None:
    if schedule.interval is not None:
        return _micro(schedule.interval)
    return _DAY * _MICRO if schedule.names_days else None


def _micro(moment: float) -> int:
    return round(moment * _MICRO)


def _numbers(names: Iterable[str], order: tuple[str, ...], otherwise: range) -> frozenset[int]:
    """Their places in the order; all of them where none is named, or every one is."""
    chosen = set(names)
    return frozenset(otherwise) if not chosen or EVERY in chosen else frozenset(map(order.index, chosen))
