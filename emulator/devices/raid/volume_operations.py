"""What is done to volumes: they are made, changed, checked, grown and deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from emulator.core.message import Message
from emulator.devices.raid.layout import (
    DISK_CACHE,
    READ_POLICY,
    WRITE_POLICY,
    Drive,
    Layout,
    Model,
    Volume,
    Work,
    of_level,
    same_kind,
)
from emulator.devices.raid.level import (
    LEVELS,
    MIB,
    capacity_bytes,
    default_spans,
    extent_bytes,
    number_fits,
    spans_fit,
)
from emulator.devices.raid.operation import (
    CHECK_RATE,
    INITIALIZATION_RATE,
    RECONSTRUCT_RATE,
    Change,
    Operation,
    drive_at,
    is_free,
    raid_volume_at,
    refuse,
    require_free,
    require_idle,
    require_not_failed,
    require_raid_mode,
    require_state,
    stopped,
    volume_at,
    work,
)

CAPACITY_MIN = 100 * MIB
"""The smallest volume, in bytes (STOR096)."""
RESHAPES = {
    ("RAID0", "RAID0"),
    ("RAID0", "RAID1"),
    ("RAID0", "RAID5"),
    ("RAID0", "RAID6"),
    ("RAID1", "RAID0"),
    ("RAID1", "RAID5"),
    ("RAID1", "RAID6"),
    ("RAID5", "RAID0"),
    ("RAID5", "RAID5"),
    ("RAID5", "RAID6"),
    ("RAID6", "RAID0"),
    ("RAID6", "RAID5"),
    ("RAID6", "RAID6"),
}
"""From which level to which a volume can be brought while it works. None with spans (STOR315)."""
RECONFIGURES = ("Resize", "ChangeRAIDType")


def create_volume(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """A new volume; `subject` is the id it is to have, "" for the next one.

    `given`: RAIDType; Drives, ids in their order ([]: the first ones that fit); CapacityBytes (none: as large as can
    be); MediaSpanCount, StripSizeBytes, Name, ReadCachePolicy, WriteCachePolicy, DiskCachePolicy, Encrypted,
    InitializeMethod (Skip, Background, Foreground), DedicatedSpareDrives, each with a default.

    Raises:
        Rejected: what is wrong with it.
    """
    require_raid_mode(model, layout)
    _require_room(model, layout)
    level = given["RAIDType"]
    _require_level(model, level)
    if subject in layout.volumes:
        raise refuse("VolumeNotInState", subject, "in use by another volume")
    strip = given.get("StripSizeBytes") or model.strips[0]
    if strip not in model.strips:
        raise refuse("StripSizeNotSupported", strip, ", ".join(str(known) for known in model.strips))
    capacity = given.get("CapacityBytes")
    if capacity is not None and capacity < CAPACITY_MIN:
        raise refuse("CapacityTooSmall", capacity, CAPACITY_MIN)
    told = given.get("MediaSpanCount")
    names = list(given.get("Drives") or ()) or _chosen(model, layout, level, capacity, told, strip)
    spans = told or default_spans(level, len(names))
    _require_number(level, names, spans)
    drives = [drive_at(model, layout, name) for name in names]
    _require_usable(model, layout, level, drives)
    start, extent = _place(layout, level, drives, spans, capacity, strip)
    volume_id = subject or next_volume_id(model, layout)
    volume = Volume(
        id=volume_id,
        name=_name(model, layout, given.get("Name"), volume_id),
        level=level,
        drives=tuple(names),
        spans=spans,
        start=start,
        extent=extent,
        strip=strip,
        capacity=capacity_bytes(level, len(names), spans, extent),
        read_policy=given.get("ReadCachePolicy") or READ_POLICY,
        write_policy=given.get("WriteCachePolicy") or WRITE_POLICY,
        disk_cache=given.get("DiskCachePolicy") or DISK_CACHE,
        serial=layout.serial + 1,
    )
    made = replace(layout.with_volume(volume), serial=volume.serial)
    if given.get("Encrypted"):
        made = _secured(model, made, volume)
    for spare in given.get("DedicatedSpareDrives") or ():
        require_free(made, drive_at(model, made, spare).id)
        require_cover(model, made.volumes[volume_id], spare)
        made = made.with_disk(spare, spare_for=(volume_id,))
    if given.get("InitializeMethod", "Skip") != "Skip":
        made = made.with_work(work(model, made, "Initialize", volume_id, at, extent, INITIALIZATION_RATE))
    return Change(made, Message("VolumeCreated", (volume_id,)))


def delete_volume(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Its drives are free again, and its dedicated spares spares of nothing."""
    volume = raid_volume_at(layout, subject)
    return Change(layout.without_volume(volume.id), Message("VolumeDeleted", (volume.id,)))


