"""What befalls the hardware, and what the controller then does by itself.

A drive fails, is taken out, comes back, or another takes its place. Volumes lose their redundancy or fail; a spare
takes the place of what was lost and is rebuilt; and what takes its time is one day done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from emulator.core.message import Message
from emulator.devices.raid.layout import (
    NO_LEVEL,
    Condition,
    Disk,
    Layout,
    Model,
    Status,
    Volume,
    Work,
    state_of,
)
from emulator.devices.raid.operation import with_rebuilds

REPLACED = "DriveReplaced"
Happening = tuple[Layout, tuple[Message, ...]]


def _says(key: str, *args: str) -> Message:
    return Message(key, args)


# -- from outside -----------------------------------------------------------------------------------------------------


def drive_failure(model: Model, layout: Layout, drive: str, at: float) -> Happening:
    """It can be read and written no more."""
    found = model.drives[drive]
    failed = layout.with_disk(drive, condition=Condition.FAILED, is_global_spare=False, spare_for=(), carries=())
    after, messages = lost(model, layout, mark_stale(failed, drive), drive, at)
    return after, (_says("DriveFailure", found.name, found.part_number), *messages)


def drive_removed(model: Model, layout: Layout, drive: str, at: float) -> Happening:
    """It is taken out of its bay. It remembers what it was part of; a volume that goes on without it is ahead of it."""
    disk = layout.disks[drive]
    carries = disk.carries
    if disk.condition is Condition.PRESENT and not carries:
        carries = tuple(volume for volume in layout.volumes_on(drive) if volume.level != NO_LEVEL)
    gone = layout.with_disk(
        drive, condition=Condition.REMOVED, is_global_spare=False, spare_for=(), is_lit=False, carries=carries
    )
    for volume in gone.volumes_on(drive):
        if gone.status(volume) is Status.DEGRADED and drive not in volume.stale:
            gone = gone.with_volume(replace(volume, stale=(*volume.stale, drive)))
    after, messages = lost(model, layout, gone, drive, at)
    return after, (_says("DriveRemoved", model.drives[drive].name), *messages)


def drive_inserted(model: Model, layout: Layout, drive: str, at: float) -> Happening:
    """The same drive is back in its bay.

    A volume that went on without it rebuilds it. What failed for lack of it, or is no more, makes it foreign.
    """
    disk = layout.disks[drive]
    again = layout.with_disk(drive, condition=Condition.PRESENT, is_offline=False)
    said = (_says("DriveInserted", model.drives[drive].name),)
    waiting = [volume for volume in layout.volumes_on(drive) if volume.level != NO_LEVEL]
    if waiting and all(layout.status(volume) is Status.DEGRADED for volume in waiting):
        again = mark_stale(again.with_disk(drive, carries=()), drive)
        return with_rebuilds(model, again, (drive,), at), (*said, _says("RebuildStarted", drive))
    if disk.carries:
        return again, (*said, _says("ForeignConfigDetected", model.name))
    after, messages = took_over(model, again, at)
    return after, (*said, *messages)


def drive_replaced(model: Model, layout: Layout, drive: str, at: float) -> Happening:
    """Another drive of the same model, empty, is put into the bay."""
    fresh = Disk(generation=layout.disks[drive].generation + 1)
    after = mark_stale(replace(layout, disks={**layout.disks, drive: fresh}), drive)
    rebuilt = with_rebuilds(model, after, (drive,), at)
    said = [_says("DriveInserted", model.drives[drive].name)]
    if rebuilt is not after:
        said.append(_says("RebuildStarted", drive))
    return rebuilt, tuple(said)


def predictive_failure(model: Model, layout: Layout, drive: str, at: float) -> Happening:
    """It works, and tells that it will not for long."""
    found = model.drives[drive]
    said = _says("DrivePredictiveFailure", found.name, found.part_number)
    return layout.with_disk(drive, predicted=True), (said,)


EVENTS: Mapping[str, tuple[Callable[[Model, Layout, str, float], Happening], tuple[Condition, ...]]] = {
    "DriveFailure": (drive_failure, (Condition.PRESENT,)),
    "DrivePredictiveFailure": (predictive_failure, (Condition.PRESENT,)),
    "DriveRemoved": (drive_removed, (Condition.PRESENT, Condition.FAILED)),
    "DriveInserted": (drive_inserted, (Condition.REMOVED,)),
    REPLACED: (drive_replaced, (Condition.FAILED, Condition.REMOVED)),
}
"""What can befall a drive (the names of DMTF's StorageDevice registry, where it has one), and in which condition."""


# -- what follows -----------------------------------------------------------------------------------------------------


def lost(model: Model, before: Layout, layout: Layout, drive: str, at: float) -> Happening:
    """A drive works no more: what of the volumes on it, of what was being done, and of the spares."""
    after = layout.without_idle_work()
    ended = [work for work in layout.works if work not in after.works]
    messages = [_says("RebuildFailed", work.subject) for work in ended if work.operation == "Rebuild"]
    if before.disks[drive].works:
        for volume in layout.volumes_on(drive):
            status = after.status(volume)
            if status is Status.DEGRADED:
                messages.append(_says("VolumeDegraded", volume.id, model.name))
            elif before.status(before.volumes[volume.id]) is not Status.FAILED:
                messages.append(_says("VolumeFailure", volume.id, model.name))
                if volume.write_policy != "WriteThrough" and volume.level != NO_LEVEL:
                    after = replace(after, preserved=(*after.preserved, volume.id))
    after, more = took_over(model, after, at)
    return after, (*messages, *more)


def took_over(model: Model, layout: Layout, at: float) -> Happening:
    """Every volume that has lost a drive gets the first spare that suits it: a dedicated one before a global one."""
    messages: list[Message] = []
    for volume_id in layout.volumes:
        if layout.status(layout.volumes[volume_id]) is not Status.DEGRADED:
            continue
        for drive in layout.volumes[volume_id].drives:
            if layout.disks[drive].works:
                continue
            spare = _spare_for(model, layout, layout.volumes[volume_id])
            if spare is not None:
                layout = _swapped(layout, drive, spare)
                layout = with_rebuilds(model, layout, (spare,), at)
                messages.append(_says("RebuildStarted", spare))
    return layout, tuple(messages)


def _spare_for(model: Model, layout: Layout, volume: Volume) -> str | None:
    end = max(stop for drive in volume.drives for _, stop in layout.used(drive))
    must_encrypt = any(other.is_encrypted for drive in volume.drives for other in layout.volumes_on(drive))
    fitting = [
        drive.id
        for drive in model.drives.values()
        if state_of(layout, drive.id) == "Spare"
        and not layout.reserved_by(drive.id)
        and model.can_hold(drive.id, volume, end)
        and (drive.securable or not must_encrypt)
    ]
    dedicated = [drive for drive in fitting if volume.id in layout.disks[drive].spare_for]
    everybodys = [drive for drive in fitting if layout.disks[drive].is_global_spare]
    return next(iter([*dedicated, *everybodys]), None)


def _swapped(layout: Layout, old: str, new: str) -> Layout:
    """Another drive has the place of this one in all of its volumes, and is stale there."""
    for volume in layout.volumes_on(old):
        drives = tuple(new if drive == old else drive for drive in volume.drives)
        stale = (*(drive for drive in volume.stale if drive != old), new)
        layout = layout.with_volume(replace(volume, drives=drives, stale=stale))
    works = tuple(_with_drive(work, old, new) for work in layout.works)
    layout = replace(layout, works=works)
    return layout.with_disk(new, is_global_spare=False, spare_for=()).with_disk(old, is_offline=False)


def _with_drive(work: Work, old: str, new: str) -> Work:
    """Work that will bring a volume to its drives, with another one in the place of this one."""
    if work.becomes is None or old not in work.becomes.drives:
        return work
    drives = tuple(new if drive == old else drive for drive in work.becomes.drives)
    return replace(work, becomes=replace(work.becomes, drives=drives))


def mark_stale(layout: Layout, drive: str) -> Layout:
    """This drive does not hold what its volumes need of it."""
    for volume in layout.volumes_on(drive):
        if volume.level != NO_LEVEL and drive not in volume.stale:
            layout = layout.with_volume(replace(volume, stale=(*volume.stale, drive)))
    return layout


def forgotten(layout: Layout, drive: str) -> Layout:
    """What a foreign drive carries is given up."""
    return mark_stale(layout.with_disk(drive, carries=()), drive) if layout.disks[drive].carries else layout


def erased(layout: Layout, drive: str) -> Layout:
    """Nothing is on a drive any more: its volumes are gone, and it is spare of nothing."""
    for volume in layout.volumes_on(drive):
        if volume.level != NO_LEVEL:
            layout = layout.without_volume(volume.id)
    layout = layout.without_work(*layout.works_on(drive))
    return layout.with_disk(drive, carries=(), is_global_spare=False, spare_for=(), is_offline=False)


# -- what takes its time is done --------------------------------------------------------------------------------------


def _rebuilt(model: Model, layout: Layout, work: Work) -> Happening:
    messages = [_says("RebuildCompleted", work.subject)]
    for volume in layout.volumes_on(work.subject):
        if layout.status(volume) is Status.FAILED:
            continue
        fresh = replace(volume, stale=tuple(drive for drive in volume.stale if drive != work.subject))
        layout = layout.with_volume(fresh)
        if layout.status(fresh) is Status.OK:
            messages.append(_says("VolumeOK", volume.id, model.name))
    return layout, tuple(messages)


def _replicated(model: Model, layout: Layout, work: Work) -> Happening:
    """The replacement has the drive's place, with what belongs there; the drive is free."""
    after = _swapped(layout, work.subject, work.drive)
    for volume in after.volumes_on(work.drive):
        after = after.with_volume(replace(volume, stale=tuple(one for one in volume.stale if one != work.drive)))
    return after, (_says("ReplaceCompleted", work.subject, work.drive),)


def _became(model: Model, layout: Layout, work: Work) -> Happening:
    assert work.becomes is not None, "it is work that changes a volume"
    now = layout.volumes[work.subject]
    becomes = replace(
        work.becomes,
        name=now.name,
        read_policy=now.read_policy,
        write_policy=now.write_policy,
        disk_cache=now.disk_cache,
        is_encrypted=now.is_encrypted,
        stale=now.stale,
    )
    return layout.with_volume(becomes), (_says("ReconfigurationCompleted", work.subject),)


DONE: Mapping[str, Callable[[Model, Layout, Work], Happening]] = {
    "Rebuild": _rebuilt,
    "Replicate": _replicated,
    "Resize": _became,
    "ChangeRAIDType": _became,
}
"""What work comes to that changes something."""
SAID: Mapping[str, str] = {
    "Initialize": "InitializationCompleted",
    "CheckConsistency": "ConsistencyCheckCompleted",
    "Sanitize": "DriveErased",
    "PatrolRead": "PatrolReadCompleted",
}
"""What is said of the other kinds when they are done."""


def done(model: Model, layout: Layout, at: float) -> Happening:
    """What is due by this moment is done, in the order in which it was."""
    messages: list[Message] = []
    while due := sorted((work for work in layout.works if work.ends <= at), key=lambda work: work.ends):
        layout, said = _finished(model, layout.without_work(due[0]), due[0])
        messages += said
    return layout, tuple(messages)


def _finished(model: Model, layout: Layout, work: Work) -> Happening:
    if work.operation in DONE:
        return DONE[work.operation](model, layout, work)
    if work.operation == "Sanitize":  # a volume may have waited for the drive meanwhile
        layout = with_rebuilds(model, layout, (work.subject,), work.ends)
    return layout, (_says(SAID[work.operation], work.subject or model.name),)
