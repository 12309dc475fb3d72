"""A storage controller with its drives and volumes.

Its attributes are the controller's own settings; everything else is an operation, which is staged like an attribute and
done as a step of a job (`device.OPERATIONS`). What there is to decide about an operation stands beside it, in
`volume_operations.py`, `drive_operations.py` and `controller_operations.py`; what befalls the drives, and what the
controller does about it by itself, in `hardware.py`; the arithmetic in `level.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.core.device import OPERATIONS, Attribute, Device, Value
from emulator.core.job import Outcome, Step
from emulator.core.message import Message, Rejected
from emulator.core.part import Part, Planned, Wanted
from emulator.devices.raid import hardware, profile
from emulator.devices.raid.controller_operations import CONTROLLER_OPERATIONS, SECRETS
from emulator.devices.raid.drive_operations import DRIVE_OPERATIONS
from emulator.devices.raid.layout import (
    CONTROLLER_MODE,
    NO_LEVEL,
    RAID_MODE,
    VOLUME_HEALTH,
    Condition,
    Drive,
    Layout,
    Model,
    health_of,
)
from emulator.devices.raid.operation import Change, Operation
from emulator.devices.raid.profile_plan import SET, planned
from emulator.devices.raid.profile_said import Plan
from emulator.devices.raid.undo import difference, undone
from emulator.devices.raid.volume_operations import VOLUME_OPERATIONS, next_volume_id

KIND = "raid"
ALL_OPERATIONS: Mapping[str, Operation] = {**VOLUME_OPERATIONS, **DRIVE_OPERATIONS, **CONTROLLER_OPERATIONS}
"""By name: that of the DMTF or DellRaidService action where there is one."""
OPERATIONS_ATTRIBUTE = Attribute(OPERATIONS, OPERATIONS, choices=tuple(ALL_OPERATIONS), secrets=SECRETS)


@dataclass(slots=True)
class Raid(Device):
    """The storage controller of one machine. It shares what was delivered until something changes."""

    id: str
    model: Model
    step_seconds: float
    """Virtual seconds for each operation, and for each attribute."""
    layout: Layout = field(init=False)
    kind: str = KIND

    def __post_init__(self) -> None:
        self.layout = self.model.delivered

    # -- the device protocol

    def describe(self) -> Mapping[str, Attribute]:
        """The controller's own attributes, and what can be done: shared by all machines of the mockup."""
        return self.model.attributes

    def read(self) -> Mapping[str, Value]:
        """The controller's own attributes."""
        return {**self.model.values, **self.layout.settings}

    def plan(self, change: Mapping[str, Value]) -> tuple[Step, ...]:
        """A step for each attribute, then one for each operation in its order, each on top of those before it.

        Raises:
            Rejected: what the first thing that cannot be done has against it.
        """
        return tuple(step for step, _ in self._tried(change))

    def after(self, change: Mapping[str, Value]) -> Layout:
        """What the controller would be with this change.

        Raises:
            Rejected: as `plan`.
        """
        return next((layout for _, layout in reversed(list(self._tried(change)))), self.layout)

    def apply(self, step: Step, at: float) -> Outcome:
        """Do one operation, or set one attribute, if that can be done now: a drive may have failed meanwhile."""
        try:
            after, says = self._done(self.layout, step.operation, step.name, step.value, at)
        except Rejected as refused:
            return Outcome(False, at, {}, replace(refused.messages[0], device=self.kind))
        before = difference(self.layout, after)
        self.layout = after
        return Outcome(True, at, before, says)

    def undo(self, step: Step, before: Mapping[str, Any]) -> None:
        """Put back how the drives and volumes were configured that the step has touched, and what was being done."""
        if before:
            self.layout = undone(self.model, self.layout, before)

    def snapshot(self) -> dict[str, Any]:
        """All of the layout, once it is not as delivered."""
        delivered = self.model.delivered
        is_delivered = self.layout is delivered or self.layout == delivered
        return {} if is_delivered else {"layout": self.layout.to_plain()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """The reverse of `snapshot`. Where the mockup has other drives now, it is as delivered."""
        layout = Layout.from_plain(saved["layout"]) if "layout" in saved else self.model.delivered
        self.layout = layout if layout.disks.keys() == self.model.drives.keys() else self.model.delivered

    def erase(self, component: str, at: float) -> bool:
        """Its drives, those that can forget their key or those that have to be overwritten: the volumes on them are
        gone. Its cache of volumes that have failed.
        """
        if component == "PERCNVCache" and self.model.levels:
            self.layout = replace(self.layout, preserved=())
            return True
        wanted = [drive.id for drive in self.model.drives.values() if _erased_by(drive) == component]
        present = [drive for drive in wanted if self.layout.disks[drive].condition is Condition.PRESENT]
        for drive in present:
            self.layout = hardware.erased(self.layout, drive)
        return bool(present)

    def profile(self) -> Part:
        """The controller with its volumes and drives."""
        return profile.shown(self.id, self.model, self.layout, self.read())

    def plan_profile(self, wanted: Wanted) -> Sequence[Planned]:
        """Operations, each on top of those before it."""
        plan = Plan(self.id, self.kind, self.model, self.layout, self.step_seconds, self._done)
        return planned(plan, self.profile(), wanted)

    def next_due(self) -> float | None:
        """When the next work is done."""
        return min((work.ends for work in self.layout.works), default=None)

    def happen(self, at: float) -> tuple[Message, ...]:
        """What is due is done."""
        self.layout, messages = hardware.done(self.model, self.layout, at)
        return messages

    def events(self) -> Mapping[str, Sequence[str]]:
        """What can befall which drives now."""
        return {
            event: [drive for drive, disk in self.layout.disks.items() if disk.condition in conditions]
            for event, (_, conditions) in hardware.EVENTS.items()
        }

    def parts(self) -> Mapping[tuple[str, str], str]:
        """Its volumes, and the drives that are there."""
        now = self.layout
        volumes = {("Volume", volume.id): VOLUME_HEALTH[now.status(volume)] for volume in now.volumes.values()}
        drives = {("Drive", drive): health_of(now, drive) for drive in now.disks}
        return {**volumes, **{part: health for part, health in drives.items() if health is not None}}

    def renewed(self, event: str, part: str) -> Sequence[str]:
        """Another drive may have taken the place of one."""
        return (part,) if event == hardware.REPLACED else ()

    def befall(self, event: str, part: str, at: float) -> tuple[Message, ...]:
        """Let one of `events` befall a drive."""
        happens, _ = hardware.EVENTS[event]
        self.layout, messages = happens(self.model, self.layout, part, at)
        return messages

    # -- helpers

    def _tried(self, change: Mapping[str, Value]) -> Iterator[tuple[Step, Layout]]:
        """Each step that the change needs, with the layout that it leads to."""
        layout = self.layout
        _refuse_mode_beside_others(change)
        operations = change.get(OPERATIONS)
        for name, value in change.items():
            if name != OPERATIONS:
                layout, _ = self._done(layout, SET, name, value, 0.0)
                yield Step(self.id, SET, name, value, self.step_seconds), layout
        for operation, subject, given in operations if isinstance(operations, list) else ():
            made = subject or (next_volume_id(self.model, layout) if operation == "CreateVolume" else self.id)
            layout, _ = self._done(layout, operation, made, given, 0.0)
            yield Step(self.id, operation, made, given, self.step_seconds), layout

    def _done(self, layout: Layout, operation: str, subject: str, value: Any, at: float) -> Change:
        if operation == SET:
            return _set(layout, subject, value)
        return ALL_OPERATIONS[operation](self.model, layout, subject, value, at)


def _erased_by(drive: Drive) -> str:
    """The component of a system erase that a drive belongs to."""
    return "CryptographicErasePD" if "CryptographicErase" in drive.erasures else "OverwritePD"


def _refuse_mode_beside_others(change: Mapping[str, Value]) -> None:
    if CONTROLLER_MODE in change and len(change) > 1:
        raise Rejected(Message("ControllerModeNotAlone", (), (f"Attributes/{CONTROLLER_MODE}",)))


def _set(layout: Layout, name: str, value: Value) -> Change:
    """Set one of the controller's attributes. Its mode changes only while nothing is configured that needs RAID."""
    if name == CONTROLLER_MODE and value != RAID_MODE:
        volumes = [volume.id for volume in layout.volumes.values() if volume.level != NO_LEVEL]
        others = [drive for drive, disk in layout.disks.items() if disk.is_spare or disk.is_foreign]
        if volumes or others or layout.has_key():
            in_the_way = ", ".join([*volumes, *others]) or "the security key"
            raise Rejected(Message("ControllerModeInTheWay", (in_the_way,), (f"Attributes/{CONTROLLER_MODE}",)))
    return Change(replace(layout, settings={**layout.settings, name: value}))
