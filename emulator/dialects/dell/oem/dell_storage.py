"""What a lifecycle controller says of storage beside DMTF's properties, as its devices are now.

DellController stands in a Storage, DellStorageController in a StorageController, DellPhysicalDisk in a Drive; a Volume
has DellVolume, whose values clients send, and DellVirtualDisk, which older ones read. The names are captured ones
(firmware 6.00); their words too, or those of the RAID Profile (DCIM1031). What a mockup says of a controller that does
no RAID stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.core.device import OPERATIONS
from emulator.core.message import Rejected
from emulator.devices.raid.layout import NO_LEVEL, OF_ENCLOSURE, Drive, Layout, Status, Volume, Work, state_of
from emulator.devices.raid.level import MIB
from emulator.dialects.dell.oem.oem_part import part, with_oem
from emulator.mockup.documents import objects
from emulator.mockup.storage import StoragePlace
from emulator.redfish.storage_operation import controller, layout
from emulator.redfish.view import Call, Document

RESOURCES = "#DellOem.v1_3_0.DellOemResources"
OF_CONTROLLER = "#DellOemStorageController.v1_0_0.DellOemStorageController"
SPANS_MAX, DRIVES_IN_SPAN_MAX = 8, 32
"""What a controller with RAID levels says of volumes with spans."""
ELSEWHERE = frozenset({"RebuildRatePercent", "ConsistencyCheckRatePercent"})
"""Settings of a controller that DMTF has a place for: ControllerRates."""
ROLLUPS = {"OK": "OK", "Warning": "Degraded", "Critical": "Error"}
"""RollupStatus by Health."""
RAID_STATUS = {Status.OK: "Online", Status.DEGRADED: "Degraded", Status.FAILED: "Failed"}
ROLLUP = {Status.OK: "OK", Status.DEGRADED: "Degraded", Status.FAILED: "Error"}
MEDIA = {"SSD": "SolidStateDrive", "HDD": "HardDiskDrive", "SMR": "HardDiskDrive"}
BUSES = {"NVMe": "PCIE", "PCIe": "PCIE"}
"""BusProtocol, where it is not called as the drive calls it."""
WRITE_POLICIES = {"ProtectedWriteBack": "WriteBack", "UnprotectedWriteBack": "WriteBackForce"}
READ_POLICIES = {"Off": "NoReadAhead"}
"""Policies that DMTF calls otherwise."""
OPERATION_NAMES = {
    "Rebuild": "Rebuild",
    "Sanitize": "Clear",
    "Replicate": "Copyback",
    "Initialize": "Background Initialization",
    "CheckConsistency": "Check Consistency",
    "Resize": "Reconstruction",
    "ChangeRAIDType": "Reconstruction",
}
VOLUME_TYPES = {
    "RAID0": "NonRedundant",
    "RAID1": "Mirrored",
    "RAID5": "StripedWithParity",
    "RAID6": "StripedWithParity",
    "RAID10": "SpannedMirrors",
    "RAID50": "SpannedStripesWithParity",
    "RAID60": "SpannedStripesWithParity",
}
"""VolumeType, which services had before RAIDType: scripts list only volumes that have one."""
PENDING = {"CreateVolume": "PendingCreate", "DeleteVolume": "PendingDelete"}
"""PendingOperations by what is staged for a volume; ObjectStatus says the same."""


def extend_storage(call: Call, document: Document) -> Document:
    """DellController: what the controller is, and how."""
    place = _place_below(call, document["@odata.id"])
    if place is None or not place.model.levels:
        return document
    now = _controller(call, place, document)
    otherwise = {
        "@odata.type": "#DellController.v1_4_1.DellController",
        "Id": place.device_id,
        "Name": "DellController",
        **_unknown_of_controllers(document),
    }
    return with_oem(document, RESOURCES, "DellController", now, otherwise)


def extend_storage_controller(call: Call, document: Document) -> Document:
    """DellStorageController: the same, and its settings."""
    place = _place_below(call, document["@odata.id"])
    if place is None or not place.model.levels:
        return document
    settings = {
        name: value
        for name, value in controller(call, place).read().items()
        if name not in ELSEWHERE and OF_ENCLOSURE not in name
    }
    now = {
        **_controller(call, place, document),
        **settings,
        "MaxDrivesInSpanCount": DRIVES_IN_SPAN_MAX,
        "MaxSpansInVolumeCount": SPANS_MAX,
        "MaxSupportedVolumesCount": place.model.volumes_max,
        "SupportedInitializationTypes": ["Slow", "Fast"],
        "SupportedInitializationTypes@odata.count": 2,
    }
    otherwise = {**_unknown_of_controllers(document), "PatrolReadIterationsCount": 0, "RAIDMode": "None"}
    return with_oem(document, OF_CONTROLLER, "DellStorageController", now, otherwise)


def extend_drive(call: Call, document: Document) -> Document:
    """DellPhysicalDisk: what the drive is to RAID, what is free of it, and what is being done to it."""
    place = _place_of_drive(call, document)
    if place is None or not place.model.levels:
        return document
    drive = place.model.drives[document["Id"]]
    otherwise = {
        "@odata.type": "#DellPhysicalDisk.v1_6_0.DellPhysicalDisk",
        "Id": drive.id,
        "Name": "DellPhysicalDisk",
        "ForeignKeyIdentifier": None,
    }
    return with_oem(document, RESOURCES, "DellPhysicalDisk", _drive(call, layout(call, place), drive), otherwise)


def extend_volume(call: Call, document: Document) -> Document:
    """DellVolume and DellVirtualDisk: the volume in the controller's words, one that is only staged too."""
    place = _place_of_volume(call, document)
    if place is None or not place.model.levels:
        return document
    pending = _pending(call, place, document["Id"])
    now = layout(call, place)
    if document["Id"] not in now.volumes:
        now = _staged(call, place, now)
    volume = now.volumes.get(document["Id"])
    if volume is None:
        return document
    if volume.level:
        document = {**document, "VolumeType": VOLUME_TYPES[volume.level]}
    facts = {**_volume(call, place, now, volume), **pending}
    for name in ("DellVolume", "DellVirtualDisk"):
        otherwise = {"@odata.type": f"#{name}.v1_2_0.{name}", "Id": volume.id, "Name": "DellVirtualDisk"}
        document = with_oem(document, RESOURCES, name, facts, otherwise)
    return document


