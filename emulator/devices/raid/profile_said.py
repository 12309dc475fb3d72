"""What a profile says of a storage controller, sorted and compared, and the plan that is made of it.

A plan is a list of operations, each tried on what those before it lead to; one that cannot be done is told, and the
rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.core.device import LIST, Attribute, Value, faults_of
from emulator.core.job import Step
from emulator.core.message import Message, Rejected
from emulator.core.part import Part, Planned, Text, Told, Wanted, as_text, as_told, from_text
from emulator.devices.raid.layout import CONTROLLER_MODE, Layout, Model
from emulator.devices.raid.operation import Change
from emulator.devices.raid.profile import (
    ACTION,
    CREATE,
    CREATE_AUTO,
    DRIVE,
    HOT_SPARE,
    NEW_VOLUME,
    STATE,
    TRIGGERS,
    UPDATE,
    VOLUME,
)

Do = Callable[[Layout, str, str, Any, float], Change]
"""Does an operation on a layout: (layout, operation, subject, parameters, moment)."""


@dataclass(slots=True)
class Plan:
    """What has been planned, and what the controller will be after it."""

    device_id: str
    kind: str
    model: Model
    layout: Layout
    seconds: float
    do: Do
    planned: list[Planned] = field(default_factory=list)

    def try_(self, operation: str, subject: str, given: Any, told: Sequence[Told]) -> bool:
        """Plan an operation if it can be done by then; else say why it cannot."""
        try:
            self.layout = self.do(self.layout, operation, subject, given, 0.0).layout
        except Rejected as refused:
            self.leave_out(refused.messages[0], told)
            return False
        step = Step(self.device_id, operation, subject, given, self.seconds)
        self.planned.append(Planned(tuple(told), step))
        return True

    def leave_out(self, why: Message, told: Sequence[Told]) -> None:
        """Say why these settings cannot be brought about."""
        self.planned.append(Planned(tuple(told), replace(why, device=self.kind)))


class Said:
    """What is said, sorted: only what differs and can be said at all; what cannot is refused at once."""

    def __init__(self, plan: Plan, start: Part, wanted: Wanted) -> None:
        self._plan = plan
        self._wanted = wanted
        self._shown = {start.id: start, **{part.id: part for part in start.parts}}
        self.volumes: dict[str, dict[str, Any]] = {}
        self.actions: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self.hot_spares: dict[str, str] = {}
        own = self._differing(start.id, start.attributes, wanted.get(start.id, {}))
        self.triggers = {name: value for name, value in own.items() if name in TRIGGERS}
        self.mode = own.get(CONTROLLER_MODE)
        self.settings = {name: own[name] for name in own if name not in TRIGGERS and name != CONTROLLER_MODE}
        for part, texts in wanted.items():
            if part != start.id:
                self._take(part, texts)

    def of(self, *actions: str) -> list[str]:
        """The volumes to which one of these is to be done."""
        return [volume for volume, action in self.actions.items() if action in actions]

    def told(self, part: str, name: str) -> Told:
        """What is to be told of a setting."""
        shown = self._shown.get(part)
        attributes = shown.attributes if shown is not None else NEW_VOLUME
        old = as_text(shown.values.get(name)) if shown is not None else ""
        return Told(part, name, old, as_told(attributes.get(name), name, self._wanted[part][name]))

    def told_of_new(self, volume: str, name: str) -> Told:
        """What is to be told of a volume that is yet to be made: there is nothing before it."""
        return self.told(volume, name)._replace(old="")

    def all_told(self, part: str) -> list[Told]:
        """What is to be told of everything that is said of a part."""
        return [self.told(part, name) for name in self._wanted[part]]

    def _take(self, part: str, texts: Mapping[str, Text]) -> None:
        if part in self._plan.model.drives and part in self._shown:
            self._take_drive(part, texts)
        elif part in self._shown or ACTION in texts:
            self._take_volume(part, texts)
        else:
            self._plan.leave_out(Message("ProfileNoSuchDevice", (part,)), self.all_told(part))

    def _take_drive(self, drive: str, texts: Mapping[str, Text]) -> None:
        differing = self._differing(drive, DRIVE, texts)
        if STATE in differing:
            self.states[drive] = differing[STATE]
        if HOT_SPARE in texts and (HOT_SPARE in differing or texts[HOT_SPARE] == self._shown[drive].values[HOT_SPARE]):
            self.hot_spares[drive] = str(texts[HOT_SPARE])

    def _take_volume(self, volume: str, texts: Mapping[str, Text]) -> None:
        action = from_text(NEW_VOLUME[ACTION], texts.get(ACTION, UPDATE))
        if action in (CREATE, CREATE_AUTO):
            values = self._of_new_volume(volume, texts)
        elif volume in self._shown:
            values = self._differing(volume, VOLUME, texts)
        else:
            values = None
            self._plan.leave_out(Message("VolumeNotFound", (volume,)), self.all_told(volume))
        if values is not None and action in NEW_VOLUME[ACTION].choices:
            self.actions[volume], self.volumes[volume] = str(action), values

    def _of_new_volume(self, volume: str, texts: Mapping[str, Text]) -> dict[str, Any] | None:
        """All that is said of a volume to be made. None is made of which something known is said that cannot be."""
        values = {name: _typed(NEW_VOLUME, name, text) for name, text in texts.items()}
        faults = {name: fault for name, value in values.items() for fault in [*faults_of(NEW_VOLUME, name, value)][:1]}
        in_the_way = [fault for name, fault in faults.items() if name in NEW_VOLUME]
        for name, fault in faults.items():
            self._plan.leave_out(fault, [self.told_of_new(volume, name)])
        if in_the_way and ACTION not in faults:
            self._plan.leave_out(in_the_way[0], [self.told_of_new(volume, ACTION)])
        return None if in_the_way else {name: values[name] for name in values if name not in faults}

    def _differing(self, part: str, attributes: Mapping[str, Attribute], texts: Mapping[str, Text]) -> dict[str, Any]:
        """What is said of something that is there, and is not so already."""
        current = self._shown[part].values
        found: dict[str, Any] = {}
        for name, text in texts.items():
            value = _typed(attributes, name, text)
            if name in current and (value == current[name] or text == as_text(current[name])):
                continue
            fault = next(faults_of(attributes, name, value), None)
            if fault is None:
                found[name] = value
            else:
                self._plan.leave_out(fault, [self.told(part, name)])
        return found


def _typed(attributes: Mapping[str, Attribute], name: str, text: Text) -> Value:
    attribute = attributes.get(name)
    if attribute is None:
        return list(text) if isinstance(text, list) else text
    if attribute.type == LIST and not isinstance(text, list):
        return [text] if text else []
    return from_text(attribute, text)
