"""The operations that bring a storage controller to a profile, in an order in which each finds what it needs.

What is in the way goes first: resets, foreign configurations, deletions, spares that are none any more. Then volumes
are made and changed, and spares assigned; at last drives and the controller give up what nobody needs now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emulator.core.device import OPERATIONS, seal
from emulator.core.message import Message, Rejected
from emulator.core.part import Part, Planned, Wanted
from emulator.devices.raid.layout import CONTROLLER_MODE, NO_LEVEL, RAID_MODE, Drive, Layout, same_kind, state_of
from emulator.devices.raid.level import LEVELS
from emulator.devices.raid.operation import refuse
from emulator.devices.raid.profile import (
    ACTION,
    BOOT,
    CREATE,
    CREATE_AUTO,
    DELETE,
    DRIVE,
    DRIVES,
    ENCRYPTED,
    INITIALIZE,
    LOCAL_KEYS,
    POLICIES,
    RAID_STATES,
    SPARES,
    STATE,
    UPDATE,
    profile_state,
)
from emulator.devices.raid.profile_said import Plan, Said
from emulator.devices.raid.profile_spares import assign, spares_wanted, unassign
from emulator.devices.raid.volume_operations import next_volume_id

SET = "set"
"""The operation of a step that sets one of the controller's own attributes; its subject is the name, its parameters
the value."""
KEYS = ("Keyid", "OldKey", "NewKey")
DIGITS_MAX = 6
"""How many digits the number of a volume may have."""


def planned(plan: Plan, start: Part, wanted: Wanted) -> tuple[Planned, ...]:
    """The steps that bring the controller to what is wanted, and what of it cannot be done (`Device.plan_profile`).

    `start` is what it shows now.
    """
    said = Said(plan, start, wanted)
    _set_mode(plan, said, to_raid=True)
    _reset(plan, said)
    _set_key(plan, said)
    for volume in said.of(DELETE):
        plan.try_("DeleteVolume", volume, {}, [said.told(volume, ACTION)])
    _convert(plan, said, "ConvertToRAID", *RAID_STATES)
    spares = spares_wanted(plan.layout, said)
    unassign(plan, said, spares)
    made = {volume: _create(plan, said, volume) for volume in said.of(CREATE, CREATE_AUTO)}
    for volume in said.of(UPDATE):
        _update(plan, said, volume)
    _give_up_boot(plan, said)
    assign(plan, said, spares, made)
    _convert(plan, said, "ConvertToNonRAID", "NonRAID")
    for name, value in said.settings.items():
        plan.try_(SET, name, value, [said.told(plan.device_id, name)])
    _remove_key(plan, said)
    _set_mode(plan, said, to_raid=False)
    return tuple(plan.planned)


# -- the controller ---------------------------------------------------------------------------------------------------


def _set_mode(plan: Plan, said: Said, *, to_raid: bool) -> None:
    """To RAID before everything, for nothing is made without it; from RAID after everything is gone."""
    if said.mode is not None and (said.mode == RAID_MODE) is to_raid:
        plan.try_(SET, CONTROLLER_MODE, said.mode, [said.told(plan.device_id, CONTROLLER_MODE)])


def _reset(plan: Plan, said: Said) -> None:
    """Where there is nothing to reset, nothing to import or to clear, it is as it is wanted."""
    layout = plan.layout
    configured = any(volume.level != NO_LEVEL for volume in layout.volumes.values())
    if said.triggers.get("ResetConfig") and (configured or any(disk.is_spare for disk in layout.disks.values())):
        plan.try_("ResetConfig", plan.device_id, {}, [said.told(plan.device_id, "ResetConfig")])
    foreign = {"Clear": "ClearForeignConfig", "Import": "ImportForeignConfig"}.get(
        said.triggers.get("ForeignConfig", "")
    )
    if foreign and any(disk.is_foreign for disk in plan.layout.disks.values()):
        plan.try_(foreign, plan.device_id, {}, [said.told(plan.device_id, "ForeignConfig")])


def _set_key(plan: Plan, said: Said) -> None:
    """A key is set with EncryptionMode, or changed with ReKey; without either it cannot be."""
    names = tuple(name for name in KEYS if name in said.triggers)
    sealed = {
        "Keyid": said.triggers.get("Keyid", plan.layout.key_id),
        **{
            name: seal(plan.device_id, OPERATIONS, said.triggers[name])
            for name in names
            if name != "Keyid" and said.triggers[name]
        },
    }
    if said.triggers.get("EncryptionMode") == LOCAL_KEYS:
        given = {"Key": sealed.get("NewKey"), "Keyid": sealed["Keyid"]}
        _try_with_key(plan, said, "SetControllerKey", given, ("EncryptionMode", *names))
    elif said.triggers.get("ReKey"):
        given = {**dict.fromkeys(("OldKey", "NewKey")), **sealed}
        _try_with_key(plan, said, "ReKey", given, ("ReKey", *names))
    elif names:
        why = Message("PropertyDependency", (names[0], "EncryptionMode, ReKey"), (f"Attributes/{names[0]}",))
        plan.leave_out(why, [said.told(plan.device_id, name) for name in names])


def _try_with_key(plan: Plan, said: Said, operation: str, given: Mapping[str, Any], names: Sequence[str]) -> None:
    told = [said.told(plan.device_id, name) for name in names]
    missing = next((name for name, value in given.items() if not value), None)
    if missing is None:
        plan.try_(operation, plan.device_id, given, told)
    else:
        name = {"Key": "NewKey"}.get(missing, missing)
        plan.leave_out(Message("PropertyMissing", (name,), (f"Attributes/{name}",)), told)


def _remove_key(plan: Plan, said: Said) -> None:
    """After the volumes that needed it are gone."""
    unwanted = [
        name
        for name, value in (("RemoveControllerKey", True), ("EncryptionMode", "None"))
        if said.triggers.get(name) == value
    ]
    if unwanted:
        plan.try_("RemoveControllerKey", plan.device_id, {}, [said.told(plan.device_id, name) for name in unwanted])


# -- drives -----------------------------------------------------------------------------------------------------------


def _convert(plan: Plan, said: Said, operation: str, *states: str) -> None:
    """Let RAID have the drives that are to be in one of these states, or take them from it."""
    for drive, wanted in said.states.items():
        if wanted not in states:
            continue
        state, told = profile_state(plan.layout, drive), [said.told(drive, STATE)]
        if state not in DRIVE[STATE].choices:
            plan.leave_out(Message("DriveNotInState", (drive, state, ", ".join(states))), told)
        elif plan.layout.disks[drive].is_raid is not (wanted in RAID_STATES):
            plan.try_(operation, drive, {}, told)


# -- volumes ----------------------------------------------------------------------------------------------------------


def _create(plan: Plan, said: Said, wanted: str) -> str:
    """Make a volume, and give its id: the one that the profile gives it, if nobody has that."""
    values = said.volumes[wanted]
    volume = _id_of_new(plan, wanted)
    told = [said.told_of_new(wanted, name) for name in values if name not in (SPARES, INITIALIZE, BOOT)]
    try:
        given = _creation(plan, said.actions[wanted], values)
    except Rejected as refused:
        plan.leave_out(refused.messages[0], told)
    else:
        if plan.try_("CreateVolume", volume, given, told):
            _begin(plan, said, wanted, volume)
    return volume


def _creation(plan: Plan, action: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of CreateVolume.

    Raises:
        Rejected: PropertyMissing; DriveNotFound; SpansInvalid where the numbers do not agree; TooFewDrivesFree.
    """
    level = values.get("RAIDType", "")
    if not level:
        raise Rejected(Message("PropertyMissing", ("RAIDType",), ("Attributes/RAIDType",)))
    spans, length = values.get("MediaSpanCount") or 0, values.get("SpanLength") or 0
    drives = values.get(DRIVES) or []
    unknown = next((drive for drive in drives if drive not in plan.model.drives), None)
    if action == CREATE_AUTO:
        drives = _free(plan, level, spans * length) if spans and length and level in LEVELS else []
    elif not drives:
        raise Rejected(Message("PropertyMissing", (DRIVES,), (f"Attributes/{DRIVES}",)))
    elif unknown is not None:
        raise refuse("DriveNotFound", unknown)
    elif spans and length and spans * length != len(drives):
        raise refuse("SpansInvalid", level, spans, len(drives))
    given = {
        "RAIDType": level,
        DRIVES: drives,
        "CapacityBytes": values.get("CapacityBytes") or None,
        "StripSizeBytes": values.get("StripSizeBytes") or None,
        "MediaSpanCount": spans or None,
        **{name: values[name] for name in (*POLICIES, ENCRYPTED) if name in values},
    }
    return {name: value for name, value in given.items() if value is not None}


