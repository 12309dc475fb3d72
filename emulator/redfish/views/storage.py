"""Storage and StorageController: a controller's health, its settings, and how it is told what to do (DSP8010)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from emulator.core.device import OPERATIONS, Attribute, Value, faults_of
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.devices.raid.layout import CONTROLLER_MODE, OF_ENCLOSURE, VOLUME_HEALTH, Layout
from emulator.mockup.documents import object_at
from emulator.mockup.reader import SETTINGS
from emulator.mockup.site import Site
from emulator.mockup.storage import StoragePlace
from emulator.redfish.settings_resource import PREFERRED_APPLY_TIME, settings_annotation
from emulator.redfish.storage_operation import (
    SUPPORT,
    Operation,
    controller,
    drive_health,
    layout,
    operate,
    operation_support,
    settings_apply_times,
    stage,
    unknown,
    worst,
)
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, link
from emulator.redfish.views.software_inventory import with_version

RATES: Mapping[str, str] = {
    "RebuildRatePercent": "RebuildRatePercent",
    "ConsistencyCheckRatePercent": "ConsistencyCheckRatePercent",
    "TransformationRatePercent": "ReconstructRatePercent",
}
"""ControllerRates, and the attributes behind them."""
VENDOR = "Oem/Dell/DellStorageController"
"""Where a lifecycle controller has the controller's other attributes."""
SET_ENCRYPTION_KEY = "Storage.SetEncryptionKey"


def resources(site: Site) -> list[Resource]:
    """Each controller that lives, and its settings."""
    found: list[Resource] = []
    for place in site.storages:
        reset = Verb(
            partial(reset_to_defaults, place),
            "ConfigureComponents",
            "Storage.ResetToDefaults",
            action="Storage.ResetToDefaults",
        )
        found.append(Resource(place.uri, get=partial(storage, place)))
        if place.model.levels:
            found.append(Resource(f"{place.uri}/Actions/Storage.ResetToDefaults", verbs={"POST": reset}))
        if place.model.is_securable:
            found.append(_key_resource(place))
        for uri in place.controllers:
            patch = Verb(partial(patch_controller, place), "ConfigureComponents", "StorageController.patch")
            staged = Verb(
                partial(patch_settings, place, uri), "ConfigureComponents", "StorageController.Settings.patch"
            )
            found.append(Resource(uri, get=partial(storage_controller, place, uri), verbs={"PATCH": patch}))
            found.append(Resource(f"{uri}/Settings", get=partial(settings, place, uri), verbs={"PATCH": staged}))
    return found


def _key_resource(place: StoragePlace) -> Resource:
    handler = partial(set_encryption_key, place)
    verb = Verb(handler, "ConfigureComponents", SET_ENCRYPTION_KEY, action=SET_ENCRYPTION_KEY)
    return Resource(f"{place.uri}/Actions/{SET_ENCRYPTION_KEY}", verbs={"POST": verb})


# -- reading ----------------------------------------------------------------------------------------------------------


def storage(place: StoragePlace, call: Call) -> Document:
    """The controller with its drives and volumes: its HealthRollup is that of the worst of them."""
    document = call.base(place.uri)
    now = layout(call, place)
    document["Status"] = {**object_at(document, "Status"), "HealthRollup": rollup(now)}
    document["Volumes"] = link(place.volumes_uri)
    entries = document.get("StorageControllers")
    if isinstance(entries, list) and len(entries) == 1 and isinstance(entries[0], dict) and place.model.levels:
        entry = with_version(call, place.controllers[0] if place.controllers else place.uri, entries[0])
        document["StorageControllers"] = [_with_rates(call, place, entry)]
    if place.model.levels:
        document["Actions"] = {
            **object_at(document, "Actions"),
            "#Storage.ResetToDefaults": {
                "target": f"{place.uri}/Actions/Storage.ResetToDefaults",
                "ResetType@Redfish.AllowableValues": ["ResetAll", "PreserveVolumes"],
                SUPPORT: operation_support(place),
            },
        }
    if place.model.is_securable:
        document["Actions"] = {
            **object_at(document, "Actions"),
            f"#{SET_ENCRYPTION_KEY}": {"target": f"{place.uri}/Actions/{SET_ENCRYPTION_KEY}"},
        }
    return call.extended("Storage", document)


def storage_controller(place: StoragePlace, uri: str, call: Call) -> Document:
    """The controller's own resource."""
    document = with_version(call, uri, call.base(uri))
    if place.model.levels:
        document = _with_rates(call, place, document)
        document[SETTINGS] = settings_annotation(
            call, place.device_id, f"{uri}/Settings", settings_apply_times(place), partial(_spelled, call)
        )
    return call.extended("StorageController", document)


def settings(place: StoragePlace, uri: str, call: Call) -> Document:
    """What is pending: only what was staged."""
    delivered, base = call.base(uri), call.base(f"{uri}/Settings")
    pending = {
        name: value for name, value in _pending(call, place).items() if name != OPERATIONS and OF_ENCLOSURE not in name
    }
    document: Document = {
        "@odata.type": delivered.get("@odata.type", "#StorageController.v1_11_0.StorageController"),
        "Id": "Settings",
        "Name": delivered.get("Name", place.device_id),
        **base,
        "@odata.id": f"{uri}/Settings",
        "ControllerRates": {mine: pending[theirs] for mine, theirs in RATES.items() if theirs in pending},
        "@Redfish.SettingsApplyTime": PREFERRED_APPLY_TIME,
    }
    if call.site.dialect == "dell":
        others = {name: value for name, value in pending.items() if name not in RATES.values()}
        document["Oem"] = {
            "Dell": {
                "@odata.type": "#DellOemStorageController.v1_0_0.DellOemStorageController",
                "DellStorageController": others,
            }
        }
    return call.extended("StorageController.Settings", document)


