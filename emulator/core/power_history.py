"""What the host's power has been: as much of it as readings that follow power need, and no more however long it gets.

Each phase of the host that began is a `Span`. It keeps how warm things were when it began and how much had been drawn
by then, so whatever lay before may be forgotten. `SPANS_MAX` of them are kept, for what tells of the last minutes.

A machine that has never changed its power has been running since `EPOCH`: that needs no keeping, and is the same
whenever the machine was made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from emulator.core.host import Phase

EPOCH = 1_672_531_200.0
"""2023-01-01 UTC, in seconds since 1970: what counts consumption has been counting since then."""
SPANS_MAX = 24
"""A power cycle has six spans."""


class Pace(IntEnum):
    """How fast something warms up and cools down. The value is an index into `SECONDS`."""

    QUICK = 0
    """A processor under its heat sink."""
    MEDIUM = 1
    """Memory, boards, the air that leaves."""
    SLOW = 2
    """Power supplies, drives, batteries."""


SECONDS = (60.0, 180.0, 480.0)
"""Time constants: after so long 63 % of the way is done."""

DRAW: Mapping[Phase, float] = {
    Phase.OFF: 0.05,
    Phase.GAP: 0.05,
    Phase.POST: 1.25,
    Phase.TASKS: 1.1,
    Phase.BOOTING: 1.15,
    Phase.RUNNING: 1.0,
    Phase.STOPPING: 0.9,
}
"""How much a machine draws, as a share of what it draws while the operating system is up. Off is standby power."""
POWERLESS = frozenset({Phase.OFF, Phase.GAP})


class Span(NamedTuple):
    """A phase of the host from the moment at which it began."""

    phase: Phase
    since: float
    warmth: tuple[float, ...] = (1.0,) * len(SECONDS)
    """At its beginning, by pace: 1 is the warmth of a running host, 0 that of the room."""
    drawn: float = 0.0
    """What was drawn before it, in seconds of a running host."""

    @property
    def is_on(self) -> bool:
        """Whether the host has power."""
        return self.phase not in POWERLESS

    def warmth_at(self, moment: float, pace: Pace) -> float:
        """From 0 to 1; it nears its end by the exponential law of cooling."""
        end = 1.0 if self.is_on else 0.0
        return end + (self.warmth[pace] - end) * math.exp(-self._length(moment) / SECONDS[pace])

    def drawn_at(self, moment: float) -> float:
        """What was drawn until then, in seconds of a running host."""
        return self.drawn + DRAW[self.phase] * self._length(moment)

    def _length(self, moment: float) -> float:
        return max(0.0, moment - self.since)


@dataclass(frozen=True, slots=True)
class PowerHistory:
    """The last spans, the oldest first; never none."""

    spans: tuple[Span, ...] = (Span(Phase.RUNNING, EPOCH),)

    def entered(self, phase: Phase, moment: float) -> PowerHistory:
        """The history that goes on with a phase which begins at `moment`."""
        last = self.spans[-1]
        warmth = tuple(last.warmth_at(moment, pace) for pace in Pace)
        span = Span(phase, moment, warmth, last.drawn_at(moment))
        return PowerHistory((*self.spans, span)[-SPANS_MAX:])

    def at(self, moment: float) -> Span:
        """The span in which a moment lies; the oldest one for what lies before all of them."""
        return next((span for span in reversed(self.spans) if span.since <= moment), self.spans[0])

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {"spans": [[span.phase.value, span.since, list(span.warmth), span.drawn] for span in self.spans]}

    @classmethod
    def from_plain(cls, saved: Mapping[str, Any]) -> PowerHistory:
        """The reverse of `to_plain`."""
        spans = (Span(Phase(phase), since, tuple(warmth), drawn) for phase, since, warmth, drawn in saved["spans"])
        return cls(tuple(spans))


ALWAYS_RUNNING = PowerHistory()
"""Of a host whose power has never changed."""
