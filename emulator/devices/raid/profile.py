"""What a profile shows of a storage controller, its volumes and its drives, and what it may say of them.

Names and words are DMTF's where DMTF has them, else those of the operations (`__init__.ALL_OPERATIONS`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.core.device import LIST, OPERATIONS, Attribute, Value
from emulator.core.part import Part
from emulator.devices.raid.layout import NO_LEVEL, OF_ENCLOSURE, Condition, Layout, Model, Volume, state_of

ACTION = "Action"
CREATE, CREATE_AUTO, UPDATE, DELETE = "Create", "CreateAuto", "Update", "Delete"
ENCRYPTED, BOOT, INITIALIZE, SPARES, DRIVES = (
    *("Encrypted", "IsBootVolume", "InitializeType"),
    *("DedicatedSpareDrives", "Drives"),
)
POLICIES = ("Name", "DiskCachePolicy", "WriteCachePolicy", "ReadCachePolicy")
"""What of a volume can be changed at any time."""
STATE, HOT_SPARE = "State", "HotspareType"
NONE, DEDICATED, GLOBAL = "None", "Dedicated", "Global"
LOCAL_KEYS = "LKM"
RAID_STATES = ("Ready", "Online")
"""What a profile calls a drive that RAID can use: whether a volume has it is the volume's to say."""


def _attributes(*attributes: Attribute) -> dict[str, Attribute]:
    return {attribute.name: attribute for attribute in attributes}


TRIGGERS = _attributes(
    Attribute("ResetConfig", "Boolean"),
    Attribute("ForeignConfig", "Enumeration", choices=("Ignore", "Clear", "Import")),
    Attribute("ReKey", "Boolean"),
    Attribute("EncryptionMode", "Enumeration", choices=("None", LOCAL_KEYS)),
    Attribute("Keyid", "String", max_length=255),
    Attribute("OldKey", "Password", max_length=255),
    Attribute("NewKey", "Password", max_length=255),
    Attribute("RemoveControllerKey", "Boolean"),
)
"""What is done to the controller as a whole. Most are never found set: they are said once, and done."""
FIXED = ("CapacityBytes", "StripSizeBytes", "MediaSpanCount", "SpanLength", "RAIDType", DRIVES)
"""What is said of a volume that is to be made, and does not change afterwards."""
NEW_VOLUME = _attributes(
    Attribute(ACTION, "Enumeration", choices=(CREATE, CREATE_AUTO, UPDATE, DELETE)),
    Attribute(ENCRYPTED, "Boolean"),
    Attribute(BOOT, "Boolean"),
    Attribute(INITIALIZE, "Enumeration", choices=("None", "Fast")),
    Attribute("DiskCachePolicy", "Enumeration", choices=("Default", "Enabled", "Disabled")),
    Attribute(
        "WriteCachePolicy", "Enumeration", choices=("WriteThrough", "ProtectedWriteBack", "UnprotectedWriteBack")
    ),
    Attribute("ReadCachePolicy", "Enumeration", choices=("Off", "ReadAhead", "AdaptiveReadAhead")),
    Attribute("Name", "String"),
    Attribute("CapacityBytes", "Integer", lower=0),
    Attribute("StripSizeBytes", "Integer", lower=0),
    Attribute("MediaSpanCount", "Integer", lower=0),
    Attribute("SpanLength", "Integer", lower=0),
    Attribute("RAIDType", "String"),
    Attribute(DRIVES, LIST),
    Attribute(SPARES, LIST),
)
"""CapacityBytes 0 is all that there is; StripSizeBytes, MediaSpanCount and SpanLength 0 are the controller's choice."""
VOLUME = {
    name: replace(attribute, immutable=True) if name in FIXED else attribute for name, attribute in NEW_VOLUME.items()
}
DRIVE = _attributes(
    Attribute(HOT_SPARE, "Enumeration", choices=(NONE, DEDICATED, GLOBAL)),
    Attribute(STATE, "Enumeration", choices=(*RAID_STATES, "NonRAID")),
)
PASSIVE_DRIVE = {name: replace(attribute, immutable=True) for name, attribute in DRIVE.items()}
"""Of a drive that has failed or is foreign."""


# -- what it shows ----------------------------------------------------------------------------------------------------


def shown(device_id: str, model: Model, layout: Layout, settings: Mapping[str, Value]) -> Part:
    """The controller with its volumes and the drives that are in their bays; without RAID levels there is none."""
    if not model.levels:
        return Part(device_id, {}, {})
    mine = (name for name in model.attributes if name != OPERATIONS and OF_ENCLOSURE not in name)
    own = {name: model.attributes[name] for name in mine}
    volumes = [volume_part(layout, volume) for volume in layout.volumes.values() if volume.level != NO_LEVEL]
    present = [drive for drive, disk in layout.disks.items() if disk.condition is not Condition.REMOVED]
    return Part(
        device_id,
        {**TRIGGERS, **own},
        {**_triggers(layout), **{name: settings[name] for name in own}},
        (*volumes, *(drive_part(layout, drive) for drive in present)),
    )


def _triggers(layout: Layout) -> dict[str, Value]:
    return {
        "ResetConfig": False,
        "ForeignConfig": "Ignore",
        "ReKey": False,
        "EncryptionMode": LOCAL_KEYS if layout.has_key() else "None",
        "Keyid": layout.key_id,
        "OldKey": None,
        "NewKey": None,
        "RemoveControllerKey": False,
    }


def volume_part(layout: Layout, volume: Volume) -> Part:
    """A volume. Its spares are shown where it has any: none said is nothing said."""
    spares: list[Any] = [drive for drive, disk in layout.disks.items() if volume.id in disk.spare_for]
    values: dict[str, Value] = {
        ACTION: UPDATE,
        ENCRYPTED: volume.is_encrypted,
        BOOT: layout.boot_volume == volume.id,
        INITIALIZE: "None",
        "DiskCachePolicy": volume.disk_cache,
        "WriteCachePolicy": volume.write_policy,
        "ReadCachePolicy": volume.read_policy,
        "Name": volume.name,
        "CapacityBytes": volume.capacity,
        "StripSizeBytes": volume.strip,
        "MediaSpanCount": volume.spans,
        "SpanLength": len(volume.drives) // volume.spans,
        "RAIDType": volume.level,
        DRIVES: list(volume.drives),
        **({SPARES: spares} if spares else {}),
    }
    return Part(volume.id, VOLUME, values)


def drive_part(layout: Layout, drive: str) -> Part:
    """A drive that is in its bay."""
    disk, state = layout.disks[drive], profile_state(layout, drive)
    hot_spare = DEDICATED if disk.spare_for else GLOBAL if disk.is_global_spare else NONE
    attributes = DRIVE if state in DRIVE[STATE].choices else PASSIVE_DRIVE
    return Part(drive, attributes, {HOT_SPARE: hot_spare, STATE: state})


def profile_state(layout: Layout, drive: str) -> str:
    """What a drive is to RAID; whether it is a spare or being rebuilt is told elsewhere."""
    state = state_of(layout, drive)
    return {"Spare": "Ready", "Rebuilding": "Online"}.get(state, state)
