"""Volume, its collection and its settings (DSP8010; Swordfish for the actions).

A volume is made with POST to the collection, which answers 202 with the job that makes it. One that is staged is shown
already: its State is Deferring until the job has made it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from emulator.core.device import shown
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.devices.raid.layout import NO_LEVEL, VOLUME_HEALTH, Layout, Status, Volume
from emulator.devices.raid.level import LEVELS
from emulator.devices.raid.volume_operations import CAPACITY_MIN, RESHAPES, most_bytes
from emulator.mockup.reader import SETTINGS, links
from emulator.mockup.site import Site
from emulator.mockup.storage import BY_VOLUME_TYPE, StoragePlace
from emulator.redfish.settings_resource import PREFERRED_APPLY_TIME, settings_annotation
from emulator.redfish.storage_operation import (
    SUPPORT,
    Operation,
    controller,
    layout,
    operate,
    operation_support,
    pending_layout,
    percent,
    settings_apply_times,
    stage,
    unknown,
)
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, collection, link

Getter = Callable[[StoragePlace, Call], Document]
Handler = Callable[[StoragePlace, Call], Reply]
TYPE = "#Volume.v1_10_2.Volume"
CAPABILITIES = "Capabilities"
ENCRYPTION = "NativeDriveEncryption"
"""The one of Volume.EncryptionTypes that there is: by the drives themselves."""
VENDOR = "Oem/Dell/DellVolume"
VENDOR_PARTS = ("DellVolume", "DellVirtualDisk")
"""Where a body has a lifecycle controller's own properties: by its newer name, and by the older."""
VENDOR_PROPERTIES = ("DiskCachePolicy", "SpanDepth", "SpanLength")
ALWAYS = frozenset({"CapacityBytes", "Status", "Operations", "Links", "Actions"})
"""What of a delivered volume is told anew, even where its document did not have it."""
DELIVERED = frozenset({"@odata.type", "Identifiers", "VolumeUsage"})
"""What is never told anew of it."""
OF_RAW = frozenset({"Status", "Operations", "Links", "Actions"})
"""What is told anew of a drive that is a volume as it is."""
SETTABLE: Mapping[str, str] = {
    "Name": "Name",
    "DisplayName": "Name",
    "ReadCachePolicy": "ReadCachePolicy",
    "WriteCachePolicy": "WriteCachePolicy",
}
"""Properties that SetVolume changes, and what it calls them."""


def resources(site: Site) -> list[Resource]:
    """The volumes of each controller that lives; on a lifecycle controller under a second URI without its name too."""
    found: list[Resource] = []
    for place in site.storages:
        found += _resources_of(place)
    for folder in dict.fromkeys(place.short_uri for place in site.storages if place.short_uri):
        found += _member_resources(f"{folder}/Volumes/{{id}}", partial(_holder, site.storages))
    return found


def _resources_of(place: StoragePlace) -> list[Resource]:
    create = Verb(partial(create_volume, place), "ConfigureComponents", "Volume.create")
    can_create = [Resource(f"{place.volumes_uri}/{CAPABILITIES}", get=partial(capabilities, place))]
    return [
        Resource(place.volumes_uri, get=partial(volumes, place), verbs={"POST": create}),
        *(can_create if place.model.levels else []),
        *_member_resources(f"{place.volumes_uri}/{{id}}", partial(_holder, (place,))),
    ]


def _holder(places: Iterable[StoragePlace], call: Call) -> StoragePlace | None:
    """Which of these controllers has the volume that is called."""
    return next((place for place in places if call.params["id"] in _shown(call, place).volumes), None)


