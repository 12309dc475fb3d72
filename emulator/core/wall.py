"""The controller's own clock: what it shows at a virtual moment, and in which local time.

Virtual time is when things happen, and only the control face moves it. The controller's clock is what people read and
set (DellTimeService, DateTime of the Manager): setting it ahead finishes no work that is under way, just as on a real
controller, but a start time that it has passed has come. What happened before it was set keeps the time that was shown
then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.core.clock import END

CHANGES_MAX = 100
"""How many settings of the clock are remembered."""


class WallClock:
    """The clock of one controller. It only goes forward, like the virtual time under it."""

    __slots__ = ("_changes", "delivered_offset_minutes", "utc_offset_minutes")

    def __init__(self, utc_offset_minutes: int = 0) -> None:
        self.delivered_offset_minutes = utc_offset_minutes
        self.utc_offset_minutes = utc_offset_minutes
        """DateTimeLocalOffset."""
        self._changes: list[tuple[float, float]] = []
        """(since which moment, how many seconds it has been ahead of virtual time), the oldest first."""

    @property
    def ahead(self) -> float:
        """How many seconds it is ahead of virtual time now."""
        return self._changes[-1][1] if self._changes else 0.0

    def shows(self, moment: float) -> float:
        """What it shows at a virtual moment, in seconds since 1970 UTC."""
        if not self._changes:
            return moment
        ahead = next((seconds for since, seconds in reversed(self._changes) if since <= moment), 0.0)
        return min(moment + ahead, END)

    def moment_of(self, shown: float) -> float:
        """The virtual moment at which it shows this, as it goes now."""
        return shown - self.ahead

    def put_forward(self, now: float, seconds: float) -> None:
        """From the virtual moment `now` on it is so many seconds further ahead."""
        self._changes.append((now, self.ahead + seconds))
        if len(self._changes) > CHANGES_MAX:
            del self._changes[0]

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {"utc_offset_minutes": self.utc_offset_minutes, "changes": [list(change) for change in self._changes]}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """The reverse of `to_plain`."""
        self.utc_offset_minutes = saved["utc_offset_minutes"]
        self._changes = [(since, seconds) for since, seconds in saved["changes"]]