# -- whose document it is ---------------------------------------------------------------------------------------------


def _place_below(call: Call, uri: str) -> StoragePlace | None:
    """The controller whose Storage this is, or is below."""
    return next((place for place in call.site.storages if f"{uri}/".startswith(f"{place.uri}/")), None)


def _place_of_drive(call: Call, document: Document) -> StoragePlace | None:
    drive, uri = document["Id"], document["@odata.id"]
    having = [place for place in call.site.storages if drive in place.model.drives]
    return next((place for place in having if uri in place.drive_uris[drive]), having[0] if having else None)


def _place_of_volume(call: Call, document: Document) -> StoragePlace | None:
    """By its URI; by its id where it is shown somewhere else."""
    found = _place_below(call, document["@odata.id"])
    if found is not None:
        return found
    return next((place for place in call.site.storages if document["Id"] in layout(call, place).volumes), None)


# -- what is said -----------------------------------------------------------------------------------------------------


def _controller(call: Call, place: StoragePlace, document: Document) -> Document:
    """What is true of a controller now, as both of its objects say it."""
    model, now = place.model, layout(call, place)
    status = part(document, "Status")
    health = status.get("HealthRollup") or status.get("Health")
    return {
        "BootVirtualDiskFQDD": now.boot_volume or None,
        "CurrentControllerMode": now.mode(model.values),
        "EncryptionCapability": "LocalKeyManagementCapable" if model.is_securable else "None",
        "EncryptionMode": "LocalKeyManagement" if now.has_key() else "None",
        "KeyID": now.key_id or None,
        "PatrolReadState": "Running" if now.works_on("", "PatrolRead") else "Stopped",
        "RealtimeCapability": "Capable" if place.is_real_time else "Incapable",
        "RollupStatus": ROLLUPS.get(str(health), "Unknown"),
        "SecurityStatus": _security_status(now, can_have_key=model.is_securable),
        "SlicedVDCapability": "Supported",
    }


def _security_status(now: Layout, *, can_have_key: bool) -> str:
    if now.has_key():
        return "SecurityKeyAssigned"
    return "EncryptionCapable" if can_have_key else "EncryptionNotCapable"