def _member_resources(uri: str, holder: Callable[[Call], StoragePlace | None]) -> list[Resource]:
    """A volume's resources; `holder` tells whose it is, None where nobody has it."""

    def reading(get: Getter) -> Callable[[Call], Document | None]:
        def read(call: Call) -> Document | None:
            place = holder(call)
            return get(place, call) if place is not None else None

        return read

    def of(handler: Handler) -> Callable[[Call], Reply]:
        def handle(call: Call) -> Reply:
            place = holder(call)
            if place is None:
                raise Rejected(Message("ResourceMissingAtURI", (call.uri,)))
            return handler(place, call)

        return handle

    verbs = {
        "PATCH": Verb(of(patch_volume), "ConfigureComponents", "Volume.patch"),
        "DELETE": Verb(of(delete_volume), "ConfigureComponents", "Volume.delete", action="Volume.Delete"),
    }
    patch = Verb(of(patch_settings), "ConfigureComponents", "Volume.Settings.patch")
    actions = [
        Resource(
            f"{uri}/Actions/Volume.{name}",
            verbs={"POST": Verb(of(handler), "ConfigureComponents", f"Volume.{name}", action=f"Volume.{name}")},
        )
        for name, handler in (
            ("Initialize", initialize),
            ("CheckConsistency", check_consistency),
            ("ChangeRAIDLayout", change_raid_layout),
        )
    ]
    return [
        Resource(uri, get=reading(volume), verbs=verbs),
        Resource(f"{uri}/Settings", get=reading(settings), verbs={"PATCH": patch}),
        *actions,
    ]


# -- reading ----------------------------------------------------------------------------------------------------------


def volumes(place: StoragePlace, call: Call) -> Document:
    """The collection: what there is, and what is staged to be made."""
    uris = [place.volume_uri(volume_id) for volume_id in _shown(call, place).volumes]
    document = collection(call, "VolumeCollection", "Volumes", uris)
    document[SUPPORT] = operation_support(place)
    if place.model.levels:
        document["@Redfish.CollectionCapabilities"] = {
            "@odata.type": "#CollectionCapabilities.v1_4_0.CollectionCapabilities",
            "Capabilities": [
                {
                    "CapabilitiesObject": link(f"{place.volumes_uri}/{CAPABILITIES}"),
                    "UseCase": "VolumeCreation",
                    "Links": {"TargetCollection": link(place.volumes_uri)},
                }
            ],
        }
    return call.extended("VolumeCollection", document)


def capabilities(place: StoragePlace, call: Call) -> Document:
    """What a new volume can be (DSP0266, "Capabilities annotations"): its levels, and the bytes that are left."""
    raid = controller(call, place)
    most = most_bytes(raid.model, raid.layout)
    return {
        "@odata.id": call.uri,
        "@odata.type": TYPE,
        "Id": CAPABILITIES,
        "Name": "What a new volume can be",
        "Name@Redfish.OptionalOnCreate": True,
        "RAIDType@Redfish.RequiredOnCreate": True,
        "RAIDType@Redfish.AllowableValues": list(raid.model.levels),
        "CapacityBytes@Redfish.OptionalOnCreate": True,
        "CapacityBytes@Redfish.AllowableNumbers": [f"{CAPACITY_MIN}:{most}"] if most >= CAPACITY_MIN else [],
        "StripSizeBytes@Redfish.OptionalOnCreate": True,
        "StripSizeBytes@Redfish.AllowableNumbers": [str(size) for size in raid.model.strips],
        "MediaSpanCount@Redfish.OptionalOnCreate": True,
        "Links@Redfish.OptionalOnCreate": True,
        "Links": {"Drives@Redfish.OptionalOnCreate": True},
    }


def volume(place: StoragePlace, call: Call) -> Document:
    """One volume as it is: what was delivered of it, and over that what the controller tells of it now."""
    found = _shown(call, place).volumes[call.params["id"]]
    mine = _document(place, call, found)
    delivered: Document = {}
    if found.serial == 0:
        delivered, as_delivered = call.base(place.volume_uri(found.id)), place.model.delivered.volumes[found.id]
        told = ALWAYS | (delivered.keys() - DELIVERED) if found.level else OF_RAW
        told |= _changed(mine, _document(place, call, as_delivered))
        mine = {name: value for name, value in mine.items() if name in told}
        mine["Links"] = {**(delivered.get("Links") or {}), **mine["Links"]}
    document = {**delivered, **mine}
    document[SETTINGS] = settings_annotation(
        call, place.device_id, f"{place.volume_uri(found.id)}/Settings", settings_apply_times(place)
    )
    return call.extended("Volume", document)


def _changed(document: Document, before: Document) -> set[str]:
    """The properties that differ between two documents of one resource."""
    return {name for name, value in document.items() if value != before.get(name)}


