"""Drive: what has become of it, what it is used for, and what is done to it (DSP8010)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from emulator.core.message import Message, Rejected
from emulator.devices.raid.layout import Condition, Disk, Layout, health_of, state_of
from emulator.mockup.site import Site
from emulator.mockup.storage import StoragePlace
from emulator.redfish.settings_resource import PREFERRED_APPLY_TIME
from emulator.redfish.storage_operation import (
    SUPPORT,
    Operation,
    layout,
    operate,
    operate_now,
    operation_support,
    pending_layout,
    percent,
    stage,
)
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, link, succeeded
from emulator.redfish.views.software_inventory import with_version

SPARE_TYPES = ("None", "Global")
"""HotspareType that a drive can be given; a dedicated spare is named by its volume."""
LIGHTS = {"Lit": True, "Blinking": True, "Off": False}
"""IndicatorLED, which services had before LocationIndicatorActive."""
STATES: Mapping[Condition, str] = {
    Condition.PRESENT: "Enabled",
    Condition.FAILED: "UnavailableOffline",
    Condition.REMOVED: "Absent",
}
OPERATION_NAMES: Mapping[str, str] = {"Rebuild": "Rebuild", "Sanitize": "Sanitize", "Replicate": "Replace"}


def resources(site: Site) -> list[Resource]:
    """Every drive of a controller that lives, wherever it is shown; for clients of lifecycle controllers below
    Storage/Drives too.
    """
    found: list[Resource] = []
    for place in site.storages:
        for drive_id in place.drive_uris:
            for uri in place.uris_of_drive(drive_id):
                found += _resources_of(place, drive_id, uri)
    return found


def _resources_of(place: StoragePlace, drive_id: str, uri: str) -> list[Resource]:
    patch = Verb(partial(patch_drive, place, drive_id), "ConfigureComponents", "Drive.patch")
    staged = Verb(partial(patch_settings, place, drive_id), "ConfigureComponents", "Drive.Settings.patch")
    erase = Verb(
        partial(secure_erase, place, drive_id), "ConfigureComponents", "Drive.SecureErase", action="Drive.SecureErase"
    )
    return [
        Resource(uri, get=partial(drive, place, drive_id), verbs={"PATCH": patch}),
        Resource(f"{uri}/Settings", get=partial(settings, place, drive_id), verbs={"PATCH": staged}),
        Resource(f"{uri}/Actions/Drive.SecureErase", verbs={"POST": erase}),
    ]


def drive(place: StoragePlace, drive_id: str, call: Call) -> Document:
    """One drive as it is."""
    now, uri = layout(call, place), place.model.drives[drive_id].uri
    delivered = with_version(call, uri, call.base(uri), "Revision")
    disk, before = now.disks[drive_id], place.model.delivered
    volumes = [place.volume_uri(volume.id) for volume in now.volumes_on(drive_id)]
    document: Document = {
        **delivered,
        "Status": _status(now, drive_id),
        "HotspareType": _spare_type(disk),
        "FailurePredicted": disk.predicted,
        "Operations": _operations(call, now, drive_id),
        "Links": {
            **_without_volumes(delivered.get("Links")),
            "Volumes@odata.count": len(volumes),
            "Volumes": [link(volume) for volume in volumes],
        },
        "Actions": {**(delivered.get("Actions") or {}), **_actions(place, uri, drive_id)},
    }
    if disk.is_lit != before.disks[drive_id].is_lit:
        document["LocationIndicatorActive"] = disk.is_lit
        if "IndicatorLED" in delivered:
            document["IndicatorLED"] = "Lit" if disk.is_lit else "Off"
    if _encryption(now, drive_id) != _encryption(before, drive_id):
        document["EncryptionStatus"] = _encryption(now, drive_id)
    if disk.generation:
        document |= _other_identity(delivered, f"{call.machine.id}/{place.device_id}/{drive_id}/{disk.generation}")
    return call.extended("Drive", document)


def settings(place: StoragePlace, drive_id: str, call: Call) -> Document:
    """What will be when everything pending is done: of what can be set."""
    after = pending_layout(call, place) or layout(call, place)
    delivered = call.base(place.model.drives[drive_id].uri)
    return {
        "@odata.id": f"{place.model.drives[drive_id].uri}/Settings",
        "@odata.type": delivered.get("@odata.type", "#Drive.v1_22_0.Drive"),
        "Id": "Settings",
        "Name": delivered.get("Name", drive_id),
        "HotspareType": _spare_type(after.disks[drive_id]),
        "@Redfish.SettingsApplyTime": PREFERRED_APPLY_TIME,
    }


def patch_drive(place: StoragePlace, drive_id: str, call: Call) -> Reply:
    """The light is switched at once; HotspareType is a job's work: 202."""
    operation = _spare_change(layout(call, place), drive_id, call)
    lit = call.body.get("LocationIndicatorActive")
    if lit is None and "IndicatorLED" in call.body:
        lit = LIGHTS[call.body["IndicatorLED"]]
    if lit is None and operation is None:
        raise Rejected(Message("NoOperation"))
    reply = operate(call, place, operation) if operation is not None else None
    if lit is not None:
        operate_now(call, place, ("SetLocationIndicator", drive_id, {"LocationIndicatorActive": lit}))
    return reply or succeeded(call, "OperationDone")