def rollup(now: Layout) -> str:
    """The health of the worst of a controller's drives and volumes."""
    volumes = (VOLUME_HEALTH[now.status(volume)] for volume in now.volumes.values())
    return worst("OK", *volumes, *(drive_health(now, drive) for drive in now.disks))


def _values(call: Call, place: StoragePlace) -> Mapping[str, Value]:
    return controller(call, place).read()


def _pending(call: Call, place: StoragePlace) -> Mapping[str, Value]:
    return call.machine.values_pending(place.device_id)


def _with_rates(call: Call, place: StoragePlace, document: Document) -> Document:
    """With the rates that it tells of, and those that are not as delivered, as they are now."""
    told, values, before = object_at(document, "ControllerRates"), _values(call, place), place.model.values
    rates = {
        mine: values[theirs]
        for mine, theirs in RATES.items()
        if theirs in values and (mine in told or values[theirs] != before[theirs])
    }
    return {**document, "ControllerRates": {**told, **rates}} if rates else document


# -- writing ----------------------------------------------------------------------------------------------------------


def patch_controller(place: StoragePlace, call: Call) -> Reply:
    """New values for its attributes, at once: 202 with the job that sets them."""
    change = _change(place, call)
    if not change:
        raise Rejected(Message("NoOperation"))
    try:
        return operate(call, place, attributes=change)
    except Rejected as refused:
        raise Rejected(*(_spelled(call, message) for message in refused.messages)) from refused


def patch_settings(place: StoragePlace, uri: str, call: Call) -> Reply:
    """The same, staged."""
    try:
        return stage(call, place, _change(place, call), [], partial(settings, place, uri))
    except Rejected as refused:
        raise Rejected(*(_spelled(call, message) for message in refused.messages)) from refused


def reset_to_defaults(place: StoragePlace, call: Call) -> Reply:
    """Storage.ResetToDefaults: ResetAll deletes the volumes and puts the attributes to what was delivered;
    PreserveVolumes leaves the volumes. The mode stays: it is never changed beside anything else (STOR300).
    """
    now, delivered = layout(call, place), place.model.values
    changed = {
        name: delivered[name]
        for name, value in _values(call, place).items()
        if value != delivered[name] and name != CONTROLLER_MODE
    }
    has_config = any(volume.level for volume in now.volumes.values()) or any(
        disk.is_spare for disk in now.disks.values()
    )
    reset: list[Operation] = [("ResetConfig", "", {})] if call.body["ResetType"] == "ResetAll" and has_config else []
    if not changed and not reset:
        raise Rejected(Message("NoOperation"))
    return operate(call, place, *reset, attributes=changed)


def set_encryption_key(place: StoragePlace, call: Call) -> Reply:
    """Storage.SetEncryptionKey: the controller's first key; or another one, given the CurrentEncryptionKey."""
    key, current = call.body["EncryptionKey"], call.body.get("CurrentEncryptionKey")
    name = {"Keyid": call.body["EncryptionKeyIdentifier"]} if "EncryptionKeyIdentifier" in call.body else {}
    if not layout(call, place).has_key():
        return operate(call, place, ("SetControllerKey", "", {"Keyid": "", **name, "Key": key}))
    if current is None:
        parameter = "CurrentEncryptionKey"
        raise Rejected(Message("ActionParameterMissing", (SET_ENCRYPTION_KEY, parameter), (parameter,)))
    return operate(call, place, ("ReKey", "", {**name, "OldKey": current, "NewKey": key}))


def _change(place: StoragePlace, call: Call) -> dict[str, Any]:
    """The attributes that a body sets, by their own names.

    Raises:
        Rejected: what is wrong with each, in the names of the body.
    """
    attributes = place.model.attributes
    oem, own = object_at(call.body, "Oem"), object_at(call.body, "Oem", "Dell")
    reject_if_any(unknown("Oem", oem, ("Dell",) if call.site.dialect == "dell" else ()))
    reject_if_any(unknown("Oem/Dell", own, ("DellStorageController",)))
    given = list(_leaves(call))
    reject_if_any(message for path, name, value in given for message in _faults(attributes, path, name, value))
    return {name: value for _, name, value in given}


def _leaves(call: Call) -> Iterator[tuple[str, str, Any]]:
    """(path in the body, attribute, value) of each property; what has no attribute behind it has its path as one."""
    for name, value in object_at(call.body, "ControllerRates").items():
        yield f"ControllerRates/{name}", RATES.get(name, f"ControllerRates/{name}"), value
    vendor = object_at(call.body, "Oem", "Dell", "DellStorageController")
    for name, value in vendor.items():
        if "@" not in name:
            yield f"{VENDOR}/{name}", name, value


def _faults(attributes: Mapping[str, Attribute], path: str, name: str, value: Any) -> Iterator[Message]:
    attribute = attributes.get(name)
    if attribute is None or name == OPERATIONS or OF_ENCLOSURE in name:
        yield Message("PropertyUnknown", (path,), (path,))
        return
    for message in faults_of(attributes, name, value):
        args = tuple(path if arg == name else arg for arg in message.args)
        yield replace(message, args=args, related=(path,))


def _spelled(call: Call, message: Message) -> Message:
    """A message about attributes, where the resource has no Attributes."""
    names = [path.removeprefix("Attributes/") for path in message.related]
    by_attribute = {theirs: f"ControllerRates/{mine}" for mine, theirs in RATES.items()}
    related = tuple(
        by_attribute.get(name, f"{VENDOR}/{name}" if call.site.dialect == "dell" else name) for name in names
    )
    return replace(message, related=related)
