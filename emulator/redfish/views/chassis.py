"""Chassis: those that hold the host are on and off with it."""

from __future__ import annotations

from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Resource
from emulator.redfish.views.computer_system import power_state


def resources(site: Site) -> list[Resource]:
    """Each chassis with power from the host that tells of its power."""
    documents = site.tree.documents
    telling = [uri for uri in site.enclosures.of_host if isinstance(documents[uri].get("PowerState"), str)]
    return [Resource(uri, get=chassis, needs_ready=False) for uri in telling]


def chassis(call: Call) -> Document:
    """As delivered, with the host's power."""
    return {**call.base(), "PowerState": power_state(call.machine.host.phase)}
