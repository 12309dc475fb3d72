"""NetworkDeviceFunction and its settings resource: a network adapter's attributes as DMTF's properties.

What is read and staged here is the device's attributes (`devices/network_function.py`): the vendor's own resource,
where there is one, shows the same values, the same pending ones and the same job under other names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from emulator.core.device import Value, faults_of, shown
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.devices.adapter import DEVICE_ENABLED
from emulator.devices.network_function import changed_values, has_place, spelled, value_at, with_values
from emulator.mockup.network import NicPlace
from emulator.mockup.reader import SETTINGS
from emulator.mockup.site import Site
from emulator.redfish.apply_time import SETTINGS_APPLY_TIME
from emulator.redfish.link import with_state
from emulator.redfish.settings_resource import PREFERRED_APPLY_TIME, settings_annotation, stage
from emulator.redfish.view import Call, Document, Reply, Resource, Verb

VLAN = "Ethernet/VLAN/"


def resources(site: Site) -> list[Resource]:
    """Each function that lives and has properties that can be set, and its settings wherever they are looked for."""
    found = []
    for place in site.nics:
        if not place.properties:
            continue
        found.append(Resource(place.uri, get=partial(network_device_function, place)))
        patch = Verb(partial(patch_settings, place), "ConfigureComponents", "Settings.patch")
        for uri in place.settings_uris:
            found.append(Resource(uri, get=partial(settings, place), verbs={"PATCH": patch}))
    return found


def network_device_function(place: NicPlace, call: Call) -> Document:
    """The values in force, and how the last application of staged ones went."""
    values = values_in_force(place, call)
    document = with_values(call.base(place.uri), values)
    if isinstance(is_on := values.get(DEVICE_ENABLED), bool):
        document = with_state(document, is_on=is_on)
    document[SETTINGS] = settings_annotation(
        call, place.device_id, place.settings_uris[0], spelled=partial(spelled, place.properties)
    )
    return document


def values_in_force(place: NicPlace, call: Call, pending: Mapping[str, Value] | None = None) -> dict[str, Value]:
    """The properties, by path, that are not as delivered, or would not be if `pending` were in force.

    Of a VLAN all properties are told where one has changed: an EthernetInterface may have none as delivered.
    """
    values = {**place.model.values, **call.machine.devices[place.device_id].read(), **(pending or {})}
    changed = changed_values(place.properties, place.model.values, values.get)
    if any(path.startswith(VLAN) for path in changed):
        changed |= {path: one.told_by(values.get) for path, one in place.properties.items() if path.startswith(VLAN)}
    return changed


def settings(place: NicPlace, call: Call) -> Document:
    """What will be in force when everything pending is."""
    live = call.base(place.uri)
    base = {
        name: value for name, value in call.base(place.settings_uris[0]).items() if not name.startswith("@Redfish.")
    }
    folders = dict.fromkeys(path.rpartition("/")[0].rpartition("/")[0] for path in place.properties)
    future = {path: value_at(live, path) for path in folders if isinstance(value_at(live, path), list)}
    future |= {path: value_at(live, path) for path in place.properties}
    future |= values_in_force(place, call, call.machine.values_pending(place.device_id))
    document = {
        "@odata.type": live.get("@odata.type", "#NetworkDeviceFunction.v1_11_1.NetworkDeviceFunction"),
        "Id": "Settings",
        "Name": "Network Device Function Pending Settings",
        **base,
        "@odata.id": place.settings_uris[0],
        SETTINGS_APPLY_TIME: PREFERRED_APPLY_TIME,
    }
    return with_values(document, future)


def patch_settings(place: NicPlace, call: Call) -> Reply:
    """Stage values, all or none; what is wrong is told of the properties, whatever the attributes are called."""
    given = dict(_leaves(place, call.base(place.uri), call.body))
    reject_if_any(message for path, value in given.items() for message in _faults(place, call, path, value))
    change: dict[str, Value] = {}
    for path, value in given.items():
        found = place.properties[path]
        theirs = found.as_attributes("" if value is None else value)
        if theirs is None:
            raise Rejected(Message("PropertyValueNotInList", (shown(value), path), (path,)))
        change |= theirs
    try:
        return stage(call, place.device_id, change, partial(settings, place))
    except Rejected as refused:
        raise Rejected(*_once(spelled(place.properties, message, given) for message in refused.messages)) from refused


# -- what a request says ----------------------------------------------------------------------------------------------


def _leaves(
    place: NicPlace, document: Document, body: Mapping[str, Any], folder: str = ""
) -> Iterator[tuple[str, Any]]:
    """The properties of a body, by path, annotations left out. An object is one only where the resource has an object:
    anywhere else it is a value.
    """
    for name, value in body.items():
        if "@" in name:
            continue
        path = folder + name.replace("/", "~1")  # as JSON pointers spell it: such a name is no path
        if isinstance(value, dict) and _is_object(place, document, path):
            yield from _leaves(place, document, value, f"{path}/")
        elif isinstance(value, list) and isinstance(value_at(document, path), list):
            entries = {str(index): entry for index, entry in enumerate(value)}  # {} leaves one as it is (DSP0266)
            yield from _leaves(place, document, entries, f"{path}/")
        else:
            yield path, value


def _is_object(place: NicPlace, document: Document, path: str) -> bool:
    return isinstance(value_at(document, path), dict) or any(known.startswith(f"{path}/") for known in place.properties)


def _faults(place: NicPlace, call: Call, path: str, value: Any) -> Iterator[Message]:
    """What is wrong with a property by DMTF's schema, and by what this resource has of it."""
    found = place.properties.get(path)
    document = call.base(place.uri)
    if found is None and _is_object(place, document, path):
        yield Message("PropertyValueTypeError", (shown(value), path), (path,))
    elif found is None:
        key = "PropertyNotWritable" if has_place(document, path) else "PropertyUnknown"
        yield Message(key, (path[:200],), (path[:200],))
    elif value is None and found.attribute.type in ("String", "Password"):
        return  # null takes a text away
    else:
        name = found.attribute.name
        for message in faults_of({name: found.attribute}, name, value):
            yield replace(message, args=tuple(path if arg == name else arg for arg in message.args), related=(path,))


def _once(messages: Iterator[Message]) -> list[Message]:
    """Each once: two attributes behind one property say the same of it."""
    return list(dict.fromkeys(messages))
