"""The device protocol: everything the job service knows about hardware.

A device is a set of named attributes with values, and a way to change them one step at a time. Adding hardware means
adding attributes and steps, never methods. What hardware does by itself (a rebuild) has a due time that its device
tells; what happens to it from outside (a drive fails) has a name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from emulator.core.job import Outcome, Step
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.core.part import Part, Planned, Wanted

Value = str | int | bool | list[Any] | None
"""A value in JSON types, which nobody changes in place. Only sequences, operations and lists are lists."""
LIST = "List"
"""Texts, such as the ids of drives. Only parts of devices have attributes of this type."""
SEQUENCE = "Sequence"
"""`[id, whether it is on]` each."""
OPERATIONS = "Operations"
"""`[operation, what it is done to, its parameters by name]` each: in the order in which they are to be done."""
NO_ATTRIBUTES = frozenset({SEQUENCE, OPERATIONS})
"""Types of what is staged like an attribute and is none to its readers: it has resources of its own."""
SEALED = "sealed:"
"""A password is kept as this word and a digest; the text itself never leaves the request that brought it."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """What an attribute may hold (AttributeRegistry, `RegistryEntries.Attributes[]`)."""

    name: str
    type: str
    """Enumeration, String, Integer, Boolean, Password or List; Sequence: all of `choices` in some order, each on or
    off; Operations: what is to be done, each one of `choices`; it is added to what is pending and replaces nothing."""
    choices: tuple[str, ...] = ()
    lower: int | None = None
    upper: int | None = None
    increment: int = 0
    min_length: int | None = None
    max_length: int | None = None
    pattern: re.Pattern[str] | None = None
    read_only: bool = False
    hidden: bool = False
    immutable: bool = False
    default: Value = None
    secrets: frozenset[str] = frozenset()
    """Of operations: those of their parameters that are kept sealed, like passwords."""


class Device(Protocol):
    """One device of a machine. A device is a subclass: it has the methods that every one must have, and those of the
    others that are about it.

    Already checked when `plan` is called: every name is in `describe()`, every value has the attribute's type and lies
    within its list, bounds, lengths and pattern; passwords are sealed; no other job holds the device.
    The device's to check: everything that depends on the values of other attributes, on power, or on being busy.
    """

    __slots__ = ()

    id: str
    kind: str

    def describe(self) -> Mapping[str, Attribute]:
        """The attributes, by name. The same object every time: it may be shared between machines."""

    def read(self) -> Mapping[str, Value]:
        """The values a reader sees now, by name."""

    def plan(self, change: Mapping[str, Value]) -> tuple[Step, ...]:
        """The steps that would bring the change about, in order; changes nothing.

        Raises:
            Rejected: with a message for each value that cannot be set, and why.
        """

    def apply(self, step: Step, at: float) -> Outcome:
        """Do one step. What fails is a value, not an exception."""

    def undo(self, step: Step, before: Mapping[str, Any]) -> None:
        """Take back one step, given what its outcome said was there before."""

    def snapshot(self) -> dict[str, Any]:
        """What differs from a new device, in JSON types."""

    def restore(self, saved: Mapping[str, Any]) -> None:
        """The reverse of `snapshot`."""

    # -- what not every device has

    def reset(self) -> None:
        """Put every attribute to its default. By default there are none."""
        return

    def check_password(self, name: str, sealed: str) -> bool:
        """Whether `sealed` is the password in force; an unset one equals the sealed empty text. By default: no."""
        return False

    def erase(self, component: str, at: float) -> bool:
        """Erase what it holds of a component (a key of `erase.COMPONENTS`); False where it holds nothing."""
        return False

    def profile(self) -> Part:
        """What a profile shows of it. By default its attributes."""
        return Part(self.id, self.describe(), self.read())

    def plan_profile(self, wanted: Wanted) -> Sequence[Planned] | None:
        """What brings it to what a profile says of it and of its parts, in order; changes nothing.

        What is so already needs nothing; what cannot be done is a message, and the rest goes on. By default None: its
        attributes are set like anybody else's, and it has no parts.
        """
        return None

    def next_due(self) -> float | None:
        """When something that it does by itself is done, on the virtual clock. None: it is doing nothing."""
        return None

    def happen(self, at: float) -> tuple[Message, ...]:
        """Let what is due at this moment happen. What there is to say of it."""
        return ()

    def events(self) -> Mapping[str, Sequence[str]]:
        """What can befall it now from outside, by the name of the event: the ids of its parts that it can befall."""
        return {}

    def renewed(self, event: str, part: str) -> Sequence[str]:
        """What is another one, as delivered, once this event has befallen a part: the ids of devices and of parts."""
        return ()

    def part_renewed(self, part: str) -> None:
        """A device, or a part of one, is another one now, as delivered."""
        return

    def parts(self) -> Mapping[tuple[str, str], str]:
        """Its parts that have a resource of their own and come, go or fail: (the resource's schema, the part's id) ->
        Health, one of OK, Warning and Critical.
        """
        return {}

    def befall(self, event: str, part: str, at: float) -> tuple[Message, ...]:
        """Let one of `events` befall one of its parts: a drive fails, a cable is pulled. What there is to say of it."""
        return ()


class Sifted(NamedTuple):
    """A change, sorted into what can be set and what cannot."""

    good: Mapping[str, Any]
    bad: tuple[Message, ...]
    """One message for each attribute left out, in the order of the request."""


def seal(device_id: str, name: str, password: str) -> str:
    """What is kept instead of a password."""
    digest = hashlib.sha256(f"{device_id}\0{name}\0{password}".encode()).hexdigest()
    return SEALED + digest


def check(device: Device, change: Mapping[str, Any]) -> dict[str, Value]:
    """`change` as it will be kept: names, types, lists and bounds are right, passwords are sealed.

    Raises:
        Rejected: one message per attribute that is wrong, in the order of the request.
    """
    attributes = device.describe()
    reject_if_any(
        replace(message, device=device.kind)
        for name, value in change.items()
        for message in faults_of(attributes, name, value)
    )
    return {name: _sealed(device.id, attributes[name], value) for name, value in change.items()}


def _sealed(device_id: str, attribute: Attribute, value: Value) -> Value:
    """The value as it is kept: no password, and no secret among an operation's parameters, stays readable."""
    if attribute.type == "Password":
        return seal(device_id, attribute.name, str(value))
    if attribute.type == OPERATIONS and attribute.secrets:
        return [
            [
                operation,
                subject,
                {
                    name: seal(device_id, attribute.name, str(given)) if name in attribute.secrets else given
                    for name, given in parameters.items()
                },
            ]
            for operation, subject, parameters in _entries(value)
        ]
    return value


