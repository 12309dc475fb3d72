"""Manager: the controller's own time."""

from __future__ import annotations

from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Resource


def resources(site: Site) -> list[Resource]:
    """Each manager."""
    return [Resource(uri, get=manager, timeless=False) for uri in site.managers]


def manager(call: Call) -> Document:
    """The manager, with the machine's virtual time as its clock."""
    now = call.time(call.machine.moment)
    return call.extended("Manager", {**call.base(), "DateTime": now, "DateTimeLocalOffset": now[-6:]})
