"""What a step has changed of a layout, and how that is put back.

Between a step and its undoing drives may have failed, spares have taken places, work have been done. So undoing is no
return to how all was: what the step has changed is put back where it still is as the step left it; what has changed
since stays. If nothing has, everything is exactly as it was.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import fields, replace
from typing import Any

from emulator.devices.raid.hardware import mark_stale
from emulator.devices.raid.layout import (
    NO_LEVEL,
    Condition,
    Disk,
    Layout,
    Model,
    Volume,
    Work,
    disk_from,
    fits,
    plain_of,
    volume_from,
    work_from,
)

CONFIGURED = ("settings", "key", "key_id", "boot_volume", "preserved", "serial")
"""The parts of a layout that are neither drives nor volumes nor work."""
DRIVE_CONFIGURED = ("is_raid", "is_offline", "is_global_spare", "spare_for", "carries", "is_lit")
"""What of a bay is configured; the rest is what has become of its drive, which nobody can undo."""
VOLUME_CONFIGURED = ("name", "read_policy", "write_policy", "disk_cache", "is_encrypted")
"""What of a volume changes by itself; the rest, where it is and what it holds, changes together."""


def difference(before: Layout, after: Layout) -> dict[str, Any]:
    """What `undone` needs, in JSON types: of each thing that has changed how it was and how it is, None for nothing."""
    volumes = {
        volume_id: [plain_of(before.volumes.get(volume_id)), plain_of(after.volumes.get(volume_id))]
        for volume_id in sorted(before.volumes.keys() | after.volumes.keys())
        if before.volumes.get(volume_id) != after.volumes.get(volume_id)
    }
    members = {drive for pair in volumes.values() for volume in pair if volume for drive in volume["drives"]}
    return {
        "volumes": volumes,
        "order": list(before.volumes),
        "disks": {
            drive: [plain_of(disk), plain_of(after.disks[drive])]
            for drive, disk in before.disks.items()
            if disk != after.disks[drive]
        },
        "generations": {drive: before.disks[drive].generation for drive in sorted(members)},
        "begun": [plain_of(work) for work in after.works if work not in before.works],
        "ended": [plain_of(work) for work in before.works if work not in after.works],
        "works": [_identity(work) for work in before.works],
        "rest": {
            name: [plain_of(getattr(before, name)), plain_of(getattr(after, name))]
            for name in CONFIGURED
            if getattr(before, name) != getattr(after, name)
        },
    }


def undone(model: Model, now: Layout, changed: Mapping[str, Any]) -> Layout:
    """The layout without the step of which this is the `difference`."""
    begun = [_identity(work_from(work)) for work in changed["begun"]]
    layout = now.without_work(*(work for work in now.works if _identity(work) in begun))
    for drive, (old, new) in changed["disks"].items():
        layout = _with_disk_undone(layout, drive, disk_from(old), disk_from(new))
    for volume_id, (old, new) in changed["volumes"].items():
        pair = (old and _beside_others(model, layout, volume_from(old), changed["volumes"]), new and volume_from(new))
        layout = _with_volume_undone(layout, volume_id, *pair)
    for drive, generation in changed["generations"].items():
        if layout.disks[drive].generation != generation:
            layout = mark_stale(layout, drive)
    ordered = {volume_id: layout.volumes[volume_id] for volume_id in changed["order"] if volume_id in layout.volumes}
    layout = replace(layout, volumes=ordered | dict(layout.volumes), works=_with_ended(layout, changed))
    for name, (old, new) in changed["rest"].items():
        if _given(name, new) == getattr(layout, name):
            layout = replace(layout, **{name: _given(name, old)})
    return _in_order(layout)


def _with_ended(layout: Layout, changed: Mapping[str, Any]) -> tuple[Work, ...]:
    """What is being done, with what the step ended, where that was."""
    there = [*layout.works, *(work_from(work) for work in changed["ended"])]
    order = [list(identity) for identity in changed["works"]]
    return tuple(
        sorted(there, key=lambda work: order.index(_identity(work)) if _identity(work) in order else len(order))
    )


def _identity(work: Work) -> list[Any]:
    """What of it stays whatever happens: a drive that it needs may be replaced by another."""
    return [work.operation, work.subject, work.began]


def _with_disk_undone(layout: Layout, drive: str, old: Disk, new: Disk) -> Layout:
    """A drive that is not there any more, or is another one, stays as it is; what has failed carries nothing."""
    now = layout.disks[drive]
    if now.condition is Condition.REMOVED or now.generation != old.generation:
        return layout
    changes = {
        name: getattr(old, name)
        for name in DRIVE_CONFIGURED
        if getattr(old, name) != getattr(new, name) and getattr(now, name) == getattr(new, name)
    }
    if now.condition is Condition.FAILED:
        changes.pop("carries", None)
    return layout.with_disk(drive, **changes)


def _with_volume_undone(layout: Layout, volume_id: str, old: Volume | None, new: Volume | None) -> Layout:
    now = layout.volumes.get(volume_id)
    rest = replace(layout, volumes={known: one for known, one in layout.volumes.items() if known != volume_id})
    if old is None:
        return rest
    if new is None or now is None:
        return rest.with_volume(old) if now is None and _has_place(rest, old) else layout
    changes = {
        name: getattr(old, name)
        for name in VOLUME_CONFIGURED
        if getattr(old, name) != getattr(new, name) and getattr(now, name) == getattr(new, name)
    }
    moved = _where(old) != _where(new) and _where(now) == _where(new) and _has_place(rest, old)
    return layout.with_volume(replace(now, **(_where(old) if moved else {}), **changes))


def _beside_others(model: Model, layout: Layout, volume: Volume, changed: Container[str]) -> Volume:
    """The volume on the drives that others have which share them: where those have got one that suits, so has it."""
    others = (other for drive in volume.drives for other in layout.volumes_on(drive) if other.id not in changed)
    other = next((other for other in others if len(other.drives) == len(volume.drives)), volume)
    gone = [drive for drive in volume.drives if drive not in other.drives]
    instead = dict(zip(gone, (drive for drive in other.drives if drive not in volume.drives), strict=False))
    if not all(model.can_hold(drive, volume) for drive in instead.values()):
        return volume
    drives = tuple(instead.get(drive, drive) for drive in volume.drives)
    stale = (*(drive for drive in volume.stale if drive not in instead), *instead.values())
    return replace(volume, drives=drives, stale=stale)


def _where(volume: Volume) -> dict[str, Any]:
    return {field.name: getattr(volume, field.name) for field in fields(volume) if field.name not in VOLUME_CONFIGURED}


def _has_place(layout: Layout, volume: Volume) -> bool:
    return all(fits(layout, volume, drive) for drive in volume.drives)


def _in_order(layout: Layout) -> Layout:
    """With nothing that contradicts itself after what has happened meanwhile."""
    for drive, disk in layout.disks.items():
        if not disk.is_raid and any(volume.level != NO_LEVEL for volume in layout.volumes_on(drive)):
            layout = layout.with_disk(drive, is_raid=True)
        if disk.is_spare and (not disk.works or not disk.is_raid or layout.volumes_on(drive)):
            layout = layout.with_disk(drive, is_global_spare=False, spare_for=())
        known = tuple(volume_id for volume_id in disk.spare_for if volume_id in layout.volumes)
        if known != disk.spare_for:
            layout = layout.with_disk(drive, spare_for=known)
    left = replace(
        layout,
        preserved=tuple(volume_id for volume_id in layout.preserved if volume_id in layout.volumes),
        boot_volume=layout.boot_volume if layout.boot_volume in layout.volumes else "",
        serial=max([layout.serial, *(copy.serial for disk in layout.disks.values() for copy in disk.carries)]),
    )
    return left.without_idle_work()


def _given(name: str, value: Any) -> Any:
    return tuple(value) if name == "preserved" else value