def laid_over(device: Device, change: Mapping[str, Value], pending: Mapping[str, Value]) -> dict[str, Value]:
    """What is pending once a change has been added to it: values take the place of values, operations are done after
    those that are pending already.
    """
    values = {**pending, **change}
    for name in change.keys() & pending.keys():
        if device.describe()[name].type == OPERATIONS:
            values[name] = [*_entries(pending[name]), *_entries(change[name])]
    return values


def _entries(value: Value) -> list[Any]:
    return value if isinstance(value, list) else []


def sift(device: Device, change: Mapping[str, Any], beside: Mapping[str, Value]) -> Sifted:
    """What of a change can be set beside the values of `beside`, and a message for each attribute that cannot.

    An attribute is left out for its own sake, or for what the others would do to it, or it to the values of `beside`.
    """
    bad: dict[str, Message] = {}
    for name, value in change.items():
        try:
            check(device, {name: value})
        except Rejected as refused:
            bad[name] = refused.messages[0]
    good = {name: value for name, value in change.items() if name not in bad}
    while refusal := _refusal_of_plan(device, good, beside):
        about = {path.removeprefix("Attributes/"): message for message in refusal for path in message.related}
        named = {name: message for name, message in about.items() if name in good}
        if not named:  # something of `beside` could not be set any more: because of whom?
            alone = [name for name in good if _refusal_of_plan(device, {name: good[name]}, beside)]
            named = {name: _about(name, "PropertyDependency", name, ", ".join(about)) for name in alone or good}
        bad |= named
        good = {name: value for name, value in good.items() if name not in named}
    return Sifted(good, tuple(replace(bad[name], device=device.kind) for name in change if name in bad))


