"""What is done to drives: they become spares, leave their volumes and come back, are converted and erased."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.core.message import Message
from emulator.devices.raid.hardware import forgotten, lost, took_over
from emulator.devices.raid.layout import NO_LEVEL, Condition, Layout, Model, same_kind, state_of
from emulator.devices.raid.operation import (
    INITIALIZATION_RATE,
    REBUILD_RATE,
    Change,
    Operation,
    drive_at,
    raid_volume_at,
    refuse,
    require_free,
    require_idle,
    require_not_failed,
    require_raid_mode,
    require_state,
    stopped,
    with_rebuilds,
    work,
)
from emulator.devices.raid.volume_operations import RECONFIGURES, require_cover

CRYPTOGRAPHIC_ERASE = "CryptographicErase"


def assign_spare(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Volumes, ids: a dedicated spare of these; none: a spare of all that it suits. It may begin its work at once."""
    require_raid_mode(model, layout)
    drive = drive_at(model, layout, subject)
    require_free(layout, drive.id)
    volumes = [raid_volume_at(layout, volume_id) for volume_id in dict.fromkeys(given.get("Volumes") or ())]
    for volume in volumes:
        require_cover(model, volume, subject)
    if volumes:
        assigned = layout.with_disk(subject, spare_for=tuple(volume.id for volume in volumes))
        return Change(took_over(model, assigned, at)[0], Message("DedicatedSpareAssigned", (subject,)))
    assigned = layout.with_disk(subject, is_global_spare=True)
    return Change(took_over(model, assigned, at)[0], Message("GlobalSpareAssigned", (subject,)))