def settings(place: StoragePlace, call: Call) -> Document:
    """What will be when everything pending is done: of what can be set."""
    volume_id = call.params["id"]
    after = pending_layout(call, place) or layout(call, place)
    found = after.volumes.get(volume_id) or _shown(call, place).volumes[volume_id]
    document = {
        "@odata.id": f"{place.volume_uri(volume_id)}/Settings",
        "@odata.type": TYPE,
        "Id": "Settings",
        "Name": found.name or found.id,
        "DisplayName": found.name or found.id,
        "CapacityBytes": found.capacity,
        **({"RAIDType": found.level} if found.level else {}),
        **_policies(found),
        "@Redfish.SettingsApplyTime": PREFERRED_APPLY_TIME,
    }
    return call.extended("Volume.Settings", document)


def _document(place: StoragePlace, call: Call, found: Volume) -> Document:
    raid, now, uri = controller(call, place), layout(call, place), place.volume_uri(found.id)
    drives = [raid.model.drives[drive] for drive in found.drives]
    spares = [raid.model.drives[drive].uri for drive, disk in now.disks.items() if found.id in disk.spare_for]
    return {
        "@odata.id": uri,
        "@odata.type": TYPE,
        "Id": found.id,
        "Name": found.name or found.id,
        "DisplayName": found.name or found.id,
        "RAIDType": found.level or None,
        "CapacityBytes": found.capacity,
        "BlockSizeBytes": drives[0].block_size if drives else None,
        "OptimumIOSizeBytes": found.strip,
        "StripSizeBytes": found.strip,
        "MediaSpanCount": found.spans,
        **_policies(found),
        "Encrypted": found.is_encrypted,
        "EncryptionTypes": [ENCRYPTION] if found.is_encrypted else [],
        "VolumeUsage": "Data",
        "Identifiers": [{"DurableNameFormat": "NAA", "DurableName": _naa(call, place, found)}],
        "Operations": _operations(call, now, found),
        "Status": _status(now, found),
        "Links": {
            "Drives@odata.count": len(drives),
            "Drives": [link(drive.uri) for drive in drives],
            "DedicatedSpareDrives@odata.count": len(spares),
            "DedicatedSpareDrives": [link(uri) for uri in spares],
        },
        "Actions": _actions(place, uri, found),
    }


def _policies(found: Volume) -> Document:
    if found.level == NO_LEVEL:
        return {"ReadCachePolicy": None, "WriteCachePolicy": None}
    return {"ReadCachePolicy": found.read_policy, "WriteCachePolicy": found.write_policy}


def _naa(call: Call, place: StoragePlace, found: Volume) -> str:
    """A World Wide Name that no other volume of any controller has."""
    text = f"{call.machine.id}/{place.device_id}/{found.serial}/{found.id}"
    return "6" + hashlib.sha256(text.encode()).hexdigest()[:31].upper()


def _operations(call: Call, now: Layout, found: Volume) -> list[Document]:
    running = [*now.works_on(found.id)]
    running += [work for drive in found.stale for work in now.works_on(drive, "Rebuild")]
    return [
        {
            "Operation": work.operation,
            "OperationName": OPERATION_NAMES.get(work.operation, work.operation),
            "PercentageComplete": percent(call, work),
        }
        for work in running
    ]


OPERATION_NAMES: Mapping[str, str] = {
    "CheckConsistency": "Check Consistency",
    "Initialize": "Initialize",
    "ChangeRAIDType": "RAID Level Migration",
    "Resize": "Online Capacity Expansion",
}


def _status(now: Layout, found: Volume) -> Document:
    if found.id not in now.volumes:
        return {"State": "Deferring", "Health": "OK", "HealthRollup": "OK"}
    status = now.status(found)
    state = "UnavailableOffline" if status is Status.FAILED else "Enabled"
    return {"State": state, "Health": VOLUME_HEALTH[status], "HealthRollup": VOLUME_HEALTH[status]}


def _actions(place: StoragePlace, uri: str, found: Volume) -> Document:
    """Those that make sense for it."""
    support = {SUPPORT: operation_support(place)}
    actions: Document = {
        "#Volume.Initialize": {
            "target": f"{uri}/Actions/Volume.Initialize",
            "InitializeType@Redfish.AllowableValues": ["Fast", "Slow"],
            **support,
        }
    }
    if found.level and LEVELS[found.level].tolerance:
        actions["#Volume.CheckConsistency"] = {"target": f"{uri}/Actions/Volume.CheckConsistency", **support}
    levels = [level for level in place.model.levels if (found.level, level) in RESHAPES]
    if levels:
        actions["#Volume.ChangeRAIDLayout"] = {
            "target": f"{uri}/Actions/Volume.ChangeRAIDLayout",
            "RAIDType@Redfish.AllowableValues": levels,
            **support,
        }
    return actions


