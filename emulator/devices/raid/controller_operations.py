"""What is done to a controller: its configuration is reset, foreign ones are imported, its security key is set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.core.message import Message, Rejected
from emulator.devices.raid.hardware import forgotten
from emulator.devices.raid.layout import NO_LEVEL, Layout, Model, Status, Volume, fits
from emulator.devices.raid.operation import (
    PATROL_RATE,
    Change,
    Operation,
    refuse,
    require_raid_mode,
    stopped,
    with_rebuilds,
    work,
)

PATROL_READ, PATROL_READ_MODE = "PatrolRead", "PatrolReadMode"
SECRETS = frozenset({"Key", "OldKey", "NewKey"})
"""Parameters of operations that are never kept as they are."""
LOCAL_KEY_MODE = "LKM"
"""The one of the modes of DellRaidService.EnableControllerEncryption that needs no key management server."""


def reset_config(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Every volume is deleted, every spare is free."""
    require_raid_mode(model, layout)
    volumes = [volume for volume in layout.volumes.values() if volume.level != NO_LEVEL]
    spares = [drive for drive, disk in layout.disks.items() if disk.is_spare]
    if not volumes and not spares:
        raise refuse("NoVolumes")
    for volume in volumes:
        layout = layout.without_volume(volume.id)
    for drive in spares:
        layout = layout.with_disk(drive, is_global_spare=False, spare_for=())
    return Change(layout, Message("ConfigReset", (subject,)))


