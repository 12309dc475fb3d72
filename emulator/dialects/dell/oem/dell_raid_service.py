"""DellRaidService: what can be done to storage, by the ids of drives, volumes and controllers (DellRaidService v1_5_1).

Its actions are captured, with the values that they advertise. Most are done by a job of the controller to which the
target belongs, and answered with 202 and the job's Location; lights and questions are answered at once with 200. What
can be refused, and when, is the device's to say (`devices/raid/`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from emulator.core.device import OPERATIONS
from emulator.core.message import Message, Rejected
from emulator.data import schema
from emulator.devices.raid.layout import Drive
from emulator.devices.raid.level import MIB
from emulator.devices.raid.operation import drive_at, require_levels
from emulator.devices.raid.volume_operations import enough_for, free_bytes, free_drives
from emulator.dialects.dell.oem.dell_job_service import uris_of
from emulator.dialects.dell.oem.oem_part import of_vendor, part, with_links
from emulator.mockup.site import Site
from emulator.mockup.storage import StoragePlace
from emulator.redfish.storage_operation import controller, layout, operate, operate_now
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, link, success_messages

SCHEMA = "DellRaidService"
TARGET = "TargetFQDD"
NO_RAID, ALL, ALL_PROTOCOLS = "NoRAID", "All", "AllProtocols"
PROTOCOLS = {"PCIe": "NVMe"}
"""Diskprotocol of a drive, where it is not called as the drive calls it."""
BLOCK_BYTES = 512
"""Of drives that do not tell the size of their blocks."""


def resources(site: Site) -> list[Resource]:
    """The service and its actions, under the system and under the older URI that scripts still use."""
    found = []
    for uri in service_uris(site):
        found.append(Resource(uri, get=dell_raid_service))
        for name, (handler, privilege) in ACTIONS.items():
            verb = Verb(handler, privilege, f"{SCHEMA}.{name}", action=f"{SCHEMA}.{name}")
            found.append(Resource(f"{uri}/Actions/{SCHEMA}.{name}", verbs={"POST": verb}))
    return found


def service_uris(site: Site) -> tuple[str, ...]:
    """Where it stands, on a machine with storage."""
    return uris_of(site.systems[:1], SCHEMA) if site.storages else ()


def dell_raid_service(call: Call) -> Document:
    """The service: its actions, and the words that their parameters take."""
    return {
        "@odata.context": f"/redfish/v1/$metadata#{SCHEMA}.{SCHEMA}",
        "@odata.id": call.uri,
        "@odata.type": f"#{SCHEMA}.v1_5_1.{SCHEMA}",
        "Actions": {
            f"#{SCHEMA}.{name}": {**_allowable(name), "target": f"{call.uri}/Actions/{SCHEMA}.{name}"}
            for name in sorted(ACTIONS)
        },
        "Description": "Configures storage controllers, their drives and their volumes.",
        "Id": SCHEMA,
        "Name": SCHEMA,
    }


def extend_computer_system(call: Call, document: Document) -> Document:
    """Where the service is."""
    uris = service_uris(call.site)
    if not uris:
        return document
    return with_links(document, {SCHEMA: link(uris[0])})


def _allowable(name: str) -> Document:
    """What the body's schema has lists for."""
    found = {}
    for parameter, told in schema(f"payloads/{SCHEMA}.{name}")["properties"].items():
        words = told.get("enum") or told.get("items", {}).get("enum")
        if words:
            found[f"{parameter}@Redfish.AllowableValues"] = words
    return found


# -- what an id names -------------------------------------------------------------------------------------------------


def _has_drive(call: Call, place: StoragePlace, fqdd: str) -> bool:
    return fqdd in place.model.drives


def _has_volume(call: Call, place: StoragePlace, fqdd: str) -> bool:
    return fqdd in layout(call, place).volumes


def _is_controller(call: Call, place: StoragePlace, fqdd: str) -> bool:
    return fqdd in (place.device_id, *(uri.rpartition("/")[2] for uri in (place.uri, *place.controllers)))


class Named(NamedTuple):
    """What an FQDD can name."""

    is_at: Callable[[Call, StoragePlace, str], bool]
    unknown: Callable[[str], Message]
    """What is said of one that names none."""


DRIVE = Named(_has_drive, lambda fqdd: Message("DriveNotFound", (fqdd,)))
VOLUME = Named(_has_volume, lambda fqdd: Message("VolumeNotFound", (fqdd,)))
CONTROLLER = Named(_is_controller, lambda fqdd: Message("ControllerNotFound", (fqdd,)))


