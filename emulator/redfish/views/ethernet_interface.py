"""EthernetInterface of the host: address, frame size and VLAN of the function that carries it, the link of its port,
the host's name.
"""

from __future__ import annotations

from functools import partial

from emulator.devices.adapter import DEVICE_ENABLED
from emulator.devices.network_function import with_values
from emulator.mockup.adapters import PortPlace
from emulator.mockup.network import NicPlace
from emulator.mockup.site import Site
from emulator.redfish.link import LINK_STATUS, changed_link, speed_shown, with_state
from emulator.redfish.view import Call, Document, Resource
from emulator.redfish.views.network_device_function import values_in_force

FOLDER = "Ethernet/"


def resources(site: Site) -> list[Resource]:
    """Each interface that a living function or a port carries."""
    nics = {uri: place for place in reversed(site.nics) for uri in place.interfaces}
    ports = {uri: place for place in reversed(site.ports) for uri in place.interfaces}
    return [
        Resource(uri, get=partial(ethernet_interface, nics.get(uri), ports.get(uri)))
        for uri in dict.fromkeys((*nics, *ports))
    ]


def ethernet_interface(nic: NicPlace | None, port: PortPlace | None, call: Call) -> Document:
    """As delivered but for what was applied and what has befallen the port.

    EthernetInterface calls what was applied as NetworkDeviceFunction's Ethernet does.
    """
    applied = values_in_force(nic, call) if nic is not None else {}
    ethernet = {path.removeprefix(FOLDER): value for path, value in applied.items() if path.startswith(FOLDER)}
    document = _with_host_name(with_values(call.base(), ethernet), call)
    is_on = applied.get(DEVICE_ENABLED)
    if isinstance(is_on, bool):
        switch = {"InterfaceEnabled": is_on} if "InterfaceEnabled" in document else {}
        document = with_state({**document, **switch}, is_on=is_on)
    return _with_link(document, port, call, is_off=is_on is False)


def _with_host_name(document: Document, call: Call) -> Document:
    """The host has one name, which the ComputerSystem may have been given anew; its domain stays."""
    name = call.machine.system.properties.get("HostName")
    if not isinstance(name, str) or not call.uri.startswith(f"{call.site.systems[0]}/"):
        return document
    domain = str(document.get("FQDN") or "").partition(".")[2]
    names = {"HostName": name, "FQDN": f"{name}.{domain}" if domain else name}
    return {**document, **{key: value for key, value in names.items() if key in document}}


def _with_link(document: Document, port: PortPlace | None, call: Call, *, is_off: bool) -> Document:
    """A function that is disabled has no link, though its port may have one for another."""
    link = changed_link(call, port) if port is not None else None
    was_up = document.get("LinkStatus") == "LinkUp"
    if is_off:
        shown = {"LinkStatus": "LinkDown", "SpeedMbps": None if was_up else document.get("SpeedMbps")}
    elif link is not None:
        speed = speed_shown(document, "SpeedMbps", link, was_up=was_up)
        shown = {"LinkStatus": LINK_STATUS[link.condition], "SpeedMbps": speed}
    else:
        return document
    return {**document, **{name: value for name, value in shown.items() if name in document}}
