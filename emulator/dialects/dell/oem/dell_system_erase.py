"""DellLCService.SystemErase: erase components of the system for good."""

from __future__ import annotations

from emulator.core.erase import COMPONENTS, erase_system
from emulator.core.message import Message, Rejected
from emulator.redfish.view import Call, Document, Reply, accepted

ERASE = "DellLCService.SystemErase"
ERASE_PARAMETERS: Document = {"Component@Redfish.AllowableValues": list(COMPONENTS)}


def system_erase(call: Call) -> Reply:
    """Erase the components, each once and in their order, at a restart; the host is off afterwards: 202."""
    components = call.body["Component"]
    unknown = [name for name in components if name not in COMPONENTS]
    if unknown:
        args = (unknown[0][:50], "Component", ERASE)
        raise Rejected(Message("ActionParameterValueNotInList", args, ("Component",)))
    return accepted(call, erase_system(call.machine, call.user, components), "OperationDone")