def _place_of(call: Call, parameter: str, fqdd: str, *kinds: Named) -> StoragePlace:
    """The controller to which a drive or volume belongs, or that is meant itself.

    Raises:
        Rejected: DriveNotFound (STOR029), VolumeNotFound (STOR028) or ControllerNotFound (STOR030), by the first kind.
    """
    for kind in kinds:
        for place in call.site.storages:
            if kind.is_at(call, place, fqdd):
                return place
    raise Rejected(replace(kinds[0].unknown(fqdd), related=(parameter,)))


# -- what a job does --------------------------------------------------------------------------------------------------


def _nothing(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


class JobAction(NamedTuple):
    """An action that a job carries out."""

    operation: str
    kind: Named
    """What is to be done to: one of those, or each of a list."""
    given: Callable[[Mapping[str, Any]], Mapping[str, Any]] = _nothing
    """The operation's parameters, out of the action's."""
    target: str = TARGET
    """The parameter that names it."""


def _like(*names: str) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """The parameters that the operation calls the same."""
    return lambda body: {name: body[name] for name in names if name in body}


def _growth(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Either more drives or a new size, in MB.

    Raises:
        Rejected: ActionParameterMissing for neither, ActionParameterValueConflict for both.
    """
    names = ("PDArray", "Size")
    if not any(name in body for name in names):
        raise Rejected(Message("ActionParameterMissing", (f"{SCHEMA}.OnlineCapacityExpansion", "PDArray, Size"), names))
    if all(name in body for name in names):
        raise Rejected(Message("ActionParameterValueConflict", ("Size", str(int(body["Size"]))), names))
    return {"Drives": body["PDArray"]} if "PDArray" in body else {"CapacityBytes": int(body["Size"]) * MIB}


JOB_ACTIONS: Mapping[str, JobAction] = {
    "AssignSpare": JobAction("AssignSpare", DRIVE, lambda body: {"Volumes": body.get("VirtualDiskArray", [])}),
    "UnassignSpare": JobAction("UnassignSpare", DRIVE),
    "ConvertToRAID": JobAction("ConvertToRAID", DRIVE, target="PDArray"),
    "ConvertToNonRAID": JobAction("ConvertToNonRAID", DRIVE, target="PDArray"),
    "ChangePDState": JobAction("ChangePDState", DRIVE, _like("State")),
    "RebuildPhysicalDisk": JobAction("RebuildPhysicalDisk", DRIVE),
    "CancelRebuildPhysicalDisk": JobAction("CancelRebuildPhysicalDisk", DRIVE),
    "ReplacePhysicalDisk": JobAction("ReplacePhysicalDisk", DRIVE, _like("ReplacementDisk")),
    "PrepareToRemove": JobAction("PrepareToRemove", DRIVE, _like("ForceRemove")),
    "CryptographicEraseWithPSID": JobAction("CryptographicEraseWithPSID", DRIVE, target="DriveFQDD"),
    "RenameVD": JobAction("SetVolume", VOLUME, _like("Name")),
    "LockVirtualDisk": JobAction("SecureVolume", VOLUME),
    "OnlineCapacityExpansion": JobAction("Resize", VOLUME, _growth),
    "RAIDLevelMigration": JobAction(
        "ChangeRAIDLayout", VOLUME, lambda body: {"RAIDType": body["NewRaidLevel"], "Drives": body.get("PDArray", [])}
    ),
    "CancelBackgroundInitialization": JobAction("CancelBackgroundInitialization", VOLUME),
    "CancelCheckConsistency": JobAction("CancelCheckConsistency", VOLUME),
    "ResetConfig": JobAction("ResetConfig", CONTROLLER),
    "ClearForeignConfig": JobAction("ClearForeignConfig", CONTROLLER),
    "ImportForeignConfig": JobAction("ImportForeignConfig", CONTROLLER),
    "UnLockSecureForeignConfig": JobAction("UnLockSecureForeignConfig", CONTROLLER, _like("Key", "Keyid")),
    "SetControllerKey": JobAction("SetControllerKey", CONTROLLER, _like("Key", "Keyid")),
    "ReKey": JobAction("ReKey", CONTROLLER, _like("Mode", "OldKey", "NewKey", "Keyid")),
    "RemoveControllerKey": JobAction("RemoveControllerKey", CONTROLLER),
    "EnableControllerEncryption": JobAction("EnableControllerEncryption", CONTROLLER, _like("Mode", "Key", "Keyid")),
    # a key that the management controller makes or fetches, and that nobody sends
    "EnableSecurity": JobAction("EnableControllerEncryption", CONTROLLER, lambda _: {"Mode": "SEKM"}),
    "DisableSecurity": JobAction("RemoveControllerKey", CONTROLLER, target="ControllerFQDD"),
    "ClearControllerPreservedCache": JobAction("ClearControllerPreservedCache", CONTROLLER),
    "StartPatrolRead": JobAction("StartPatrolRead", CONTROLLER),
    "StopPatrolRead": JobAction("StopPatrolRead", CONTROLLER),
}


def run(action: JobAction, call: Call) -> Reply:
    """202 with the job that does it, to all that are named or to none.

    Raises:
        Rejected: as `_place_of`, as `operate`.
    """
    named = call.body[action.target]
    fqdds = named if isinstance(named, list) else [named]
    given = action.given(call.body)
    places = [_place_of(call, action.target, fqdd, action.kind) for fqdd in fqdds]
    subjects = ["" if action.kind is CONTROLLER else fqdd for fqdd in fqdds]
    return _accepted(call, operate(call, places[0], *((action.operation, subject, given) for subject in subjects)))


def set_boot_vd(call: Call) -> Reply:
    """Boot from this volume: 202 with the job."""
    place = _place_of(call, "ControllerFQDD", call.body["ControllerFQDD"], CONTROLLER)
    return _accepted(call, operate(call, place, ("SetBootVolume", call.body["VirtualDiskFQDD"], {})))


def set_asset_name(call: Call) -> Reply:
    """Only enclosures outside of the system have an asset name, and none of those is emulated (STOR058)."""
    raise Rejected(Message("StorageOperationNotSupported", (call.body[TARGET],), (TARGET,)))


def _accepted(call: Call, reply: Reply) -> Reply:
    """With a body: scripts of this service read the answer as JSON before they look at its status."""
    return Reply(reply.status, {"@Message.ExtendedInfo": success_messages(call, "OperationDone")}, reply.headers)


# -- what is done or answered at once ---------------------------------------------------------------------------------


def blink(call: Call, *, on: bool) -> Reply:
    """The light of a drive, or of all drives of a volume."""
    fqdd = call.body[TARGET]
    place = _place_of(call, TARGET, fqdd, DRIVE, VOLUME)
    operate_now(call, place, ("SetLocationIndicator", fqdd, {"LocationIndicatorActive": on}))
    return _answer(call, {})


def get_available_disks(call: Call) -> Reply:
    """PDArray: the drives out of which a volume can be made, of the level asked for.

    Raises:
        Rejected: ControllerNotFound, StorageOperationNotSupported, RAIDTypeNotSupported.
    """
    place = _raid_place(call)
    drives = _filtered(call, free_drives(place.model, layout(call, place)))
    level = call.body.get("RaidLevel", NO_RAID)
    if level != NO_RAID:
        if level not in place.model.levels:
            raise Rejected(Message("RAIDTypeNotSupported", (level, ", ".join(place.model.levels)), ("RaidLevel",)))
        drives = enough_for(level, drives)
    return _answer(call, {"PDArray": [drive.id for drive in drives]})


def get_raid_levels(call: Call) -> Reply:
    """VDRAIDEnumArray: the levels of which a volume of exactly the drives of PDArray can be; without it, of any free.

    Raises:
        Rejected: ControllerNotFound, StorageOperationNotSupported, DriveNotFound.
    """
    place = _raid_place(call)
    model, now = place.model, layout(call, place)
    if named := call.body.get("PDArray"):
        names = [drive.id for drive in _filtered(call, [drive_at(model, now, name) for name in named])]
        levels = [level for level in model.levels if _is_possible(partial(free_bytes, model, now, level, names))]
    else:
        free = _filtered(call, free_drives(model, now))
        levels = [level for level in model.levels if enough_for(level, free)]
    return _answer(call, {"VDRAIDEnumArray": levels})


def get_dhs_disks(call: Call) -> Reply:
    """PDArray: the drives that can become a dedicated spare of this volume now.

    Raises:
        Rejected: VolumeNotFound.
    """
    volume = call.body[TARGET]
    device = controller(call, _place_of(call, TARGET, volume, VOLUME))
    wishes = {drive: {OPERATIONS: [["AssignSpare", drive, {"Volumes": [volume]}]]} for drive in device.model.drives}
    found = [drive for drive, wish in wishes.items() if _is_possible(partial(device.plan, wish))]
    return _answer(call, {"PDArray": found})


def check_vd_values(call: Call) -> Reply:
    """VDPropNameArray and VDPropValueArray: what a volume with these values would be, without making it.

    RAIDLevel decides, with Size (in MB; without it as large as can be) and SpanDepth or SpanLength; the others are
    answered as they would come out.

    Raises:
        Rejected: what making the volume would be refused for; ActionParameterMissing without RAIDLevel,
            ActionParameterValueFormatError for values that are no numbers or do not pair with the names.
    """
    place = _raid_place(call)
    device = controller(call, place)
    drives = call.body["PDArray"]
    made = device.after({OPERATIONS: [["CreateVolume", "", _volume_asked_for(call.body, len(drives))]]})
    volume = next(volume for volume_id, volume in made.volumes.items() if volume_id not in device.layout.volumes)
    block = place.model.drives[volume.drives[0]].block_size or BLOCK_BYTES
    values = {
        "SizeInBytes": volume.capacity,
        "RAIDLevel": volume.level,
        "SpanDepth": volume.spans,
        "SpanLength": len(volume.drives) // volume.spans,
        "StartingLBA": volume.start // block,
        "T10PIStatus": "Disabled",
    }
    return _answer(
        call, {"VDPropNameArray": list(values), "VDPropValueArray": [str(value) for value in values.values()]}
    )


def _volume_asked_for(body: Mapping[str, Any], drives: int) -> Document:
    names, values = body["VDPropNameArrayIn"], body["VDPropValueArrayIn"]
    if len(names) != len(values):
        raise _malformed(", ".join(values))
    asked = dict(zip(names, values, strict=True))
    if "RAIDLevel" not in asked:
        raise Rejected(
            Message("ActionParameterMissing", (f"{SCHEMA}.CheckVDValues", "RAIDLevel"), ("VDPropNameArrayIn",))
        )
    found: Document = {"RAIDType": asked["RAIDLevel"], "Drives": list(body["PDArray"])}
    if "Size" in asked:
        found["CapacityBytes"] = _positive(asked["Size"]) * MIB
    if "SpanDepth" in asked:
        found["MediaSpanCount"] = _positive(asked["SpanDepth"])
    elif "SpanLength" in asked:
        found["MediaSpanCount"] = max(1, drives // _positive(asked["SpanLength"]))
    return found


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise _malformed(text)
    return int(text)


def _malformed(text: str) -> Rejected:
    name = "VDPropValueArrayIn"
    return Rejected(Message("ActionParameterValueFormatError", (text[:50], name, f"{SCHEMA}.CheckVDValues"), (name,)))


def _raid_place(call: Call) -> StoragePlace:
    place = _place_of(call, TARGET, call.body[TARGET], CONTROLLER)
    require_levels(place.model, call.body[TARGET])
    return place


def _filtered(call: Call, drives: list[Drive]) -> list[Drive]:
    return [drive for drive in drives if all(_matches(call, drive))]


def _matches(call: Call, drive: Drive) -> Iterator[bool]:
    """Whether a drive is of the kind asked for, in each respect."""
    document, body = call.base(drive.uri), call.body
    physical = part(of_vendor(document), "DellPhysicalDisk")
    is_m2 = str(document.get("DriveFormFactor") or "").startswith("M2")
    has_pi = physical.get("T10PICapability") not in (None, "NotSupported")
    yield body.get("DiskType", ALL) in (ALL, drive.media)
    yield body.get("Diskprotocol", ALL_PROTOCOLS) in (ALL_PROTOCOLS, PROTOCOLS.get(drive.protocol, drive.protocol))
    yield body.get("DiskEncrypt", ALL) in (ALL, "FDE" if drive.securable else "NonFDE")
    yield body.get("FormFactor", ALL) == ALL or is_m2
    yield body.get("BlockSizeInBytes", ALL) in (ALL, str(drive.block_size or BLOCK_BYTES))
    yield body.get("T10PIStatus", ALL) in (ALL, "T10PICapable" if has_pi else "T10PIIncapable")


def _is_possible(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Rejected:
        return False
    return True


def _answer(call: Call, found: Document) -> Reply:
    return Reply(200, {"@Message.ExtendedInfo": success_messages(call, "OperationDone"), **found})


CONFIGURE, LOGIN = "ConfigureComponents", "Login"
ACTIONS: Mapping[str, tuple[Callable[[Call], Reply], str]] = {
    **{name: (partial(run, action), CONFIGURE) for name, action in JOB_ACTIONS.items()},
    "SetBootVD": (set_boot_vd, CONFIGURE),
    "SetAssetName": (set_asset_name, CONFIGURE),
    "BlinkTarget": (partial(blink, on=True), CONFIGURE),
    "UnBlinkTarget": (partial(blink, on=False), CONFIGURE),
    "CheckVDValues": (check_vd_values, LOGIN),
    "GetAvailableDisks": (get_available_disks, LOGIN),
    "GetRAIDLevels": (get_raid_levels, LOGIN),
    "GetDHSDisks": (get_dhs_disks, LOGIN),
}
"""All of them, with what the caller's role must allow."""
