"""Times, durations and intervals as Redfish writes them (DSP0266, "Date-Time values", "Duration values"; ISO 8601)."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_DURATION = re.compile(
    r"P(?=.)(?:(?P<days>\d{1,7})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)


def parse_moment(text: str) -> datetime:
    """A date and time, "YYYY-MM-DDThh:mm:ss", with an offset or without.

    Raises:
        ValueError: anything else.
    """
    if not _DATE_TIME.fullmatch(text):  # fromisoformat alone takes weeks, too, and times without seconds
        raise ValueError(text)
    return datetime.fromisoformat(text)


def parse_zoned_moment(text: str) -> datetime:
    """As `parse_moment`, of a text that says its offset.

    Raises:
        ValueError: anything else.
    """
    moment = parse_moment(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def moment_of(text: str, utc_offset_minutes: int) -> float:
    """A date and time in seconds since 1970 UTC; one without an offset is local, with the offset that is given.

    Raises:
        ValueError: it is none.
    """
    found = parse_moment(text)
    if found.tzinfo is None:
        found = found.replace(tzinfo=timezone(timedelta(minutes=utc_offset_minutes)))
    return found.timestamp()


def duration_seconds(text: str) -> float:
    """A duration in seconds: "P90D", "PT1H30M". Years, months and weeks are none of Redfish's.

    Raises:
        ValueError: anything else.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def span_of(text: str, utc_offset_minutes: int) -> tuple[float, float]:
    """An interval, "start/end", "start/duration" or "duration/end", as its first and its last moment.

    Raises:
        ValueError: anything else, or an end before the start.
    """
    one, slash, other = text.partition("/")
    if not slash:
        raise ValueError(text)
    if one.startswith("P"):
        end = moment_of(other, utc_offset_minutes)
        return end - duration_seconds(one), end
    begin = moment_of(one, utc_offset_minutes)
    end = begin + duration_seconds(other) if other.startswith("P") else moment_of(other, utc_offset_minutes)
    if end < begin:
        raise ValueError(text)
    return begin, end


def duration_text(seconds: float) -> str:
    """Whole seconds as a duration: PT90S, rounded up."""
    return f"PT{math.ceil(seconds)}S"
