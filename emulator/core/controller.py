"""The management controller itself: whether it is there, and whether its data services are.

    READY      it answers, and knows its hardware
    RELOADING  it answers; after jobs have changed something it reads its inventory again
    NOT_READY  it answers, but its data services are starting again (JID_CLEARALL_FORCE)
    AWAY       it is restarting and answers nothing

What ends by itself ends at `until`. While it is away, nothing that it does itself goes on; see `engine.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Condition(StrEnum):
    """Where the controller is."""

    READY = "Ready"
    RELOADING = "Reloading"
    NOT_READY = "NotReady"
    AWAY = "Away"


_RANK = (Condition.READY, Condition.RELOADING, Condition.NOT_READY, Condition.AWAY)


@dataclass(slots=True)
class Controller:
    """The controller of one machine."""

    condition: Condition = Condition.READY
    until: float | None = None
    """When the present condition ends; None for READY."""
    last_reset_at: float | None = None
    reason: str = ""
    """Why it restarted last, in a word or two."""

    @property
    def is_away(self) -> bool:
        """True while it is restarting."""
        return self.condition is Condition.AWAY

    def enter(self, condition: Condition, until: float) -> bool:
        """Be in this condition until then; False where a graver one, or this one for longer, is in force."""
        present = (_RANK.index(self.condition), self.until or 0.0)
        if present >= (_RANK.index(condition), until):
            return False
        self.condition, self.until = condition, until
        return True

    def recover(self) -> None:
        """The condition has ended."""
        self.condition, self.until = Condition.READY, None

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {
            "condition": self.condition.value,
            "until": self.until,
            "last_reset_at": self.last_reset_at,
            "reason": self.reason,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """The reverse of `to_plain`."""
        self.condition = Condition(saved["condition"])
        self.until = saved["until"]
        self.last_reset_at = saved["last_reset_at"]
        self.reason = saved["reason"]
