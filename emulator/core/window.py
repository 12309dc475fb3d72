"""Maintenance windows (DSP0266, "Settings resource"): from a start, for so many seconds."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.core.clock import END
from emulator.core.message import Message, Rejected
from emulator.core.queue import SECONDS_PER_MINUTE, WINDOW_SECONDS_MIN


@dataclass(frozen=True, slots=True)
class Window:
    """When a job may start. Moments are virtual, in seconds since 1970 UTC."""

    start: float
    seconds: float
    restarts: bool
    """True: the service restarts the host when the window opens; False: somebody else does, within it."""

    @property
    def until(self) -> float:
        """When it closes."""
        return self.start + self.seconds

    def check(self, now: float) -> None:
        """Refuse a window that is too short, or does not lie ahead (a minute's difference between clocks is none).

        Raises:
            Rejected: WindowDurationTooShort (SYS448), WindowStartInvalid (SYS436).
        """
        if self.seconds < WINDOW_SECONDS_MIN:
            raise Rejected(Message("WindowDurationTooShort", (f"{self.seconds:g}", DURATION), (DURATION,)))
        if self.start < now - SECONDS_PER_MINUTE or self.until > END:
            when = f"{now - self.start:.0f} s ago" if self.start < now else "beyond the end of the calendar"
            raise Rejected(Message("WindowStartInvalid", (when, START), (START,)))


START, DURATION = "MaintenanceWindowStartTime", "MaintenanceWindowDurationInSeconds"
