"""What is staged for a device, and what became of what was staged before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.core.device import Value
from emulator.core.message import Message


@dataclass(slots=True)
class Pending:
    """What is staged for a device and not in force yet."""

    values: dict[str, Value] = field(default_factory=dict)
    reset: bool = False
    """Put everything to defaults at the next POST."""

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {"values": dict(self.values), "reset": self.reset}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Pending:
        """The reverse of `to_plain`."""
        return cls(dict(plain["values"]), plain["reset"])


@dataclass(frozen=True, slots=True)
class Result:
    """How the last application of staged values to a device went (`@Redfish.Settings`)."""

    at: float
    messages: tuple[Message, ...]

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {"at": self.at, "messages": [message.to_plain() for message in self.messages]}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Result:
        """The reverse of `to_plain`."""
        return cls(plain["at"], tuple(Message.from_plain(message) for message in plain["messages"]))
