"""The resource of a device whose attributes are its properties, and the settings resource below it."""

from __future__ import annotations

from functools import partial

from emulator.core.message import Rejected
from emulator.mockup.place import PropertyPlace
from emulator.mockup.reader import SETTINGS
from emulator.mockup.site import Site
from emulator.redfish.apply_time import SETTINGS_APPLY_TIME
from emulator.redfish.settings_resource import (
    PREFERRED_APPLY_TIME,
    attributes_in_force,
    pending_attributes,
    settings_annotation,
    stage,
)
from emulator.redfish.view import Call, Document, Reply, Resource, Verb


def property_resources(site: Site, kind: str) -> list[Resource]:
    """Of each device of a kind, all of whose places are PropertyPlaces: what is in force, and what is pending."""
    found = []
    for place in site.places[kind]:
        assert isinstance(place, PropertyPlace), "its finder says so"
        patch = Verb(partial(patch_settings, place), "ConfigureComponents", "Settings.patch")
        found.append(Resource(place.uri, get=partial(in_force, place)))
        found.append(Resource(place.settings_uri, get=partial(settings, place), verbs={"PATCH": patch}))
    return found


def in_force(place: PropertyPlace, call: Call) -> Document:
    """As delivered, with the values that the device has now, and how the last application of staged ones went."""
    annotation = settings_annotation(call, place.device_id, place.settings_uri, spelled=place.spelled)
    return {**call.base(place.uri), **attributes_in_force(call, place.device_id), SETTINGS: annotation}


def settings(place: PropertyPlace, call: Call) -> Document:
    """The values that were staged."""
    live = call.base(place.uri)
    return {
        "@odata.id": place.settings_uri,
        **{name: live[name] for name in ("@odata.type",) if name in live},
        "Id": "Settings",
        "Name": "Pending Settings",
        **call.base(place.settings_uri),
        **pending_attributes(call, place.device_id),
        SETTINGS_APPLY_TIME: PREFERRED_APPLY_TIME,
    }


def patch_settings(place: PropertyPlace, call: Call) -> Reply:
    """Stage values, all or none; annotations are none."""
    change = {name: value for name, value in call.body.items() if "@" not in name}
    try:
        return stage(call, place.device_id, change, partial(settings, place))
    except Rejected as refused:
        raise Rejected(*(place.spelled(message) for message in refused.messages)) from refused