def clear_foreign_config(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """What foreign drives carry is given up: they are ready for use, or rebuilt where a volume still needs them."""
    foreign = _foreign_drives(layout)
    for drive in foreign:
        layout = forgotten(layout, drive)
    return Change(with_rebuilds(model, layout, foreign, at), Message("ForeignConfigCleared", (subject,)))


def import_foreign_config(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """The volumes that foreign drives carry are here again; one that lacks a drive is degraded."""
    require_raid_mode(model, layout)
    foreign = _foreign_drives(layout)
    carried = _carried(layout, foreign)
    imported = layout
    for drive in foreign:
        imported = imported.with_disk(drive, carries=())
    for volume in carried:
        imported = _imported(layout, imported, volume)
    working = [one.id for one in carried if imported.status(imported.volumes[one.id]) is not Status.FAILED]
    if not working:
        raise refuse("ForeignConfigIncomplete", ", ".join(volume.id for volume in carried))
    imported = replace(imported, preserved=tuple(id_ for id_ in imported.preserved if id_ not in working))
    members = dict.fromkeys(drive for volume_id in working for drive in imported.volumes[volume_id].drives)
    return Change(with_rebuilds(model, imported, members, at), Message("ForeignConfigImported", (subject,)))


def _carried(layout: Layout, foreign: list[str]) -> list[Volume]:
    """The volumes that foreign drives carry, each as the drives that were in it last know it: those know of the others
    that they do not hold what they should.
    """
    copies = [volume for drive in foreign for volume in layout.disks[drive].carries]
    latest: dict[str, Volume] = {}
    for copy in copies:
        other = latest.setdefault(copy.id, copy)
        if other.serial != copy.serial:
            raise _taken(copy)
        if (len(copy.stale), copies.count(copy)) > (len(other.stale), copies.count(other)):
            latest[copy.id] = copy
    return list(latest.values())


def _imported(before: Layout, layout: Layout, carried: Volume) -> Layout:
    """With one volume back: what came with it, and knew of it last, holds what it should; all others do not.

    A volume that is still here has only waited for its drives.
    """
    known = layout.volumes.get(carried.id)
    if known is not None:
        if known.serial != carried.serial:
            raise _taken(carried)
        return layout
    here = {drive for drive in carried.drives if carried in before.disks[drive].carries}
    for drive in carried.drives:
        if not (drive in here or _is_empty(before, drive)) or not fits(layout, carried, drive):
            raise refuse("DriveInUse", drive)
    stale = tuple(drive for drive in carried.drives if drive in carried.stale or drive not in here)
    return layout.with_volume(replace(carried, stale=stale))


def _is_empty(layout: Layout, drive: str) -> bool:
    """Whether nothing else has a drive that a volume lacks; it may be out of its bay, or carry something foreign."""
    disk, has_other = layout.disks[drive], bool(layout.volumes_on(drive)) or layout.reserved_by(drive) is not None
    return disk.is_raid and not disk.is_spare and not disk.is_offline and not has_other and not layout.works_on(drive)


def _taken(volume: Volume) -> Rejected:
    return refuse("VolumeNotInState", volume.id, "in use by another volume")


def _foreign_drives(layout: Layout) -> list[str]:
    found = [drive for drive, disk in layout.disks.items() if disk.is_foreign]
    if not found:
        raise refuse("NoForeignConfig")
    return found


# -- security ---------------------------------------------------------------------------------------------------------


def set_controller_key(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Key, a passphrase (sealed: `SECRETS`), and Keyid."""
    _require_securable(model)
    if layout.has_key():
        raise refuse("SecurityKeyPresent")
    keyed = replace(layout, key=given["Key"], key_id=given["Keyid"])
    return Change(keyed, Message("SecurityKeyAssigned", (subject,)))


def rekey(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """OldKey, NewKey and Keyid; Mode LKM."""
    _require_securable(model)
    _require_local_mode(given.get("Mode"))
    if not layout.has_key():
        raise refuse("SecurityKeyAbsent")
    if given["OldKey"] != layout.key:
        raise refuse("PassphraseInvalid")
    key_id = given.get("Keyid") or layout.key_id
    return Change(replace(layout, key=given["NewKey"], key_id=key_id), Message("SecurityKeyChanged", (subject,)))


def remove_controller_key(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """No volume may need it."""
    _require_securable(model)
    if not layout.has_key():
        raise refuse("SecurityKeyAbsent")
    secured = [volume.id for volume in layout.volumes.values() if volume.is_encrypted]
    if secured:
        raise refuse("SecurityKeyInUse", ", ".join(secured))
    return Change(replace(layout, key="", key_id=""), Message("SecurityKeyDeleted", (subject,)))


def enable_encryption(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Mode LKM with Key and Keyid: the same as setting the key. The other modes need a key management server."""
    _require_securable(model)
    _require_local_mode(given.get("Mode"))
    return set_controller_key(model, layout, subject, given, at)


def unlock_foreign(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Foreign drives with secured volumes, given the passphrase of the key they are locked with: then they are imported
    like others. Here a controller's own key always opens its own drives, so there are none that are locked.
    """
    _require_securable(model)
    raise refuse("NoLockedDrives")


def _require_securable(model: Model) -> None:
    if not model.is_securable:
        raise refuse("ControllerNotSecurable")


def _require_local_mode(mode: str | None) -> None:
    if mode not in (None, LOCAL_KEY_MODE):
        raise refuse("KeyServerAbsent", mode)


# -- other ------------------------------------------------------------------------------------------------------------


def clear_preserved_cache(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Give up what the cache holds for volumes that have failed."""
    if not layout.preserved:
        raise refuse("NoPreservedCache")
    return Change(replace(layout, preserved=()), Message("PreservedCacheCleared", (subject,)))


def start_patrol_read(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Read all drives once."""
    _require_manual_patrol(model, layout)
    if layout.works_on("", PATROL_READ):
        raise refuse("OperationInProgress", subject, PATROL_READ)
    size = max((drive.size for drive in model.drives.values()), default=0)
    begun = work(model, layout, PATROL_READ, "", at, size, PATROL_RATE)
    return Change(layout.with_work(begun), Message("PatrolReadStarted", (subject,)))


def stop_patrol_read(model: Model, layout: Layout, subject: str, given: Mapping[str, Any], at: float) -> Change:
    """Stop that."""
    _require_manual_patrol(model, layout)
    return Change(stopped(layout, "", PATROL_READ), Message("PatrolReadStopped", (subject,)))


def _require_manual_patrol(model: Model, layout: Layout) -> None:
    mode = layout.settings.get(PATROL_READ_MODE, model.values.get(PATROL_READ_MODE))
    if mode != "Manual":
        raise refuse("PatrolReadNotManual")


CONTROLLER_OPERATIONS: Mapping[str, Operation] = {
    "ResetConfig": reset_config,
    "ClearForeignConfig": clear_foreign_config,
    "ImportForeignConfig": import_foreign_config,
    "SetControllerKey": set_controller_key,
    "ReKey": rekey,
    "RemoveControllerKey": remove_controller_key,
    "EnableControllerEncryption": enable_encryption,
    "UnLockSecureForeignConfig": unlock_foreign,
    "ClearControllerPreservedCache": clear_preserved_cache,
    "StartPatrolRead": start_patrol_read,
    "StopPatrolRead": stop_patrol_read,
}