def _free(plan: Plan, level: str, number: int) -> list[str]:
    """The first so many drives of one kind that nothing has.

    Raises:
        Rejected: TooFewDrivesFree.
    """
    ready = [drive for drive in plan.model.drives.values() if _is_free(plan.layout, drive)]
    alike = ([other.id for other in ready if same_kind(drive, other)] for drive in ready)
    found = next((drives[:number] for drives in alike if len(drives) >= number), None)
    if found is None:
        raise refuse("TooFewDrivesFree", level, number, len(ready))
    return found


def _is_free(layout: Layout, drive: Drive) -> bool:
    works = layout.reserved_by(drive.id) or layout.works_on(drive.id)
    return state_of(layout, drive.id) == "Ready" and not works


def _id_of_new(plan: Plan, wanted: str) -> str:
    """The id that is wanted, where it is one of this controller and free; else the next one."""
    before, _, after = plan.model.volume_id.partition("{}")
    number = wanted.removeprefix(before).removesuffix(after)
    fits = number.isdecimal() and len(number) <= DIGITS_MAX and wanted == plan.model.volume_id.format(int(number))
    return wanted if fits and wanted not in plan.layout.volumes else next_volume_id(plan.model, plan.layout)


def _update(plan: Plan, said: Said, volume: str) -> None:
    """What differs of a volume that is there: by then it may be gone."""
    values = said.volumes[volume]
    if volume not in plan.layout.volumes:
        plan.leave_out(Message("VolumeNotFound", (volume,)), said.all_told(volume))
        return
    plain = {name: values[name] for name in POLICIES if name in values}
    if plain:
        plan.try_("SetVolume", volume, plain, [said.told(volume, name) for name in plain])
    if values.get(ENCRYPTED):
        plan.try_("SecureVolume", volume, {}, [said.told(volume, ENCRYPTED)])
    elif ENCRYPTED in values:
        _leave_out_fixed(plan, said, volume, ENCRYPTED)
    _begin(plan, said, volume, volume)


def _begin(plan: Plan, said: Said, wanted: str, volume: str) -> None:
    """What is done with a volume that is there."""
    values = said.volumes[wanted]
    if values.get(INITIALIZE) == "Fast":
        plan.try_("Initialize", volume, {"InitializeType": "Fast"}, [said.told(wanted, INITIALIZE)])
    if values.get(BOOT):
        plan.try_("SetBootVolume", volume, {}, [said.told(wanted, BOOT)])


def _give_up_boot(plan: Plan, said: Said) -> None:
    """A volume is the one to boot from no more when another one is; alone it cannot be given up."""
    for volume in said.of(UPDATE):
        if said.volumes[volume].get(BOOT) is False and plan.layout.boot_volume == volume:
            _leave_out_fixed(plan, said, volume, BOOT)


def _leave_out_fixed(plan: Plan, said: Said, volume: str, name: str) -> None:
    plan.leave_out(Message("PropertyNotWritable", (name,), (f"Attributes/{name}",)), [said.told(volume, name)])
