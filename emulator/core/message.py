"""Messages as data: a key, its arguments, and the properties it is about.

Keys are neutral. Where DMTF's Base registry has a key for the thing, that key is used (`PropertyUnknown`);
the job service adds its own (`NothingPending`). What a key is called, numbered and worded on the wire is a
dialect's business, and which HTTP status goes with it is the face's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to say.

    `related` holds paths of the properties it is about, without a leading slash: ("Attributes/BootMode",).
    `native` is a message id given from outside (a planned fault's), said instead of what the dialect has for the key.
    `device` is the kind of device that it is about ("nic"), where it is about one: some number their messages by it.
    """

    key: str
    args: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    native: str | None = None
    device: str | None = None

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        plain: dict[str, Any] = {"key": self.key}
        if self.args:
            plain["args"] = list(self.args)
        if self.related:
            plain["related"] = list(self.related)
        if self.native:
            plain["native"] = self.native
        if self.device:
            plain["device"] = self.device
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Message:
        """The reverse of `to_plain`."""
        args, related = tuple(plain.get("args", ())), tuple(plain.get("related", ()))
        return cls(plain["key"], args, related, plain.get("native"), plain.get("device"))


class Rejected(Exception):  # noqa: N818 - it is a verdict on a request, not a fault of the program
    """A request is refused whole, and nothing has changed. `messages` say why, at least one."""

    def __init__(self, *messages: Message) -> None:
        super().__init__(", ".join(message.key for message in messages))
        self.messages = messages


def reject_if_any(messages: Iterable[Message]) -> None:
    """Raise `Rejected` with all of `messages`, if there are any."""
    found = tuple(messages)
    if found:
        raise Rejected(*found)
