"""DellLCService: whether the lifecycle controller is ready for work, and what it does for the whole system.

DellLCService v1_3_0, as captured. Diagnostics and system erase are in files of their own.

The words are those of its schema. When each of them is true is said by Dell's "Lifecycle Controller Integration Best
Practices", 1.7.4: LCStatus tells of the instrumentation, ServerStatus of the host, and Status sums both up: it is not
ready either while the host is in POST or the controller is carrying out scheduled jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from emulator.core.controller import Condition
from emulator.core.host import Phase
from emulator.core.machine import Machine
from emulator.dialects.dell.oem import dell_diagnostics, dell_system_erase
from emulator.dialects.dell.oem.dell_job_service import service_uris
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, success_messages

SCHEMA = "DellLCService"
READY, NOT_READY = "Ready", "NotReady"

LC_STATUS: Mapping[Condition, str] = {
    Condition.READY: READY,
    Condition.RELOADING: "ReloadingData",  # after a job it reads its inventory again
    Condition.NOT_READY: "NotInitialized",
    Condition.AWAY: "NotInitialized",  # which nobody gets to see: it does not answer
}
IN_USE = "InUse"
"""LCStatus of a controller that is ready but for the Automated Task stage: that has it to itself."""
SERVER_STATUS: Mapping[Phase, str] = {
    Phase.OFF: "PoweredOff",
    Phase.GAP: "PoweredOff",
    Phase.POST: "InPOST",
    Phase.TASKS: "AutomatedTaskExecution",
    Phase.BOOTING: "OutOfPOST",
    Phase.RUNNING: "OutOfPOST",
    Phase.STOPPING: "OutOfPOST",
}
STATUS: Mapping[str, str] = {
    READY: READY,
    "ReloadingData": "ReloadingData",
    IN_USE: IN_USE,
    "NotInitialized": NOT_READY,
}
"""Status by LCStatus, with the host out of POST."""
RS_STATUS: Mapping[Condition, str] = {
    Condition.READY: "Ready",
    Condition.RELOADING: "Reloading",
    Condition.NOT_READY: "Not Ready",
    Condition.AWAY: "Not Ready",
}
"""GetRSStatus spells it otherwise, and tells of the instrumentation alone."""


def resources(site: Site) -> list[Resource]:
    """The service and its actions, under the manager and under the older URI that scripts still use."""
    found = []
    for uri in service_uris(site, SCHEMA):
        found.append(Resource(uri, get=dell_lc_service, needs_ready=False))
        for name, action in ACTIONS.items():
            verb = Verb(action.handler, action.privilege, f"{SCHEMA}.{name}", action=f"{SCHEMA}.{name}")
            target = _target(uri, name)
            found.append(Resource(target, verbs={"POST": verb}, needs_ready=action.needs_ready))
    return [*found, *dell_diagnostics.resources(site)]


def dell_lc_service(call: Call) -> Document:
    """The service, with the actions that it really has."""
    return {
        "@odata.context": f"/redfish/v1/$metadata#{SCHEMA}.{SCHEMA}",
        "@odata.id": call.uri,
        "@odata.type": f"#{SCHEMA}.v1_3_0.{SCHEMA}",
        "Actions": {
            f"#{SCHEMA}.{name}": {**ACTIONS[name].parameters, "target": _target(call.uri, name)}
            for name in sorted(ACTIONS)
        },
        "Description": "Tells whether the lifecycle controller is ready for work, tests the system and erases it.",
        "Id": SCHEMA,
        "Name": SCHEMA,
    }


def get_remote_services_api_status(call: Call) -> Reply:
    """How the lifecycle controller, its real-time services and the host are, and what that comes to."""
    machine = call.machine
    lc_status = _lc_status(machine)
    status = STATUS[lc_status]
    if status == READY and machine.host.phase is Phase.POST:
        status = NOT_READY
    services = NOT_READY if machine.controller.condition is Condition.NOT_READY else READY
    return _answer(
        call,
        {
            "LCStatus": lc_status,
            "RTStatus": services,
            "ServerStatus": SERVER_STATUS[machine.host.phase],
            "Status": status,
            "TelemetryServiceStatus": services,
        },
    )


def get_rs_status(call: Call) -> Reply:
    """How the lifecycle controller is, in one word."""
    return _answer(call, {"Status": RS_STATUS[call.machine.controller.condition]})


def _answer(call: Call, found: Document) -> Reply:
    key = "ControllerIsReady" if found["Status"] == READY else "ControllerIsNotReady"
    return Reply(200, {"@Message.ExtendedInfo": success_messages(call, key), **found})


def _lc_status(machine: Machine) -> str:
    found = LC_STATUS[machine.controller.condition]
    return IN_USE if found == READY and machine.host.phase is Phase.TASKS else found


def _target(uri: str, name: str) -> str:
    return f"{uri}/Actions/{SCHEMA}.{name}"


@dataclass(frozen=True, slots=True)
class _Action:
    """One action of the service."""

    handler: Callable[[Call], Reply]
    privilege: str
    parameters: Document = field(default_factory=dict)
    """What may be sent."""
    needs_ready: bool = True
    """False: it answers while the data services are starting again, too."""


ACTIONS: Mapping[str, _Action] = {
    "ExportePSADiagnosticsResult": _Action(
        dell_diagnostics.export, "ConfigureComponents", dell_diagnostics.EXPORT_PARAMETERS
    ),
    "GetRemoteServicesAPIStatus": _Action(get_remote_services_api_status, "Login", needs_ready=False),
    "GetRSStatus": _Action(get_rs_status, "Login", needs_ready=False),
    "RunePSADiagnostics": _Action(dell_diagnostics.run, "ConfigureComponents", dell_diagnostics.RUN_PARAMETERS),
    "SystemErase": _Action(dell_system_erase.system_erase, "ConfigureManager", dell_system_erase.ERASE_PARAMETERS),
}
