"""Events: what somebody may have asked to be told of (DSP0266, "Eventing").

A machine keeps the newest ones, numbered, until they have been delivered or newer ones need their room. An event is
neutral: a message's key and arguments, what it is about, and when. Into whose words it is put, and whether a subscriber
wants it at all, is decided when it is to be delivered; so nothing is written for nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from emulator.core.message import Message
from emulator.core.ring import Ring


class About(NamedTuple):
    """What an event is about: a kind of thing, and which one."""

    kind: str
    """One of "job", "host", "device", "settings" (of a device), "session", "account", "subscription", "system", "entry"
    (what an entry of the log is about) and "uri"; or a schema's name: "Volume", with "device/part" as the id."""
    id: str


ORIGIN = "{origin}"
"""As an argument of an event's message: the URI of what it is about, which nobody knows before it is written."""
NOTHING = About("uri", "")
"""For an event that is about the service as a whole."""


class EventRecord(NamedTuple):
    """One event. `at` is virtual, in seconds since 1970 UTC."""

    number: int
    """Never used twice."""
    at: float
    message: Message
    about: About
    group: int
    """The number of the first event of the same cause."""
    entry: int = 0
    """The entry of the lifecycle log that says the same; 0: none does."""
    only: str = ""
    """The id of the one subscription that it is for; "": it is for all."""
    given: Mapping[str, Any] | None = None
    """What a client has given for a test event, in JSON types."""

    def to_plain(self) -> list[Any]:
        """JSON types only, for a store."""
        message = self.message.to_plain()
        return [self.number, self.at, message, *self.about, self.group, self.entry, self.only, self.given]

    @classmethod
    def from_plain(cls, plain: list[Any]) -> EventRecord:
        """The reverse of `to_plain`."""
        number, at, message, kind, which, group, entry, only, given = plain
        return cls(number, at, Message.from_plain(message), About(kind, which), group, entry, only, given)


class EventLog(Ring[EventRecord]):
    """The newest events of a machine."""

    __slots__ = ("_group",)

    def __init__(self, room: int) -> None:
        """`room`: how many events are kept at most, rounded up to whole chunks."""
        super().__init__(room)
        self._group = 0
        """The present cause's; 0: nothing has been said of it yet."""

    def new_cause(self) -> None:
        """What happens from now on has another cause."""
        self._group = 0

    def add(
        self,
        at: float,
        message: Message,
        about: About,
        *,
        entry: int = 0,
        only: str = "",
        given: Mapping[str, Any] | None = None,
    ) -> list[int]:
        """Note an event; gives the chunks that changed, the forgotten ones among them."""
        self._group = self._group or self._next
        return self.append(EventRecord(self._next, at, message, about, self._group, entry, only, given))

    def chunk_to_plain(self, number: int) -> dict[str, Any] | None:
        """A chunk in JSON types, for a store; None for one that is gone."""
        chunk = self._chunks.get(number)
        return None if chunk is None else {"events": [event.to_plain() for event in chunk]}

    def restore_chunk(self, number: int, saved: Mapping[str, Any]) -> None:
        """The reverse of `chunk_to_plain`; chunks come in the order of their numbers."""
        self.put_back(number, [EventRecord.from_plain(plain) for plain in saved["events"]])

    def to_plain(self) -> dict[str, Any]:
        """Its counter, for a store."""
        return {"next": self._next}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from a stored counter."""
        self._next = saved["next"]