def patch_settings(place: StoragePlace, drive_id: str, call: Call) -> Reply:
    """HotspareType, staged."""
    operation = _spare_change(pending_layout(call, place) or layout(call, place), drive_id, call)
    return stage(call, place, {}, [operation] if operation else [], partial(settings, place, drive_id))


def secure_erase(place: StoragePlace, drive_id: str, call: Call) -> Reply:
    """Drive.SecureErase: 202 with its job."""
    given = {name: call.body[name] for name in ("SanitizationType",) if name in call.body}
    return operate(call, place, ("SecureErase", drive_id, given))


def _spare_change(before: Layout, drive_id: str, call: Call) -> Operation | None:
    """The operation that a HotspareType comes to; None where it is what it was."""
    wanted = call.body.get("HotspareType")
    if wanted is None or wanted == _spare_type(before.disks[drive_id]):
        return None
    return ("AssignSpare" if wanted == "Global" else "UnassignSpare"), drive_id, {}


def _status(now: Layout, drive_id: str) -> Document:
    disk = now.disks[drive_id]
    state, health = STATES[disk.condition], health_of(now, drive_id)
    what = state_of(now, drive_id)
    if what == "Offline":
        state = "StandbyOffline"
    elif what == "Spare":
        state = "StandbySpare"
    return {"State": state, "Health": health, "HealthRollup": health}


def _spare_type(disk: Disk) -> str:
    if disk.spare_for:
        return "Dedicated"
    return "Global" if disk.is_global_spare else "None"


def _operations(call: Call, now: Layout, drive_id: str) -> list[Document]:
    running = [work for work in now.works if drive_id in (work.subject, work.drive)]
    return [
        {
            "OperationName": OPERATION_NAMES[work.operation],
            "Operation": work.operation,
            "PercentageComplete": percent(call, work),
        }
        for work in running
    ]


def _actions(place: StoragePlace, uri: str, drive_id: str) -> Document:
    return {
        "#Drive.SecureErase": {
            "target": f"{uri}/Actions/Drive.SecureErase",
            "SanitizationType@Redfish.AllowableValues": list(place.model.drives[drive_id].erasures),
            SUPPORT: operation_support(place),
        }
    }


def _encryption(now: Layout, drive_id: str) -> str:
    """EncryptionStatus, by the volumes that are secured."""
    disk = now.disks[drive_id]
    if disk.is_foreign and any(volume.is_encrypted for volume in disk.carries):
        return "Foreign"
    secured = any(volume.is_encrypted for volume in now.volumes_on(drive_id))
    return "Unlocked" if secured else "Unencrypted"


def _without_volumes(links: Any) -> dict[str, Any]:
    found = links if isinstance(links, dict) else {}
    return {name: value for name, value in found.items() if not name.startswith("Volumes")}


def _other_identity(delivered: Document, seed: str) -> Document:
    """What tells a drive that has taken another one's place from that one."""
    digits = hashlib.sha256(seed.encode()).hexdigest().upper()
    names = [
        {**known, "DurableName": f"5{digits[12:27]}"} if known.get("DurableNameFormat") == "NAA" else known
        for known in delivered.get("Identifiers") or ()
    ]
    return {"SerialNumber": digits[:12], **({"Identifiers": names} if names else {})}