def _unknown_of_controllers(document: Document) -> Document:
    """What is said where the mockup says nothing of it, from DMTF's part of the document where that tells."""
    inner = next(iter(objects(document.get("StorageControllers"))), document)
    return {
        "AlarmState": "AlarmNotPresent",
        "CacheSizeInMB": part(inner, "CacheSummary").get("TotalCacheSizeMiB") or 0,
        "CachecadeCapability": "NotSupported",
        "ControllerFirmwareVersion": inner.get("FirmwareVersion"),
        "PersistentHotspare": "Disabled",
        "SupportControllerBootMode": "NotSupported",
        "SupportEnhancedAutoForeignImport": "NotSupported",
        "SupportRAID10UnevenSpans": "NotSupported",
        "SupportsLKMtoSEKMTransition": "No",
        "T10PICapability": "NotSupported",
    }


def _drive(call: Call, now: Layout, drive: Drive) -> Document:
    disk = now.disks[drive.id]
    used = sum(volume.extent for volume in now.volumes_on(drive.id))
    free = sum(end - start for start, end in now.gaps([drive])) if disk.is_raid else 0
    return {
        "FreeSizeInBytes": free,
        "HotSpareStatus": "Dedicated" if disk.spare_for else "Global" if disk.is_global_spare else "No",
        **_operation(call, now.works_on(drive.id), "OperationPercentCompletePercent"),
        "PredictiveFailureState": "SmartAlertPresent" if disk.predicted else "SmartAlertAbsent",
        "RaidStatus": state_of(now, drive.id),
        "UsedSizeInBytes": used,
    }


def _volume(call: Call, place: StoragePlace, now: Layout, volume: Volume) -> Document:
    status = now.status(volume)
    member = next((place.model.drives[drive] for drive in volume.drives), None)
    return {
        "BusProtocol": BUSES.get(member.protocol, member.protocol) if member else "Unknown",
        "DiskCachePolicy": volume.disk_cache,
        "LockStatus": "Locked" if volume.is_encrypted else "Unlocked",
        "MediaType": MEDIA.get(member.media, "Unknown") if member else "Unknown",
        **_operation(call, now.works_on(volume.id), "OperationPercentComplete"),
        "RAIDTypes": volume.level.replace("RAID", "RAID-") if volume.level != NO_LEVEL else "NoRAID",
        "RaidStatus": RAID_STATUS[status],
        "ReadCachePolicy": READ_POLICIES.get(volume.read_policy, volume.read_policy),
        "RemainingRedundancy": now.redundancy_left(volume),
        "RollupStatus": ROLLUP[status],
        "SpanDepth": volume.spans,
        "SpanLength": len(volume.drives) // volume.spans,
        "StripeSize": _size(volume.strip),
        "WriteCachePolicy": WRITE_POLICIES.get(volume.write_policy, volume.write_policy),
    }


def _operation(call: Call, works: list[Work], percent: str) -> Document:
    """What is being done, and how far it is."""
    if not works:
        return {"OperationName": "None", percent: 0}
    return {
        "OperationName": OPERATION_NAMES.get(works[0].operation, works[0].operation),
        percent: works[0].percent(call.machine.moment),
    }


def _size(strip: int) -> str:
    return f"{strip // MIB}MB" if strip % MIB == 0 else f"{strip // 1024}KB"


# -- what is staged ---------------------------------------------------------------------------------------------------


def _pending(call: Call, place: StoragePlace, volume_id: str) -> Mapping[str, Any]:
    """PendingOperations of a volume, and ObjectStatus."""
    is_there = volume_id in layout(call, place).volumes
    found = "None" if is_there else PENDING["CreateVolume"]
    staged = call.machine.values_pending(place.device_id).get(OPERATIONS)
    for operation, subject, given in staged if isinstance(staged, list) and is_there else ():
        if operation == "ResetConfig" or (operation == "DeleteVolume" and subject == volume_id):
            found = PENDING["DeleteVolume"]
        elif operation == "Initialize" and subject == volume_id and given.get("InitializeType", "Fast") == "Fast":
            found = "FastInit"
    return {"ObjectStatus": found if found in PENDING.values() else "Current", "PendingOperations": found}


def _staged(call: Call, place: StoragePlace, now: Layout) -> Layout:
    """What the controller will be once what is staged is done; as now where that cannot be done any more."""
    values = call.machine.values_pending(place.device_id)
    if not values:
        return now
    try:
        return controller(call, place).after(values)
    except Rejected:
        return now
