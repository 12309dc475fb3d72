"""What all operations of a storage controller have in common: their form, and the refusals that many of them share.

An operation is a function of (model, layout, what it is done to, its parameters, the moment). It gives the layout that
follows, and what there is to say of it; or it raises Rejected and nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from emulator.core.message import Message, Rejected
from emulator.devices.raid.layout import (
    CONTROLLER_MODE,
    NO_LEVEL,
    RAID_MODE,
    Drive,
    Layout,
    Model,
    Status,
    Volume,
    Work,
    state_of,
)


class Change(NamedTuple):
    """What an operation comes to."""

    layout: Layout
    says: Message | None = None


Operation = Callable[[Model, Layout, str, Mapping[str, Any], float], Change]


def refuse(key: str, *args: object) -> Rejected:
    """A refusal, to be raised."""
    return Rejected(Message(key, tuple(str(arg) for arg in args)))


def volume_at(layout: Layout, volume_id: str) -> Volume:
    """The volume with this id.

    Raises:
        Rejected: VolumeNotFound.
    """
    found = layout.volumes.get(volume_id)
    if found is None:
        raise refuse("VolumeNotFound", volume_id)
    return found


def raid_volume_at(layout: Layout, volume_id: str) -> Volume:
    """The same, where it is no whole drive as it is.

    Raises:
        Rejected: VolumeNotFound, StorageOperationNotSupported.
    """
    volume = volume_at(layout, volume_id)
    if volume.level == NO_LEVEL:
        raise refuse("StorageOperationNotSupported", volume_id)
    return volume


def drive_at(model: Model, layout: Layout, drive_id: str) -> Drive:
    """The drive with this id, where one is in that bay.

    Raises:
        Rejected: DriveNotFound.
    """
    found = model.drives.get(drive_id)
    if found is None or state_of(layout, drive_id) == "Missing":
        raise refuse("DriveNotFound", drive_id)
    return found


def require_state(layout: Layout, drive: str, *states: str) -> None:
    """Refuse what a drive cannot take part in as it is.

    Raises:
        Rejected: DriveInUse where a volume has it or it is a spare, OperationInProgress, else DriveNotInState.
    """
    state = state_of(layout, drive)
    if layout.reserved_by(drive) is not None:
        raise refuse("DriveInUse", drive)
    if state in states:
        require_idle(layout, drive)
    elif state in ("Online", "Rebuilding", "Spare", "Offline"):
        raise refuse("DriveInUse", drive)
    else:
        raise refuse("DriveNotInState", drive, state, ", ".join(states))


def is_free(layout: Layout, drive: str) -> bool:
    """Whether nothing has this drive, and nothing is being done to it."""
    return (
        state_of(layout, drive) == "Ready"
        and not layout.volumes_on(drive)
        and not layout.works_on(drive)
        and layout.reserved_by(drive) is None
    )


def require_free(layout: Layout, drive: str) -> None:
    """Refuse a drive that something has, be it a volume that is the whole drive as it is.

    Raises:
        Rejected: as `require_state`.
    """
    require_state(layout, drive, "Ready")
    if layout.volumes_on(drive):
        raise refuse("DriveInUse", drive)


def require_raid_mode(model: Model, layout: Layout) -> None:
    """Refuse what only a controller in RAID mode does.

    Raises:
        Rejected: ControllerNotInRAIDMode.
    """
    mode = layout.mode(model.values)
    if CONTROLLER_MODE in model.attributes and mode != RAID_MODE:
        raise refuse("ControllerNotInRAIDMode", mode)


def require_levels(model: Model, controller: str) -> None:
    """Refuse what only a controller with RAID levels does.

    Raises:
        Rejected: StorageOperationNotSupported.
    """
    if not model.levels:
        raise refuse("StorageOperationNotSupported", controller)


def require_idle(layout: Layout, subject: str, *operations: str) -> None:
    """Refuse while something is being done to a volume or drive.

    Raises:
        Rejected: OperationInProgress.
    """
    running = layout.works_on(subject, *operations)
    if running:
        raise refuse("OperationInProgress", subject, running[0].operation)


def require_not_failed(layout: Layout, volume: Volume) -> None:
    """Refuse what a failed volume cannot bear.

    Raises:
        Rejected: VolumeNotInState.
    """
    if layout.status(volume) is Status.FAILED:
        raise refuse("VolumeNotInState", volume.id, Status.FAILED.value)


def stopped(layout: Layout, subject: str, operation: str) -> Layout:
    """The layout without this work.

    Raises:
        Rejected: OperationNotRunning.
    """
    running = layout.works_on(subject, operation)
    if not running:
        raise refuse("OperationNotRunning", subject, operation)
    return layout.without_work(*running)


def seconds_for(model: Model, layout: Layout, size: int, rate: str) -> float:
    """How long the controller takes for so many bytes of a drive, at one of its rates (an attribute, in percent)."""
    percent = layout.settings.get(rate, model.values.get(rate))
    share = percent if isinstance(percent, int) and percent > 0 else DEFAULT_RATE_PERCENT
    return size * 100 / (model.bytes_per_second * share)


DEFAULT_RATE_PERCENT = 30
REBUILD_RATE, CHECK_RATE = "RebuildRatePercent", "ConsistencyCheckRatePercent"
INITIALIZATION_RATE, RECONSTRUCT_RATE = "BackgroundInitializationRatePercent", "ReconstructRatePercent"
PATROL_RATE = "PatrolReadRatePercent"


def work(model: Model, layout: Layout, operation: str, subject: str, at: float, size: int, rate: str) -> Work:
    """Work that goes over so many bytes of a drive."""
    return Work(operation, subject, at, at + seconds_for(model, layout, size, rate))


def with_rebuilds(model: Model, layout: Layout, drives: Iterable[str], at: float) -> Layout:
    """With a rebuild begun of each of these drives on which a volume that still works is stale."""
    for drive in drives:
        extents = [
            volume.extent
            for volume in layout.volumes_on(drive)
            if drive in volume.stale and layout.status(volume) is Status.DEGRADED
        ]
        if extents and layout.disks[drive].works and not layout.works_on(drive):
            layout = layout.with_work(work(model, layout, "Rebuild", drive, at, sum(extents), REBUILD_RATE))
    return layout