def _shown(call: Call, place: StoragePlace) -> Layout:
    """The layout with the volumes in it that are staged to be made."""
    now, after = layout(call, place), pending_layout(call, place)
    made = [found for found in after.volumes.values() if found.id not in now.volumes] if after else []
    for found in made:
        now = now.with_volume(found)
    return now


# -- writing ----------------------------------------------------------------------------------------------------------


def create_volume(place: StoragePlace, call: Call) -> Reply:
    """A new volume: 202 with its job."""
    body, vendor = call.body, _vendor(call)
    found = body.get("Links", {})
    drives = _drives(place, [*found.get("Drives", ()), *body.get("Drives", ())])
    reject_if_any(_unmet(place, body, vendor, drives))
    given = {
        "RAIDType": body.get("RAIDType") or BY_VOLUME_TYPE[body["VolumeType"]],
        "Drives": drives,
        "DedicatedSpareDrives": _drives(place, found.get("DedicatedSpareDrives", ())),
        "StripSizeBytes": _one_of(body, "StripSizeBytes", "OptimumIOSizeBytes"),
        "Name": _one_of(body, "Name", "DisplayName"),
        "MediaSpanCount": body.get("MediaSpanCount") or vendor.get("SpanDepth"),
        "DiskCachePolicy": vendor.get("DiskCachePolicy"),
        **{
            name: body[name]
            for name in ("CapacityBytes", "ReadCachePolicy", "WriteCachePolicy", "InitializeMethod", "Encrypted")
            if body.get(name) is not None
        },
    }
    kept = {name: value for name, value in given.items() if value not in (None, [])}
    return operate(call, place, ("CreateVolume", "", kept))


def _unmet(
    place: StoragePlace, body: Mapping[str, Any], vendor: Mapping[str, Any], drives: list[str]
) -> Iterator[Message]:
    """What a body asks of a new volume that none has here."""
    if not body.get("RAIDType") and body.get("VolumeType") not in BY_VOLUME_TYPE:
        if "VolumeType" in body:
            yield _not_in_list(body, "VolumeType")
        else:
            yield Message("PropertyMissing", ("RAIDType",), ("RAIDType",))
    known = [place.model.drives[drive] for drive in drives if drive in place.model.drives]
    sizes = {drive.block_size for drive in known or place.model.drives.values()}
    if "BlockSizeBytes" in body and body["BlockSizeBytes"] not in sizes:
        yield _not_in_list(body, "BlockSizeBytes")
    if any(kind != ENCRYPTION for kind in body.get("EncryptionTypes", ())):
        yield _not_in_list(body, "EncryptionTypes")
    length, depth = vendor.get("SpanLength"), vendor.get("SpanDepth") or body.get("MediaSpanCount") or 1
    if length is not None and drives and length * depth != len(drives):
        yield _not_in_list(vendor, "SpanLength", VENDOR)


def _not_in_list(body: Mapping[str, Any], name: str, place: str = "") -> Message:
    path = f"{place}/{name}" if place else name
    return Message("PropertyValueNotInList", (shown(body[name]), path), (path,))


def _one_of(body: Mapping[str, Any], name: str, other: str) -> Any:
    """The value of a property that has two names; None where the body has neither.

    Raises:
        Rejected: they contradict each other.
    """
    if body.get(name) and body.get(other) and body[name] != body[other]:
        raise Rejected(_not_in_list(body, other))
    return body.get(name) or body.get(other)


def patch_volume(place: StoragePlace, call: Call) -> Reply:
    """New values for a volume: 202 with the job that sets them."""
    operations = list(_changes(place, call))
    if not operations:
        raise Rejected(Message("NoOperation"))
    return operate(call, place, *operations)


def patch_settings(place: StoragePlace, call: Call) -> Reply:
    """The same, staged: without an apply time they only wait."""
    return stage(call, place, {}, list(_changes(place, call)), partial(settings, place))


