"""Virtual time: the real clock, a scaled one, or one that stands still until it is told to move.

Everything that happens in a machine happens at a moment of its clock, in seconds since 1970-01-01 UTC
(a float). The operating system's clock is handed in as a function, so nothing in here asks it.

* rate 1: virtual time runs with real time (plus whatever it was advanced by);
* rate 60: one real second is one virtual minute;
* rate 0: a *manual* clock, which moves only by `advance`.

Virtual time never goes back: not when the rate changes, and not when the system's clock is set back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

END = 253_402_128_000.0
"""Midnight before 9999-12-30 UTC, where time ends: a day later some time zones have no calendar any more."""


class Clock:
    """The virtual clock of one machine."""

    __slots__ = ("_base_real", "_base_virtual", "_latest", "_rate", "_real", "_started_with_real")

    def __init__(self, real: Callable[[], float], *, rate: float = 1.0, start: float | None = None) -> None:
        """`real` gives seconds since 1970; `start` is the first virtual moment (default: the real one)."""
        self._real = real
        self._rate = _checked_rate(rate)
        self._base_real = real()
        self._started_with_real = start is None
        self._base_virtual = self._base_real if start is None else start
        self._latest = self._base_virtual

    @property
    def rate(self) -> float:
        """Virtual seconds per real second; 0 for a manual clock."""
        return self._rate

    def now(self) -> float:
        """The virtual moment, in seconds since 1970 UTC."""
        moment = self._base_virtual + (self._real() - self._base_real) * self._rate
        self._latest = min(max(moment, self._latest), END)
        return self._latest

    def advance(self, seconds: float) -> float:
        """Move virtual time forward at once and return the new moment.

        Raises:
            ValueError: when `seconds` is negative or not finite, or leads beyond the end of the calendar.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError("a clock only goes forward")
        moment = self.now() + seconds
        if moment > END:
            raise ValueError("the calendar ends with the year 9999")
        self._rebase(moment)
        return self._latest

    def set_rate(self, rate: float) -> None:
        """Run at another rate from this moment on; 0 freezes.

        Raises:
            ValueError: when `rate` is negative or not finite.
        """
        moment = self.now()
        self._rate = _checked_rate(rate)
        self._rebase(moment)

    def real_moment_of(self, virtual: float) -> float | None:
        """The real moment at which `virtual` is reached; None while the clock stands still."""
        if self._rate == 0:
            return None
        return self._base_real + (virtual - self._base_virtual) / self._rate

    @property
    def is_wall_time(self) -> bool:
        """True while virtual and real time are the same, so that there is nothing to remember."""
        return self._started_with_real and self._rate == 1 and self._base_virtual == self._base_real

    def snapshot(self) -> dict[str, Any]:
        """What a store keeps: the moment, and how far it is ahead of real time (seconds)."""
        moment = self.now()
        return {"now": moment, "ahead": moment - self._real()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from a snapshot.

        A clock at rate 1 has gone on with the world while the process was away; a scaled or manual one
        stood still.
        """
        moment = float(saved["now"])
        if self._rate == 1:
            moment = max(moment, self._real() + float(saved["ahead"]))
        self._rebase(moment)

    def _rebase(self, moment: float) -> None:
        self._base_real = self._real()
        self._base_virtual = self._latest = moment
        self._started_with_real = False


def _checked_rate(rate: float) -> float:
    if not 0 <= rate < float("inf"):
        raise ValueError("a rate is zero or more")
    return float(rate)
