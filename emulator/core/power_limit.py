"""A limit of what a machine may draw: one value, however many resources show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PowerLimit:
    """A limit in watts, and whether it is in force."""

    watts: float | None
    """None: nobody has ever set one."""
    is_enabled: bool

    @property
    def in_force(self) -> float | None:
        """The limit that holds now; None where none does."""
        return self.watts if self.is_enabled else None

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {"watts": self.watts, "is_enabled": self.is_enabled}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> PowerLimit:
        """The reverse of `to_plain`."""
        return cls(plain["watts"], plain["is_enabled"])