def delete_volume(place: StoragePlace, call: Call) -> Reply:
    """202 with the job that deletes it."""
    return operate(call, place, ("DeleteVolume", call.params["id"], {}))


def initialize(place: StoragePlace, call: Call) -> Reply:
    """Volume.Initialize: InitializeType Fast or Slow; InitializeMethod Foreground and Background take all of it too."""
    method = call.body.get("InitializeMethod")
    kind = call.body.get("InitializeType") or ("Slow" if method in ("Foreground", "Background") else "Fast")
    return operate(call, place, ("Initialize", call.params["id"], {"InitializeType": kind}))


def check_consistency(place: StoragePlace, call: Call) -> Reply:
    """Volume.CheckConsistency."""
    return operate(call, place, ("CheckConsistency", call.params["id"], {}))


def change_raid_layout(place: StoragePlace, call: Call) -> Reply:
    """Volume.ChangeRAIDLayout: Drives are those that are added, or all of them."""
    now = layout(call, place).volumes.get(call.params["id"])
    named = _drives(place, call.body.get("Drives", ()))
    added = [drive for drive in named if now is None or drive not in now.drives]
    level = call.body.get("RAIDType") or (now.level if now else "")
    return operate(call, place, ("ChangeRAIDLayout", call.params["id"], {"RAIDType": level, "Drives": added}))


def _changes(place: StoragePlace, call: Call) -> Iterator[Operation]:
    """The operations that a PATCH comes to."""
    body, vendor, volume_id = call.body, _vendor(call), call.params["id"]
    found = _shown(call, place).volumes[volume_id]
    reject_if_any(
        Message("PropertyNotWritable", (f"{VENDOR}/{name}",), (f"{VENDOR}/{name}",))
        for name in ("SpanDepth", "SpanLength")
        if name in vendor
    )
    _one_of(body, "Name", "DisplayName")
    changes = {theirs: body[mine] for mine, theirs in SETTABLE.items() if mine in body}
    if "DiskCachePolicy" in vendor:
        changes["DiskCachePolicy"] = vendor["DiskCachePolicy"]
    if changes:
        yield "SetVolume", volume_id, changes
    if "CapacityBytes" in body:
        yield "Resize", volume_id, {"CapacityBytes": body["CapacityBytes"]}
    if body.get("Encrypted"):
        yield "SecureVolume", volume_id, {}
    elif "Encrypted" in body and found.is_encrypted:
        raise Rejected(Message("PropertyValueNotInList", (shown(body["Encrypted"]), "Encrypted"), ("Encrypted",)))
    if "DedicatedSpareDrives" in body.get("Links", {}):
        yield from _spare_changes(place, call, volume_id, body["Links"]["DedicatedSpareDrives"])


def _spare_changes(place: StoragePlace, call: Call, volume_id: str, wanted: list[Any]) -> Iterator[Operation]:
    """Its dedicated spares are to be these and no others."""
    named = _drives(place, wanted)
    disks = (pending_layout(call, place) or layout(call, place)).disks
    for drive, disk in disks.items():
        if volume_id in disk.spare_for and drive not in named:
            yield "UnassignSpare", drive, {}
    for drive in named:
        if drive not in disks or volume_id not in disks[drive].spare_for:
            yield "AssignSpare", drive, {"Volumes": [volume_id]}


def _drives(place: StoragePlace, named: Iterable[Any]) -> list[str]:
    """The ids of drives that are named by their URIs; one that is not this controller's keeps its URI."""
    return [place.drive_at(uri) for uri in links(list(named))]


def _vendor(call: Call) -> Mapping[str, Any]:
    """The vendor's part of a body, under either of its names.

    Raises:
        Rejected: PropertyUnknown for what is not of this service's vendor, and for what its schema does not have.
    """
    oem: Mapping[str, Any] = call.body.get("Oem", {})
    own: Mapping[str, Any] = oem.get("Dell", {}) if call.site.dialect == "dell" else {}
    reject_if_any(unknown("Oem", oem, ("Dell",) if call.site.dialect == "dell" else ()))
    reject_if_any(unknown("Oem/Dell", own, VENDOR_PARTS))
    parts = [own[name] for name in VENDOR_PARTS if name in own]
    reject_if_any(message for part in parts for message in unknown(VENDOR, part, VENDOR_PROPERTIES))
    return {name: value for part in parts for name, value in part.items()}
