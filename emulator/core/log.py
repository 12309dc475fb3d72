"""Logs: what happened, one numbered entry each, the oldest forgotten first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from emulator.core.message import Message
from emulator.core.ring import Ring


class Entry(NamedTuple):
    """One entry. `at` is virtual, in seconds since 1970 UTC."""

    number: int
    at: float
    message: Message
    origin: str
    """What it is about: a job's or a device's id, or ""."""


class Log(Ring[Entry]):
    """One log of a machine. Numbers go on after those of the entries that the mockup delivers."""

    __slots__ = ("has_delivered",)

    def __init__(self, room: int, first_number: int = 1) -> None:
        """`room`: how many entries are kept at most, rounded up to whole chunks."""
        super().__init__(room, first_number)
        self.has_delivered = True
        """Whether the entries that the mockup delivers are still in it."""

    def at_index(self, index: int) -> Entry:
        """The entry so many places behind the newest, which is 0: numbers have no gaps."""
        entry = self.get(self._next - 1 - index)
        assert entry is not None, "an index within the log"
        return entry

    def add(self, at: float, message: Message, origin: str) -> list[int]:
        """Write an entry; gives the chunks that changed, the forgotten ones among them."""
        changed = self.append(Entry(self._next, at, message, origin))
        if len(changed) > 1:
            self.has_delivered = False  # they are older still
        return changed

    def clear(self) -> list[int]:
        """Forget all entries, delivered ones too; gives the chunks that changed."""
        gone = list(self._chunks)
        self._chunks.clear()
        self._count = 0
        self.has_delivered = False
        return gone

    def chunk_to_plain(self, number: int) -> dict[str, Any] | None:
        """A chunk in JSON types, for a store; None for one that is gone."""
        chunk = self._chunks.get(number)
        if chunk is None:
            return None
        return {"entries": [[entry.number, entry.at, entry.message.to_plain(), entry.origin] for entry in chunk]}

    def restore_chunk(self, number: int, saved: Mapping[str, Any]) -> None:
        """The reverse of `chunk_to_plain`; chunks come in the order of their numbers."""
        entries = [Entry(n, at, Message.from_plain(plain), origin) for n, at, plain, origin in saved["entries"]]
        self.put_back(number, entries)

    def to_plain(self) -> dict[str, Any]:
        """Its counters, for a store."""
        return {"next": self._next, "has_delivered": self.has_delivered}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from stored counters."""
        self._next = saved["next"]
        self.has_delivered = saved["has_delivered"]