def _refusal_of_plan(device: Device, change: Mapping[str, Any], beside: Mapping[str, Value]) -> tuple[Message, ...]:
    try:
        if change:
            device.plan({**beside, **check(device, change)})
    except Rejected as refused:
        return refused.messages
    return ()


def faults_of(attributes: Mapping[str, Attribute], name: str, value: Any) -> Iterator[Message]:
    """What is wrong with a value for one of these attributes, apart from what other values say to it."""
    attribute = attributes.get(name)
    if attribute is None:
        yield _about(name, "PropertyUnknown", name)
    elif attribute.read_only or attribute.immutable:
        yield _about(name, "PropertyNotWritable", name)
    elif not _TYPE_CHECKS[attribute.type](value):
        yield _about(name, "PropertyValueTypeError", "" if attribute.type == "Password" else shown(value), name)
    elif attribute.type == "Enumeration" and value not in attribute.choices:
        yield _about(name, "PropertyValueNotInList", value, name)
    elif attribute.type == "Integer" and not _in_bounds(attribute, value):
        yield _about(name, "PropertyValueOutOfRange", shown(value), name)
    elif attribute.type in ("String", "Password"):
        yield from _text_faults(attribute, value)
    elif attribute.type == SEQUENCE:
        yield from _sequence_faults(attribute, [entry[0] for entry in value])
    elif attribute.type == OPERATIONS:
        for operation, _, _ in value:
            if operation not in attribute.choices:
                yield _about(name, "PropertyValueNotInList", shown(operation), name)


def _text_faults(attribute: Attribute, value: str) -> Iterator[Message]:
    name, told = attribute.name, "" if attribute.type == "Password" else value
    if attribute.max_length is not None and len(value) > attribute.max_length:
        yield _about(name, "StringValueTooLong", told, str(attribute.max_length), name)
    elif attribute.min_length is not None and 0 < len(value) < attribute.min_length:
        yield _about(name, "StringValueTooShort", told, str(attribute.min_length), name)
    elif attribute.pattern is not None and value and not _fits(attribute.pattern, value):
        yield _about(name, "PropertyValueFormatError", told, name)


def _sequence_faults(attribute: Attribute, ids: list[str]) -> Iterator[Message]:
    """Every one of them has its place, and only one."""
    for found in dict.fromkeys(ids):
        if found not in attribute.choices:
            yield _about(attribute.name, "PropertyValueNotInList", shown(found), attribute.name)
        elif ids.count(found) > 1:
            yield _about(attribute.name, "SequenceRepeats", attribute.name, shown(found))
    missing = [known for known in attribute.choices if known not in ids]
    if missing:
        yield _about(attribute.name, "SequenceIncomplete", attribute.name, ", ".join(missing))


def _in_bounds(attribute: Attribute, value: int) -> bool:
    lower, upper = attribute.lower, attribute.upper
    if (lower is not None and value < lower) or (upper is not None and value > upper):
        return False
    return not attribute.increment or (value - (lower or 0)) % attribute.increment == 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and isinstance(entry[1], bool)
        for entry in value
    )


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _is_operations(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(entry, list)
        and len(entry) == 3
        and isinstance(entry[0], str)
        and isinstance(entry[1], str)
        and isinstance(entry[2], dict)
        for entry in value
    )


_TYPE_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "Enumeration": _is_text,
    "String": _is_text,
    "Password": _is_text,
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Boolean": lambda value: isinstance(value, bool),
    LIST: _is_list,
    SEQUENCE: _is_sequence,
    OPERATIONS: _is_operations,
}


def shown(value: Any) -> str:
    """A value as a message shows it: JSON's spelling, cut to a bearable length."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)[:200]


def _fits(pattern: re.Pattern[str], value: str) -> bool:
    """Whether a text is as a pattern has it, whose `$` is not meant to match before a last line break."""
    return pattern.search(value) is not None and not value.endswith("\n")


def _about(name: str, key: str, *args: str) -> Message:
    return Message(key, args, related=(f"Attributes/{name}",))
