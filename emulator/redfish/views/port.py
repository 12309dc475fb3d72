"""Port and NetworkPort of a network adapter: its link, and the switch of a Port.

The switch is the controller's own to turn: it needs no job and no restart.
"""

from __future__ import annotations

from functools import partial

from emulator.core.message import Message, Rejected
from emulator.devices.adapter import ENABLED
from emulator.devices.network_function import has_place, with_values
from emulator.mockup.adapters import SWITCHES, PortPlace
from emulator.mockup.site import Site
from emulator.redfish.boot_order import refuse_others
from emulator.redfish.link import LINK_STATUS, adapter_of, changed_link, speed_shown, with_state
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, succeeded

WAKE = "WakeOnLANEnabled"
SWITCH_WORDS = {"Enabled": True, "Disabled": False, True: True, False: False}
"""LinkState says in words what InterfaceEnabled says as a Boolean."""


def resources(site: Site) -> list[Resource]:
    """Each resource of each port; a Port that has a switch can be changed."""
    return [_resource(site, place, uri) for place in site.ports for uri in place.uris]


def _resource(site: Site, place: PortPlace, uri: str) -> Resource:
    document = site.tree.documents[uri]
    if str(document["@odata.type"]).startswith("#NetworkPort."):
        return Resource(uri, get=partial(network_port, place))
    patch = {"PATCH": Verb(partial(patch_port, place), "ConfigureComponents", "Port.patch")}
    has_switch = any(name in document for name in SWITCHES)
    return Resource(uri, get=partial(port, place), verbs=patch if has_switch else {})


def port(place: PortPlace, call: Call) -> Document:
    """As delivered but for its link, its switch, and whether it wakes the host."""
    document, link = _with_wake(call.base(), f"Ethernet/{WAKE}", place, call), changed_link(call, place)
    shown: Document = {}
    if link is not None:
        was_up = document.get("LinkStatus") == "LinkUp"
        shown["LinkStatus"] = LINK_STATUS[link.condition]
        shown["CurrentSpeedGbps"] = speed_shown(document, "CurrentSpeedGbps", link, was_up=was_up, unit=1000)
        shown["ActiveWidth"] = document.get("Width") if link.is_up else 0
    is_on = adapter_of(call, place).changed_switch(place.id)
    if is_on is None:
        return _laid_over(document, shown)
    shown |= {"InterfaceEnabled": is_on, "LinkState": "Enabled" if is_on else "Disabled"}
    return with_state(_laid_over(document, shown), is_on=is_on)


def network_port(place: PortPlace, call: Call) -> Document:
    """As delivered but for its link, and whether it wakes the host."""
    document, link = _with_wake(call.base(), WAKE, place, call), changed_link(call, place)
    if link is None:
        return document
    speed = speed_shown(document, "CurrentLinkSpeedMbps", link, was_up=document.get("LinkStatus") == "Up")
    return _laid_over(document, {"LinkStatus": "Up" if link.is_up else "Down", "CurrentLinkSpeedMbps": speed})


def patch_port(place: PortPlace, call: Call) -> Reply:
    """Switch the port on or off, at once.

    Raises:
        Rejected: PropertyUnknown or PropertyNotWritable for anything else, NoOperation where nothing was given,
            PropertyValueConflict where both of its switches were and disagree.
    """
    refuse_others(call.base(), call.body, frozenset(SWITCHES) & call.base().keys(), "")
    given = {name: SWITCH_WORDS[call.body[name]] for name in SWITCHES if name in call.body}
    if not given:
        raise Rejected(Message("NoOperation"))
    if len(set(given.values())) > 1:
        raise Rejected(Message("PropertyValueConflict", SWITCHES, SWITCHES))
    (wanted,) = set(given.values())
    call.machine.operate(place.adapter_id, {ENABLED.format(port=place.id): wanted})
    if call.dialect.names_success:
        return succeeded(call, "OperationDone")
    return Reply(200, port(place, call))


def _with_wake(document: Document, path: str, place: PortPlace, call: Call) -> Document:
    wakes = adapter_of(call, place).changed_wake_on_lan(place.id)
    return document if wakes is None or not has_place(document, path) else with_values(document, {path: wakes})


def _laid_over(document: Document, shown: Document) -> Document:
    """The document with these values, as far as it has such properties."""
    return {**document, **{name: value for name, value in shown.items() if name in document}}
