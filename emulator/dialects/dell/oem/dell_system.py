"""DellSystem, a part of the ComputerSystem: whether the power of its chassis is limited."""

from __future__ import annotations

from emulator.mockup.documents import object_at
from emulator.mockup.reader import links
from emulator.redfish.power_limits import limit_now
from emulator.redfish.readings import changed
from emulator.redfish.view import Call, Document

CAP = "PowerCapEnabledState"
PATH = ("Oem", "Dell", "DellSystem")


def extend_computer_system(call: Call, document: Document) -> Document:
    """With the limit as it is now, where the system tells of it."""
    if CAP not in object_at(document, *PATH):
        return document
    chassis = links(object_at(document, "Links").get("Chassis"))
    place = next((place for place in call.site.power_limits if place.chassis in chassis), None)
    if place is None or call.uri != call.site.systems[0]:
        return document
    state = "Enabled" if limit_now(call, place).is_enabled else "Disabled"
    return dict(changed(document, PATH, lambda system: {**system, CAP: state}))