def unassign_spare(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """It is free again."""
    drive_at(model, layout, subject)
    if state_of(layout, subject) != "Spare":
        raise refuse("DriveNotInState", subject, state_of(layout, subject), "Spare")
    return Change(
        layout.with_disk(subject, is_global_spare=False, spare_for=()), Message("SpareUnassigned", (subject,))
    )


def convert_to_raid(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """From NonRAID to Ready."""
    require_raid_mode(model, layout)
    drive_at(model, layout, subject)
    require_state(layout, subject, "NonRAID")
    return Change(layout.with_disk(subject, is_raid=True), Message("DriveConvertedToRAID", (subject,)))


def convert_to_non_raid(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """From Ready to NonRAID."""
    drive_at(model, layout, subject)
    if not model.levels:
        raise refuse("StorageOperationNotSupported", subject)
    require_free(layout, subject)
    return Change(layout.with_disk(subject, is_raid=False), Message("DriveConvertedToNonRAID", (subject,)))


def change_state(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """State Offline: its volumes go on without it, as if it had failed. State Online: it is back as it was."""
    drive_at(model, layout, subject)
    state = state_of(layout, subject)
    if given["State"] == "Offline":
        if state not in ("Online", "Rebuilding"):
            raise refuse("DriveNotInState", subject, state, "Online")
        after, _ = lost(model, layout, layout.with_disk(subject, is_offline=True), subject, at)
        return Change(after, Message("DriveOffline", (subject,)))
    if not layout.disks[subject].is_offline:
        raise refuse("DriveNotInState", subject, state, "Offline")
    after = layout.with_disk(subject, is_offline=False)
    return Change(with_rebuilds(model, after, (subject,), at), Message("DriveOnline", (subject,)))


def rebuild(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Begin a rebuild that somebody stopped."""
    drive_at(model, layout, subject)
    require_idle(layout, subject)
    begun = with_rebuilds(model, layout, (subject,), at)
    if begun is layout:
        raise refuse("DriveNotInState", subject, state_of(layout, subject), "Offline")
    return Change(begun, Message("RebuildStarted", (subject,)))


def cancel_rebuild(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Stop it; the drive stays where it is, without use."""
    drive_at(model, layout, subject)
    return Change(stopped(layout, subject, "Rebuild"), Message("RebuildCancelled", (subject,)))


def replace_drive(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Copy a drive that is still in use to ReplacementDisk, which then takes its place."""
    drive_at(model, layout, subject)
    new = given["ReplacementDisk"]
    target = drive_at(model, layout, new)
    require_idle(layout, subject)
    volumes = layout.volumes_on(subject)
    if state_of(layout, subject) != "Online" or any(volume.level == NO_LEVEL for volume in volumes):
        raise refuse("DriveNotInState", subject, state_of(layout, subject), "Online")
    require_state(layout, new, "Ready", "Spare")
    if layout.volumes_on(new):
        raise refuse("DriveInUse", new)
    if not same_kind(target, model.drives[subject]):
        raise refuse("DrivesMixed", subject, new)
    for volume in volumes:
        require_not_failed(layout, volume)
        require_idle(layout, volume.id, *RECONFIGURES)
        if volume.is_encrypted and not target.securable:
            raise refuse("DriveNotSecurable", new)
        if target.usable < volume.end:
            raise refuse("DriveTooSmall", new)
    size = sum(volume.extent for volume in volumes)
    begun = replace(work(model, layout, "Replicate", subject, at, size, REBUILD_RATE), drive=new)
    return Change(layout.with_work(begun), Message("ReplaceStarted", (subject, new)))


def secure_erase(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Erase a drive that nothing works with: by forgetting its key, at once, or by going over all of it.

    SanitizationType CryptographicErase, BlockErase or Overwrite; without, the first that it has.
    """
    drive = drive_at(model, layout, subject)
    wanted = given.get("SanitizationType") or drive.erasures[0]
    if wanted not in drive.erasures:
        raise refuse("SanitizationTypeNotSupported", wanted, ", ".join(drive.erasures))
    require_state(layout, subject, "Ready", "NonRAID", "Foreign")
    erased = forgotten(layout, subject)
    if wanted == "Overwrite":
        begun = work(model, layout, "Sanitize", subject, at, drive.size, INITIALIZATION_RATE)
        return Change(erased.with_work(begun), Message("EraseStarted", (subject,)))
    return Change(erased, Message("DriveErased", (subject,)))


def erase_with_psid(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Let a drive forget its key by the PSID on its label, which only self-encrypting drives have (TCG).

    No mockup tells what stands on the labels, so the PSID itself is not a parameter: whoever has one is believed.
    """
    if not drive_at(model, layout, subject).securable:
        raise refuse("DriveNotSecurable", subject)
    return secure_erase(model, layout, subject, {"SanitizationType": CRYPTOGRAPHIC_ERASE}, at)


def prepare_to_remove(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Say that a drive can be pulled out: nothing may have it, but by ForceRemove Yes."""
    drive_at(model, layout, subject)
    is_used = layout.volumes_on(subject) or layout.disks[subject].is_spare or layout.reserved_by(subject)
    if given.get("ForceRemove") != "Yes" and is_used:
        raise refuse("DriveInUse", subject)
    return Change(layout.with_disk(subject, is_lit=True), Message("DriveReadyToRemove", (subject,)))


def light(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """LocationIndicatorActive of a drive, or of all drives of a volume."""
    volume = layout.volumes.get(subject)
    drives = volume.drives if volume else (drive_at(model, layout, subject).id,)
    for drive in drives:
        if layout.disks[drive].condition is not Condition.REMOVED:
            layout = layout.with_disk(drive, is_lit=given["LocationIndicatorActive"])
    return Change(layout)


DRIVE_OPERATIONS: Mapping[str, Operation] = {
    "AssignSpare": assign_spare,
    "UnassignSpare": unassign_spare,
    "ConvertToRAID": convert_to_raid,
    "ConvertToNonRAID": convert_to_non_raid,
    "ChangePDState": change_state,
    "RebuildPhysicalDisk": rebuild,
    "CancelRebuildPhysicalDisk": cancel_rebuild,
    "ReplacePhysicalDisk": replace_drive,
    "SecureErase": secure_erase,
    "CryptographicEraseWithPSID": erase_with_psid,
    "PrepareToRemove": prepare_to_remove,
    "SetLocationIndicator": light,
}
