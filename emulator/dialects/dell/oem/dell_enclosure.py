"""Storage enclosures of a lifecycle controller: a Chassis with drives, and what can be set of it.

What is set is an attribute of the storage controller behind it, staged and applied by its jobs. The configuration mode
of a backplane is kept and shown; no drive changes its controller by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from emulator.core.message import Message, Rejected
from emulator.dialects.dell.oem.oem_part import of_vendor, part, with_oem
from emulator.mockup.reader import SETTINGS
from emulator.mockup.site import Site
from emulator.mockup.storage import ENCLOSURE_ATTRIBUTES, Enclosure, StoragePlace
from emulator.redfish.settings_resource import PREFERRED_APPLY_TIME, settings_annotation
from emulator.redfish.storage_operation import controller, settings_apply_times, stage
from emulator.redfish.view import Call, Document, Reply, Resource, Verb

TYPE = "#DellOemEnclosureChassis.v1_0_0.DellOemEnclosureChassis"
NAME = "DellChassisEnclosure"


def resources(site: Site) -> list[Resource]:
    """The settings of each enclosure."""
    found = []
    for place in site.storages:
        for enclosure in place.enclosures:
            handler = partial(patch_settings, place, enclosure)
            patch = Verb(handler, "ConfigureComponents", "DellEnclosure.Settings.patch")
            get = partial(settings, place, enclosure)
            found.append(Resource(f"{enclosure.uri}/Settings", get=get, verbs={"PATCH": patch}))
    return found


def extend_chassis(call: Call, document: Document) -> Document:
    """What is set of an enclosure, and where it is set."""
    for place in call.site.storages:
        enclosure = next((one for one in place.enclosures if one.uri == document["@odata.id"]), None)
        if enclosure is not None:
            told = with_oem(document, TYPE, NAME, _told(enclosure, controller(call, place).read()), {})
            uri, spelled = f"{enclosure.uri}/Settings", partial(_spelled, enclosure)
            times = settings_apply_times(place)
            return {**told, SETTINGS: settings_annotation(call, place.device_id, uri, times, spelled)}
    return document


def settings(place: StoragePlace, enclosure: Enclosure, call: Call) -> Document:
    """What is pending: only what was staged."""
    live = call.base(enclosure.uri)
    base = {
        "@odata.id": f"{enclosure.uri}/Settings",
        "@odata.type": live.get("@odata.type", "#Chassis.v1_28_0.Chassis"),
        "Id": "Settings",
        "Name": live.get("Name", enclosure.id),
        "ChassisType": live.get("ChassisType", "StorageEnclosure"),
        "@Redfish.SettingsApplyTime": PREFERRED_APPLY_TIME,
    }
    return with_oem(base, TYPE, NAME, _told(enclosure, call.machine.values_pending(place.device_id)), {})


def patch_settings(place: StoragePlace, enclosure: Enclosure, call: Call) -> Reply:
    """AssetName and RAIDEnclosureConfigMode, staged; with an apply time, 202 with the job that sets them."""
    given = part(of_vendor(dict(call.body)), NAME)
    change = {enclosure.attribute(name): value for name, value in given.items()}
    try:
        return stage(call, place, change, [], partial(settings, place, enclosure))
    except Rejected as refused:
        raise Rejected(*(_spelled(enclosure, message) for message in refused.messages)) from refused


def _told(enclosure: Enclosure, values: Mapping[str, Any]) -> Document:
    names = {name: enclosure.attribute(name) for name in ENCLOSURE_ATTRIBUTES}
    return {name: values[attribute] for name, attribute in names.items() if attribute in values}


def _spelled(enclosure: Enclosure, message: Message) -> Message:
    """A message about attributes, as one about properties of the enclosure."""
    prefix = enclosure.attribute("")
    related = tuple(path.replace(f"Attributes/{prefix}", f"Oem/Dell/{NAME}/") for path in message.related)
    return replace(message, args=tuple(arg.removeprefix(prefix) for arg in message.args), related=related)
