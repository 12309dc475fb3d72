"""What a profile shows of a device and of what belongs to it, and what becomes of what a profile says of them.

A profile speaks in text. A part is a device, or something that is configured with it and has an id of its own: a
volume, a drive. How parts are called and nested in a vendor's file is the file's business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from emulator.core.job import Step
from emulator.core.message import Message

if TYPE_CHECKING:
    from emulator.core.device import Attribute, Value

MASK = "******"
"""What stands for a password."""
_SOUNDS_SECRET = re.compile(r"(?i)password|passphrase|secret|key$")
Text = str | list[str]
"""A value as a profile says it. Only values of the type List are lists."""
Wanted = Mapping[str, Mapping[str, Text]]
"""What a profile says of a device: by the id of the part (the device's own, where it is about the device itself), the
values by name, those included that are so already."""


@dataclass(frozen=True, slots=True)
class Part:
    """A device, or something that belongs to it, as it is configured now."""

    id: str
    attributes: Mapping[str, Attribute]
    """What may be said of it. Immutable: not now, but of one that is yet to be made."""
    values: Mapping[str, Value]
    """In the order in which they are shown."""
    parts: tuple[Part, ...] = ()


class Told(NamedTuple):
    """What is told of one setting of a profile."""

    part: str
    name: str
    old: Text
    new: Text


class Planned(NamedTuple):
    """Some settings of a profile, and the step that brings them about, or why none does."""

    told: tuple[Told, ...]
    becomes: Step | Message


def as_told(attribute: Attribute | None, name: str, text: Text) -> Text:
    """What a profile says of an attribute, as a result may tell it; of a stranger only its name tells what it is."""
    secret = _SOUNDS_SECRET.search(name) if attribute is None else attribute.type == "Password"
    return MASK if secret else text


def as_text(value: Value) -> Text:
    """A value as a profile says it."""
    if isinstance(value, list):
        return [str(entry) for entry in value]
    return "" if value is None else str(value)


def from_text(attribute: Attribute, text: Text) -> Value:
    """A profile's text as the attribute's type; the text itself where it is none of that type."""
    if isinstance(text, list):
        return list(text)
    if attribute.type == "Integer":
        return int(text) if text.removeprefix("-").isdecimal() and len(text) < 20 else text
    if attribute.type == "Boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    return text
