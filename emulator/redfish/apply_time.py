"""When something is to be applied: `@Redfish.SettingsApplyTime`, `@Redfish.OperationApplyTime`, maintenance windows.

DSP0266, "Settings resource" and "Operation apply time"; the time zone's rule is a lifecycle controller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.core.message import Message, Rejected
from emulator.core.window import DURATION, START, Window
from emulator.redfish.iso8601 import parse_moment
from emulator.redfish.view import Call

SETTINGS_APPLY_TIME = "@Redfish.SettingsApplyTime"
OPERATION_APPLY_TIME = "@Redfish.OperationApplyTime"
MAINTENANCE_WINDOW = "@Redfish.MaintenanceWindow"
IMMEDIATE = "Immediate"
AT_START, ON_RESET_IN_WINDOW = "AtMaintenanceWindowStart", "InMaintenanceWindowOnReset"
SETTINGS_APPLY_TIMES = ("OnReset", AT_START, ON_RESET_IN_WINDOW)
"""For what only the host's start applies: Immediate is not among them."""


def window_of(call: Call, apply_time: str, given: Mapping[str, Any], place: str) -> Window | None:
    """The window that an apply time needs; None for one that needs none.

    `given` holds MaintenanceWindowStartTime, a time with the controller's own offset, and
    MaintenanceWindowDurationInSeconds; `place` is where in the body it stands.

    Raises:
        Rejected: PropertyMissing where one of the two is not there, WindowTimeInvalid (SYS447) for a malformed time
            or another offset than the controller's.
    """
    if apply_time not in (AT_START, ON_RESET_IN_WINDOW):
        return None
    missing = [f"{place}/{name}" for name in (START, DURATION) if name not in given]
    if missing:
        raise Rejected(*(Message("PropertyMissing", (name.rpartition("/")[2],), (name,)) for name in missing))
    moment = window_start(call, given[START], f"{place}/{START}")
    return Window(moment, float(given[DURATION]), restarts=apply_time == AT_START)


def window_start(call: Call, text: str, place: str) -> float:
    """MaintenanceWindowStartTime as a moment.

    Raises:
        Rejected: WindowTimeInvalid.
    """
    try:
        moment = parse_moment(text)
        if moment.utcoffset() != call.local(call.machine.moment).utcoffset():
            raise ValueError(text)
        return call.moment_of(moment)
    except (ValueError, OverflowError) as error:
        raise Rejected(Message("WindowTimeInvalid", (text[:50], START), (place,))) from error
