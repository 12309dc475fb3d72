"""The limit of a chassis's power, as the resources that show it read and set it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.core.device import shown
from emulator.core.message import Message, Rejected
from emulator.core.power_limit import PowerLimit
from emulator.mockup.power_limits import DISABLED, LimitPlace
from emulator.redfish.boot_order import refuse_others
from emulator.redfish.view import Call, Document

SET_POINT, MODE, AUTOMATIC = "SetPoint", "ControlMode", "Automatic"
CONTROLLED = frozenset({SET_POINT, MODE})
"""What a Control, and an excerpt of one, let a client set."""


def limit_now(call: Call, place: LimitPlace) -> PowerLimit:
    """The limit as somebody has set it, or as delivered."""
    return call.machine.set_up.power_limits.get(place.chassis, place.delivered)


def with_limit(call: Call, place: LimitPlace, control: Document) -> Document:
    """A Control, or an excerpt of it, with the limit as it is."""
    limit, mode = limit_now(call, place), control.get(MODE, AUTOMATIC)
    own = AUTOMATIC if mode == DISABLED else mode
    now = {SET_POINT: limit.watts, MODE: own if limit.is_enabled else DISABLED}
    return {**control, **{name: value for name, value in now.items() if name in control}}


def set_control(call: Call, place: LimitPlace, control: Document, given: Mapping[str, Any], folder: str) -> None:
    """Set the limit as a Control is set; `folder` is where in the body it stands ("PowerLimitWatts/").

    A set point alone puts the limit in force.

    Raises:
        Rejected: PropertyNotWritable, PropertyUnknown, NoOperation, PropertyValueOutOfRange; PropertyMissing where a
            limit is to be in force and none was ever set.
    """
    refuse_others(control, given, CONTROLLED & control.keys(), folder)
    if CONTROLLED.isdisjoint(given):
        raise Rejected(Message("NoOperation"))
    watts = given.get(SET_POINT, limit_now(call, place).watts)
    enabled = given.get(MODE, AUTOMATIC) != DISABLED
    if watts is None and enabled:
        raise Rejected(Message("PropertyMissing", (folder + SET_POINT,), (folder + SET_POINT,)))
    set_limit(call, place, PowerLimit(watts, enabled), folder + SET_POINT)


def set_limit(call: Call, place: LimitPlace, limit: PowerLimit, path: str) -> None:
    """Set the limit; `path` is where in the body it stands.

    Raises:
        Rejected: PropertyValueOutOfRange.
    """
    watts = limit.watts
    if watts is not None and (watts < place.lower or (place.upper is not None and watts > place.upper)):
        raise Rejected(Message("PropertyValueOutOfRange", (shown(watts), path), (path,)))
    call.machine.set_up.limit_power(place.chassis, limit)
