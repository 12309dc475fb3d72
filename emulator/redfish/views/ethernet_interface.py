"""EthernetInterface of the host: the address, frame size and VLAN of the function that carries it."""

from __future__ import annotations

from functools import partial

from emulator.devices.network_function import with_values
from emulator.mockup.network import NicPlace
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Resource
from emulator.redfish.views.network_device_function import values_in_force

FOLDER = "Ethernet/"


def resources(site: Site) -> list[Resource]:
    """Each interface that a living function carries."""
    return [Resource(uri, get=partial(ethernet_interface, place)) for place in site.nics for uri in place.interfaces]


def ethernet_interface(place: NicPlace, call: Call) -> Document:
    """As delivered but for what was applied: EthernetInterface calls it what NetworkDeviceFunction's Ethernet does."""
    applied = {
        path.removeprefix(FOLDER): value
        for path, value in values_in_force(place, call).items()
        if path.startswith(FOLDER)
    }
    return with_values(call.base(), applied)
