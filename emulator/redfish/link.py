"""How resources tell of a port's link: each in the words of its schema, all of the same fact.

As long as a link is as delivered, the mockup's own documents tell of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from emulator.devices.adapter import NetworkAdapter
from emulator.devices.nic import Condition, Link
from emulator.mockup.adapters import PortPlace
from emulator.redfish.view import Call, Document

LINK_STATUS: Mapping[Condition, str] = {
    Condition.UP: "LinkUp",
    Condition.DOWN: "LinkDown",
    Condition.NO_CABLE: "NoLink",
    Condition.DISABLED: "LinkDown",
}
"""What Port and EthernetInterface call it."""
DISABLED = "Disabled"


def adapter_of(call: Call, place: PortPlace) -> NetworkAdapter:
    """The device that a port belongs to."""
    found = call.machine.devices[place.adapter_id]
    assert isinstance(found, NetworkAdapter), "the site has found it as one"
    return found


def changed_link(call: Call, place: PortPlace) -> Link | None:
    """A port's link; None while it is as delivered."""
    return adapter_of(call, place).changed_link(place.id)


def speed_shown(document: Document, name: str, link: Link, *, was_up: bool, unit: int = 1) -> float | int | None:
    """A link's speed as a document shows it under this name, in units of so many megabits per second.

    Without a link some show null and others 0: a document that was delivered without one tells which.
    """
    if not link.is_up:
        shown: float | int | None = None if was_up else document.get(name)
        return shown
    if link.mbps is None or link.mbps % unit:
        return link.mbps and link.mbps / unit
    return link.mbps // unit


def with_state(document: Document, *, is_on: bool) -> Document:
    """The document with the State of what is on or off; what is on keeps the one delivered, unless that is off."""
    status = document.get("Status")
    if not isinstance(status, dict) or "State" not in status:
        return document
    if is_on and status["State"] != DISABLED:
        return document
    return {**document, "Status": {**status, "State": "Enabled" if is_on else DISABLED}}
