"""DellLCService's remote diagnostics (ePSA): run them, read what they have found, send it to a share."""

from __future__ import annotations

from emulator.core.diagnostics import MODES, DiagnosticsResult, export_result, result_of, run_diagnostics
from emulator.core.engine import REBOOT_EVENTS
from emulator.core.job import Job
from emulator.core.message import Message, Rejected
from emulator.dialects.dell.oem import network_share
from emulator.dialects.dell.oem.dell_job import TIME_NOW
from emulator.dialects.dell.oem.dell_job_service import moment_of
from emulator.formats import diagnostics as formats
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource, accepted, success_messages

RUN = "DellLCService.RunePSADiagnostics"
EXPORT = "DellLCService.ExportePSADiagnosticsResult"
RESULT = "/redfish/v1/Dell/diags.txt"
"""Where a reader finds the result of a local export [C]."""
ALLOWABLE = "@Redfish.AllowableValues"
RUN_PARAMETERS: Document = {
    f"RebootJobType{ALLOWABLE}": sorted(REBOOT_EVENTS),
    f"RunMode{ALLOWABLE}": sorted(MODES),
}
LOCAL = "LOCAL"
EXPORT_PARAMETERS: Document = {f"ShareType{ALLOWABLE}": [*network_share.SCHEMES, "Local"]}


def resources(site: Site) -> list[Resource]:
    """The result, where there is a controller that makes it."""
    return [Resource(RESULT, get=diagnostics_result) for _ in site.managers[:1]]


def run(call: Call) -> Reply:
    """Test the devices of the host at the restart that the job brings along: 202."""
    body = call.body
    reboot_type, mode = body["RebootJobType"], body.get("RunMode", "Express")
    if reboot_type not in REBOOT_EVENTS:
        raise Rejected(Message("RebootTypeInvalid", (reboot_type[:50], "RebootJobType", RUN), ("RebootJobType",)))
    if mode not in MODES:
        raise Rejected(Message("ActionParameterValueNotInList", (mode[:50], "RunMode", RUN), ("RunMode",)))
    start = moment_of(call, body.get("ScheduledStartTime", TIME_NOW), "StartTimeMalformed", "ScheduledStartTime")
    until = moment_of(call, body["UntilTime"], "UntilTimeMalformed", "UntilTime") if "UntilTime" in body else None
    made = run_diagnostics(call.machine, call.user, mode, reboot_type, start, until)
    return accepted(call, made, "OperationDone")


def export(call: Call) -> Reply:
    """Say where the result can be read, or send it to a share: 202."""
    if call.body.get("ShareType", LOCAL).upper() == LOCAL:
        result_of(call.machine)
        messages = success_messages(call, "OperationDone")
        return Reply(202, {"@Message.ExtendedInfo": messages}, (("Location", RESULT),))
    uri = network_share.file_on(call.body, EXPORT, possible=(LOCAL, *network_share.SCHEMES))
    made = export_result(call.machine, call.user, uri, network_share.credentials_of(call.body))
    return accepted(call, made, "OperationDone")


def diagnostics_result(call: Call) -> Reply | None:
    """What the last diagnostics have found, as a text; nothing is there before the first have ended."""
    result = call.machine.diagnostics
    if result is None:
        return None
    system = call.base(call.site.systems[0])
    return Reply(200, file=lambda own: _text(own(system), DiagnosticsResult.from_plain(own(result.to_plain()))))


def exported(system: Document, time: str, job: Job) -> tuple[bytes, str]:
    """What an export job sends, and its media type."""
    return _text(system, DiagnosticsResult.from_plain(job.details["content"]))


def _text(system: Document, result: DiagnosticsResult) -> tuple[bytes, str]:
    service_tag = system.get("SKU") or system.get("SerialNumber") or ""
    return formats.render(result, system.get("Model") or "", service_tag), formats.MEDIA_TYPE
