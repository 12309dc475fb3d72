"""EthernetInterface of a manager: how the controller is reached, and called. What is set is in force at once.

It is what a client reads and sets; the socket on which this program listens does not move.
"""

from __future__ import annotations

from functools import partial

from emulator.devices.management_interface import changed, in_force
from emulator.mockup.management import InterfacePlace
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, patched


def resources(site: Site) -> list[Resource]:
    """Each of them, and its settings resource where it names one."""
    found = []
    for place in site.interfaces:
        patch = Verb(partial(patch_interface, place), "ConfigureManager", "Manager.EthernetInterface.patch")
        uris = (place.uri, place.settings_uri) if place.settings_uri in site.tree.documents else (place.uri,)
        found += [Resource(uri, get=partial(interface, place), verbs={"PATCH": patch}) for uri in uris]
    return found


def interface(place: InterfacePlace, call: Call) -> Document:
    """As delivered but for what somebody has set. A settings resource shows the same: nothing waits there."""
    return in_force(call.base(), call.machine.set_up.interfaces.get(place.uri, {}))


def patch_interface(place: InterfacePlace, call: Call) -> Reply:
    """Set what is given, all or nothing."""
    settings = changed(call.base(place.uri), call.machine.set_up.interfaces.get(place.uri, {}), call.body)
    call.machine.set_up.change_interface(place.uri, settings)
    return patched(call, partial(interface, place))
