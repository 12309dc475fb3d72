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
from emulator.core.message import Message, Rejected
from emulator.devices.raid.layout import NO_LEVEL, Layout, Status, Volume
from emulator.devices.raid.volume_operations import CAPACITY_MIN, RESHAPES, most_bytes
from emulator.mockup.reader import SETTINGS, links, normal
from emulator.mockup.site import Site
from emulator.mockup.storage import BY_VOLUME_TYPE, StoragePlace
from emulator.redfish.settings_resource import PREFERRED_APPLY_TIME, settings_annotation
from emulator.redfish.storage_operation import (
    Operation,
    apply_times,
    controller,
    layout,
    operate,
    pending_layout,
    percent,
    settings_apply_times,
    stage,
)
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, collection, link

Getter = Callable[[StoragePlace, Call], Document]
Handler = Callable[[StoragePlace, Call], Reply]
TYPE = "#Volume.v1_10_2.Volume"
CAPABILITIES = "Capabilities"
SUPPORT = "@Redfish.OperationApplyTimeSupport"
HEALTH: Mapping[Status, str] = {Status.OK: "OK", Status.DEGRADED: "Warning", Status.FAILED: "Critical"}
ACTIONS = ("Initialize", "CheckConsistency", "ChangeRAIDLayout")
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
    if site.dialect == "dell":
        folders = dict.fromkeys(place.uri.rpartition("/")[0] for place in site.storages)
        for folder in folders:  # clients of lifecycle controllers leave the controller's name out
            found += _member_resources(f"{folder}/Volumes/{{id}}", partial(_holder, site.storages))
    return found


def _resources_of(place: StoragePlace) -> list[Resource]:
    create = Verb(partial(create_volume, place), "ConfigureComponents", "Volume.create")
    return [
        Resource(place.volumes_uri, get=partial(volumes, place), verbs={"POST": create}),
        Resource(f"{place.volumes_uri}/{CAPABILITIES}", get=partial(capabilities, place)),
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
    document[SUPPORT] = _support(apply_times(place))
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
    """One volume as it is."""
    found = _shown(call, place).volumes[call.params["id"]]
    delivered = call.base(place.volume_uri(found.id)) if found.serial == 0 else {}
    mine = _document(place, call, found)
    if delivered:
        told = ALWAYS | (delivered.keys() - DELIVERED) if found.level else OF_RAW
        mine = {name: value for name, value in mine.items() if name in told}
        mine["Links"] = {**(delivered.get("Links") or {}), **mine["Links"]}
    document = {**delivered, **mine}
    document[SETTINGS] = settings_annotation(
        call, place.device_id, f"{place.volume_uri(found.id)}/Settings", settings_apply_times(place)
    )
    return call.extended("Volume", document)


def settings(place: StoragePlace, call: Call) -> Document:
    """What will be when everything pending is done: of what can be set."""
    volume_id = call.params["id"]
    after = pending_layout(call, place) or layout(call, place)
    found = after.volumes.get(volume_id) or _shown(call, place).volumes[volume_id]
    return {
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
        "EncryptionTypes": ["NativeDriveEncryption"] if found.is_encrypted else [],
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
    return {"State": state, "Health": HEALTH[status], "HealthRollup": HEALTH[status]}


def _actions(place: StoragePlace, uri: str, found: Volume) -> Document:
    """Those that make sense for it."""
    support = {SUPPORT: _support(apply_times(place))}
    actions: Document = {
        "#Volume.Initialize": {
            "target": f"{uri}/Actions/Volume.Initialize",
            "InitializeType@Redfish.AllowableValues": ["Fast", "Slow"],
            **support,
        },
        "#Volume.CheckConsistency": {"target": f"{uri}/Actions/Volume.CheckConsistency", **support},
    }
    levels = [level for level in place.model.levels if (found.level, level) in RESHAPES]
    if levels:
        actions["#Volume.ChangeRAIDLayout"] = {
            "target": f"{uri}/Actions/Volume.ChangeRAIDLayout",
            "RAIDType@Redfish.AllowableValues": levels,
            **support,
        }
    return actions


def _support(values: list[str]) -> Document:
    return {"@odata.type": "#Settings.v1_4_0.OperationApplyTimeSupport", "SupportedValues": values}


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
    body = call.body
    level = body.get("RAIDType") or BY_VOLUME_TYPE.get(body.get("VolumeType", ""))
    if level is None:
        raise Rejected(Message("PropertyMissing", ("RAIDType",), ("RAIDType",)))
    found = body.get("Links", {})
    given = {
        "RAIDType": level,
        "Drives": _drives(place, call, [*found.get("Drives", ()), *body.get("Drives", ())]),
        "DedicatedSpareDrives": _drives(place, call, found.get("DedicatedSpareDrives", ())),
        "StripSizeBytes": body.get("StripSizeBytes") or body.get("OptimumIOSizeBytes"),
        "Name": body.get("Name") or body.get("DisplayName"),
        "MediaSpanCount": body.get("MediaSpanCount") or _dell(body).get("SpanDepth"),
        "DiskCachePolicy": _dell(body).get("DiskCachePolicy"),
        **{
            name: body[name]
            for name in ("CapacityBytes", "ReadCachePolicy", "WriteCachePolicy", "InitializeMethod", "Encrypted")
            if body.get(name) is not None
        },
    }
    kept = {name: value for name, value in given.items() if value not in (None, [])}
    return operate(call, place, ("CreateVolume", "", kept))


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
    named = _drives(place, call, call.body.get("Drives", ()))
    added = [drive for drive in named if now is None or drive not in now.drives]
    level = call.body.get("RAIDType") or (now.level if now else "")
    return operate(call, place, ("ChangeRAIDLayout", call.params["id"], {"RAIDType": level, "Drives": added}))


def _changes(place: StoragePlace, call: Call) -> Iterator[Operation]:
    """The operations that a PATCH comes to."""
    body, volume_id = call.body, call.params["id"]
    found = _shown(call, place).volumes[volume_id]
    changes = {theirs: body[mine] for mine, theirs in SETTABLE.items() if mine in body}
    if "DiskCachePolicy" in _dell(body):
        changes["DiskCachePolicy"] = _dell(body)["DiskCachePolicy"]
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
    named = _drives(place, call, wanted)
    disks = layout(call, place).disks
    for drive, disk in disks.items():
        if volume_id in disk.spare_for and drive not in named:
            yield "UnassignSpare", drive, {}
    for drive in named:
        if drive not in disks or volume_id not in disks[drive].spare_for:
            yield "AssignSpare", drive, {"Volumes": [volume_id]}


def _drives(place: StoragePlace, call: Call, named: Any) -> list[str]:
    """The ids of drives that are named by their URIs; one that is not this controller's keeps its last segment."""
    known = {uri: drive for drive, uris in place.drive_uris.items() for uri in uris}
    return [known.get(uri, uri.rpartition("/")[2]) for uri in (normal(one) for one in links(list(named)))]


def _dell(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = body.get("Oem", {}).get("Dell", {})
    part: Mapping[str, Any] = found.get("DellVolume") or found.get("DellVirtualDisk") or {}
    return part
