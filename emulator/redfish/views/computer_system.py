"""ComputerSystem: power, boot progress and Reset."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.core.host import RESETS, Phase
from emulator.core.message import Message, Rejected
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource, Verb

RESET = "#ComputerSystem.Reset"
ALLOWABLE = "ResetType@Redfish.AllowableValues"

POWER_STATES: Mapping[Phase, str] = {Phase.OFF: "Off", Phase.GAP: "Off", Phase.STOPPING: "PoweringOff"}
"""Every other phase is On."""
BOOT_PROGRESS: Mapping[Phase, Document] = {
    Phase.OFF: {"LastState": "None"},
    Phase.GAP: {"LastState": "None"},
    Phase.POST: {"LastState": "SystemHardwareInitializationComplete"},
    Phase.TASKS: {"LastState": "OEM", "OemLastState": "Automated Task Execution"},
    Phase.BOOTING: {"LastState": "OSBootStarted"},
    Phase.RUNNING: {"LastState": "OSRunning"},
    Phase.STOPPING: {"LastState": "OSRunning"},
}


def resources(site: Site) -> list[Resource]:
    """Each system, and its Reset action where the mockup offers one."""
    found = []
    for uri in site.systems:
        found.append(Resource(uri, get=computer_system))
        action = (site.tree.documents[uri].get("Actions") or {}).get(RESET)
        if action and uri == site.systems[0]:
            target = action.get("target", f"{uri}/Actions/ComputerSystem.Reset")
            verb = Verb(reset, "ConfigureComponents", "ComputerSystem.Reset", action="ComputerSystem.Reset")
            found.append(Resource(target, verbs={"POST": verb}))
    return found


def computer_system(call: Call) -> Document:
    """The system as it is now. The first system of a mockup is the host of the machine."""
    document = call.base()
    if call.uri != call.site.systems[0]:
        return document
    host = call.machine.host
    document["PowerState"] = POWER_STATES.get(host.phase, "On")
    if "BootProgress" in document:
        document["BootProgress"] = BOOT_PROGRESS[host.phase]
    if host.last_reset_at is not None and "LastResetTime" in document:
        document["LastResetTime"] = call.time(host.last_reset_at)
    actions = document.get("Actions") or {}
    if RESET in actions:
        offered = {**actions[RESET], ALLOWABLE: offered_resets(call.site, call.uri)}
        document["Actions"] = {**actions, RESET: offered}
    return document


def reset(call: Call) -> Reply:
    """ComputerSystem.Reset: 204. Without a ResetType it is the first one offered (DSP0268, Reset)."""
    offered = offered_resets(call.site, call.site.systems[0])
    wanted = call.body.get("ResetType", offered[0])
    if wanted not in offered:
        raise Rejected(
            Message("ActionParameterValueNotInList", (wanted, "ResetType", "ComputerSystem.Reset"), ("ResetType",))
        )
    call.machine.reset(wanted)
    return Reply(204)


def offered_resets(site: Site, uri: str) -> list[str]:
    """The reset types that the mockup lists and this host can do; all of those where it lists none."""
    document = site.tree.documents[uri]
    action = (document.get("Actions") or {}).get(RESET) or {}
    listed = action.get(ALLOWABLE) or _from_action_info(site, action.get("@Redfish.ActionInfo"))
    return [kind for kind in listed or RESETS if kind in RESETS] or list(RESETS)


def _from_action_info(site: Site, uri: str | None) -> list[str]:
    parameters = ((site.tree.get(uri) if uri else None) or {}).get("Parameters") or ()
    return next((list(entry.get("AllowableValues") or ()) for entry in parameters if entry["Name"] == "ResetType"), [])