def set_volume(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """New values for any of Name, ReadCachePolicy, WriteCachePolicy, DiskCachePolicy."""
    volume = raid_volume_at(layout, subject)
    changes: dict[str, Any] = {
        ours: given[theirs]
        for theirs, ours in (
            ("ReadCachePolicy", "read_policy"),
            ("WriteCachePolicy", "write_policy"),
            ("DiskCachePolicy", "disk_cache"),
        )
        if theirs in given
    }
    if "Name" in given and given["Name"] != volume.name:
        if not given["Name"]:
            raise refuse("VolumeNameInvalid", "", model.name_max)
        changes["name"] = _name(model, layout, given["Name"], subject)
    return Change(layout.with_volume(replace(volume, **changes)), Message("VolumeChanged", (subject,)))


def initialize(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """InitializeType Fast (the default) clears the beginning of a volume, Slow all of it."""
    volume = volume_at(layout, subject)
    require_not_failed(layout, volume)
    require_idle(layout, subject)
    if given.get("InitializeType", "Fast") == "Fast":
        begun = Work("Initialize", subject, at, at + model.fast_seconds)
    else:
        begun = work(model, layout, "Initialize", subject, at, volume.extent, INITIALIZATION_RATE)
    return Change(layout.with_work(begun), Message("InitializationStarted", (subject,)))


def check_consistency(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Compare what is there twice: only levels with redundancy have that, and only while all drives work."""
    volume = raid_volume_at(layout, subject)
    if LEVELS[volume.level].tolerance == 0:
        raise refuse("StorageOperationNotSupported", subject)
    if layout.status(volume) != "OK":
        raise refuse("VolumeNotInState", subject, layout.status(volume).value)
    require_idle(layout, subject)
    begun = work(model, layout, "CheckConsistency", subject, at, volume.extent, CHECK_RATE)
    return Change(layout.with_work(begun), Message("ConsistencyCheckStarted", (subject,)))


def cancel_check_consistency(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Stop comparing."""
    volume_at(layout, subject)
    return Change(stopped(layout, subject, "CheckConsistency"), Message("ConsistencyCheckCancelled", (subject,)))


def cancel_initialization(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Stop initialising."""
    volume_at(layout, subject)
    return Change(stopped(layout, subject, "Initialize"), Message("InitializationCancelled", (subject,)))


def resize(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Let a volume grow: to CapacityBytes, into what is free behind it; or over Drives that are added to it."""
    volume = _reconfigurable(layout, subject)
    if given.get("Drives"):
        return _begin(model, layout, _over_more_drives(model, layout, volume, volume.level, given["Drives"]), at)
    capacity = given.get("CapacityBytes") or 0
    extent = extent_bytes(volume.level, len(volume.drives), volume.spans, capacity, volume.strip)
    if extent <= volume.extent:
        raise refuse("ReconfigurationInvalid", subject)
    behind = next(
        (end for start, end in layout.gaps(model.drives[drive] for drive in volume.drives) if start == volume.end),
        volume.end,
    )
    if volume.start + extent > behind:
        most = capacity_bytes(volume.level, len(volume.drives), volume.spans, behind - volume.start)
        raise refuse("CapacityTooLarge", capacity, most)
    return _begin(model, layout, of_level(volume, extent=extent), at)


def change_raid_layout(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Bring a volume to another RAIDType, over Drives that are added to it; what it holds must still fit."""
    volume = _reconfigurable(layout, subject)
    level = given["RAIDType"]
    _require_level(model, level)
    return _begin(model, layout, _over_more_drives(model, layout, volume, level, given.get("Drives") or ()), at)


def secure_volume(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Lock a volume of self-encrypting drives with the controller's key."""
    volume = raid_volume_at(layout, subject)
    if volume.is_encrypted:
        raise refuse("VolumeIsSecured", subject)
    require_idle(layout, subject, *RECONFIGURES)
    return Change(_secured(model, layout, volume), Message("VolumeSecured", (subject,)))


def set_boot_volume(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """The volume from which the host boots."""
    return Change(replace(layout, boot_volume=volume_at(layout, subject).id), Message("VolumeChanged", (subject,)))


# -- what can be asked ------------------------------------------------------------------------------------------------


def free_bytes(model: Model, layout: Layout, level: str, names: Sequence[str], spans: int | None = None) -> int:
    """How large a volume of this level on these drives can be.

    Raises:
        Rejected: where there can be none.
    """
    _require_level(model, level)
    spread = spans or default_spans(level, len(names))
    _require_number(level, names, spread)
    drives = [drive_at(model, layout, name) for name in names]
    _require_usable(model, layout, level, drives)
    _, extent = _place(layout, level, drives, spread, None, model.strips[0])
    return capacity_bytes(level, len(names), spread, extent)


def most_bytes(model: Model, layout: Layout) -> int:
    """How large the largest volume can be that could be made now, in bytes; 0 where none can."""
    free, strip = free_drives(model, layout), model.strips[0]
    possible = [0]
    possible += [capacity for level in model.levels for _, capacity in _choices(level, free, None, strip)]
    for volume in layout.volumes.values():
        if volume.level in model.levels and layout.status(volume) == "OK" and not layout.is_reshaped(volume.id):
            gaps = layout.gaps(model.drives[drive] for drive in volume.drives)
            longest = max((end - start for start, end in gaps), default=0) // strip * strip
            possible.append(capacity_bytes(volume.level, len(volume.drives), volume.spans, longest))
    return max(possible)


def free_drives(model: Model, layout: Layout) -> list[Drive]:
    """Those that a new volume can have, in the order of their bays."""
    return [drive for drive in model.drives.values() if is_free(layout, drive.id)]


def enough_for(level: str, drives: Sequence[Drive]) -> list[Drive]:
    """Those of these drives of which there are enough of one kind for a volume of this level."""
    return [drive for drive in drives if sum(same_kind(drive, other) for other in drives) >= LEVELS[level].drives_min]


def next_volume_id(model: Model, layout: Layout) -> str:
    """The id with the lowest free number."""
    numbers = (model.volume_id.format(number) for number in count(model.first_number))
    return next(volume_id for volume_id in numbers if volume_id not in layout.volumes)


# -- helpers ----------------------------------------------------------------------------------------------------------


def _require_room(model: Model, layout: Layout) -> None:
    if len(layout.volumes) >= model.volumes_max:
        raise refuse("TooManyVolumes", model.volumes_max)
    if layout.preserved:
        raise refuse("CacheIsPreserved", ", ".join(layout.preserved))


def _require_level(model: Model, level: str) -> None:
    if level not in model.levels:
        raise refuse("RAIDTypeNotSupported", level, ", ".join(model.levels) or "none")


def _require_number(level: str, names: Sequence[str], spans: int) -> None:
    wanted = LEVELS[level]
    twice = next((name for name in names if list(names).count(name) > 1), None)
    if twice is not None:
        raise refuse("DriveRepeats", twice)
    if not number_fits(level, len(names)):
        most = f" to {wanted.drives_max}" if wanted.drives_max else " or more"
        raise refuse("NumberOfDrivesInvalid", level, f"{wanted.drives_min}{most}", len(names))
    if not spans_fit(level, len(names), spans):
        raise refuse("SpansInvalid", level, spans, len(names))


def _require_usable(model: Model, layout: Layout, level: str, drives: Sequence[Drive]) -> None:
    """All of one kind; and either free, or together the very drives that other volumes of this level have and keep."""
    for drive in drives:
        if not same_kind(drive, drives[0]):
            raise refuse("DrivesMixed", drives[0].id, drive.id)
    names = {drive.id for drive in drives}
    for drive in drives:
        require_state(layout, drive.id, "Ready", "Online")
        for volume in layout.volumes_on(drive.id):
            if set(volume.drives) != names or volume.level != level:
                raise refuse("DriveInUse", drive.id)
            require_idle(layout, volume.id, *RECONFIGURES)


def _place(
    layout: Layout, level: str, drives: Sequence[Drive], spans: int, capacity: int | None, strip: int
) -> tuple[int, int]:
    """Where the extents go, and how long they are: the largest gap, or the first that holds the capacity."""
    gaps = layout.gaps(drives)
    start, end = max(gaps, key=lambda gap: gap[1] - gap[0], default=(0, 0))
    longest = (end - start) // strip * strip
    if capacity_bytes(level, len(drives), spans, longest) < CAPACITY_MIN:
        raise refuse("DriveFull", drives[0].id)
    if capacity is None:
        return start, longest
    extent = extent_bytes(level, len(drives), spans, capacity, strip)
    first = next((gap for gap in gaps if gap[1] - gap[0] >= extent), None)
    if first is None:
        raise refuse("CapacityTooLarge", capacity, capacity_bytes(level, len(drives), spans, longest))
    return first[0], extent


def _chosen(model: Model, layout: Layout, level: str, capacity: int | None, spans: int | None, strip: int) -> list[str]:
    """Where nobody names drives: as few free ones of one kind as do, in the order of their bays.

    Where the first ones are too small, larger ones of their kind are taken.
    """
    free = free_drives(model, layout)
    most = 0
    for drives, possible in _choices(level, free, spans, strip):
        if possible >= (capacity or CAPACITY_MIN):
            return [drive.id for drive in drives]
        most = max(most, possible)
    if most and capacity is not None:
        raise refuse("CapacityTooLarge", capacity, most)
    raise refuse("TooFewDrivesFree", level, LEVELS[level].drives_min, len(free))


def _choices(level: str, free: Sequence[Drive], spans: int | None, strip: int) -> Iterator[tuple[Sequence[Drive], int]]:
    """The drives that a volume of this level could be made of, few before many, and how large it would be."""
    for first in free:
        alike = [drive for drive in free if same_kind(drive, first)]
        if alike[0] is not first:
            continue  # they have been looked at
        for number in range(LEVELS[level].drives_min, len(alike) + 1):
            spread = spans or default_spans(level, number)
            if not (number_fits(level, number) and spread and spans_fit(level, number, spread)):
                continue
            for least in sorted({drive.usable for drive in alike}):
                large = [drive for drive in alike if drive.usable >= least][:number]
                if len(large) == number:
                    extent = min(drive.usable for drive in large) // strip * strip
                    yield large, capacity_bytes(level, number, spread, extent)


def require_cover(model: Model, volume: Volume, spare: str) -> None:
    """Refuse a spare for a volume that has no use for one, or that it does not suit.

    Raises:
        Rejected: StorageOperationNotSupported, SpareNotSuitable.
    """
    if LEVELS[volume.level].tolerance == 0:
        raise refuse("StorageOperationNotSupported", volume.id)
    if not model.can_hold(spare, volume):
        raise refuse("SpareNotSuitable", spare, volume.id)


def _name(model: Model, layout: Layout, wanted: str | None, volume_id: str) -> str:
    """The name that a volume gets: nobody else's."""
    others = {volume.name for volume in layout.volumes.values() if volume.id != volume_id}
    if not wanted:
        candidates = (f"Virtual Disk {number}" for number in count(len(layout.volumes)))
        return next(name for name in candidates if name not in others)
    if len(wanted) > model.name_max or not wanted.isprintable():
        raise refuse("VolumeNameInvalid", wanted[:80], model.name_max)
    if wanted in others:
        raise refuse("VolumeNameInUse", wanted)
    return wanted


def _secured(model: Model, layout: Layout, volume: Volume) -> Layout:
    if not layout.has_key():
        raise refuse("SecurityKeyAbsent")
    for drive in volume.drives:
        if not model.drives[drive].securable:
            raise refuse("DriveNotSecurable", drive)
    return layout.with_volume(replace(volume, is_encrypted=True))


def _reconfigurable(layout: Layout, subject: str) -> Volume:
    """A volume that can be reshaped: in order, and with nothing else going on, nor on its drives."""
    volume = raid_volume_at(layout, subject)
    if layout.status(volume) != "OK":
        raise refuse("VolumeNotInState", subject, layout.status(volume).value)
    for busy in (subject, *volume.drives):
        require_idle(layout, busy)
    return volume


def _over_more_drives(model: Model, layout: Layout, volume: Volume, level: str, added: Sequence[str]) -> Volume:
    if LEVELS[volume.level].spanned or LEVELS[level].spanned:
        raise refuse("ReconfigurationOfSpans", volume.id)
    if len(layout.volumes_on(volume.drives[0])) > 1:
        raise refuse("ReconfigurationOfSharedDrives", volume.id)
    if (volume.level, level) not in RESHAPES or (level == volume.level and not added):
        raise refuse("ReconfigurationInvalid", volume.id)
    names = (*volume.drives, *added)
    _require_number(level, names, 1)
    for name in added:
        drive = drive_at(model, layout, name)
        require_free(layout, name)
        if not same_kind(drive, model.drives[volume.drives[0]]):
            raise refuse("DrivesMixed", volume.drives[0], name)
        if volume.is_encrypted and not drive.securable:
            raise refuse("DriveNotSecurable", name)
        if drive.usable < volume.end:
            raise refuse("DriveTooSmall", name)
    shaped = of_level(volume, level=level, drives=names)
    if shaped.capacity < volume.capacity:
        raise refuse("CapacityTooLarge", volume.capacity, shaped.capacity)
    return shaped


def _begin(model: Model, layout: Layout, becomes: Volume, at: float) -> Change:
    volume = layout.volumes[becomes.id]
    operation = "Resize" if becomes.level == volume.level else "ChangeRAIDType"
    begun = work(model, layout, operation, volume.id, at, becomes.extent, RECONSTRUCT_RATE)
    return Change(layout.with_work(replace(begun, becomes=becomes)), Message("ReconfigurationStarted", (volume.id,)))


VOLUME_OPERATIONS: Mapping[str, Operation] = {
    "CreateVolume": create_volume,
    "DeleteVolume": delete_volume,
    "SetVolume": set_volume,
    "Initialize": initialize,
    "CheckConsistency": check_consistency,
    "CancelCheckConsistency": cancel_check_consistency,
    "CancelBackgroundInitialization": cancel_initialization,
    "Resize": resize,
    "ChangeRAIDLayout": change_raid_layout,
    "SecureVolume": secure_volume,
    "SetBootVolume": set_boot_volume,
}
