"""DellJob: a job in the lifecycle controller's words (DellJob v1_2_0, as captured from firmware 6.00).

The same jobs stand under two URIs: `Managers/{id}/Jobs`, the older, and `Managers/{id}/Oem/Dell/Jobs`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from emulator.core.job import Job, Kind, Lane
from emulator.core.message import Message, Rejected
from emulator.core.queue import CLEAR_ALL, CLEAR_ALL_FORCE
from emulator.mockup.reader import ROOT
from emulator.mockup.site import Site
from emulator.redfish.iso8601 import parse_moment
from emulator.redfish.view import (
    Call,
    Document,
    Reply,
    Resource,
    Verb,
    created_messages,
    link,
    succeeded,
    success_messages,
)
from emulator.redfish.views.job import delete_job

JOB_TYPES: Mapping[str, str] = {
    "bios": "BIOSConfiguration",
    "nic": "NICConfiguration",
    "raid": "RAIDConfiguration",
    "PowerCycle": "RebootPowerCycle",
    "GracefulRebootWithForcedShutdown": "RebootForce",
    "GracefulRebootWithoutForcedShutdown": "RebootNoForce",
}
"""JobType by the kind of the device configured, or by the kind of reboot."""
UNKNOWN_TYPE = "Unknown"
"""JobType of a configuration for which the schema's list has nothing."""
REAL_TIME = "RealTimeNoRebootConfiguration"
"""JobType of a configuration that needs no restart of the host."""
KIND_TYPES: Mapping[Kind, str] = {
    Kind.UPDATE: "FirmwareUpdate",  # [C] a rollback too
    Kind.EXPORT: "ExportConfiguration",
    Kind.IMPORT: "ImportConfiguration",
    Kind.PREVIEW: "PreviewConfiguration",
    Kind.REPOSITORY: "RepositoryUpdate",
    Kind.DIAGNOSTICS: "RemoteDiagnostics",  # [C]
    Kind.DIAGNOSTICS_EXPORT: "RemoteDiagnostics",  # the schema's list has nothing nearer
    Kind.ERASE: "SystemErase",  # [C]
    Kind.RECURRING: "Unknown",  # the vendor's schema has no word for it
}
"""JobType of the other kinds of job."""
REBOOT_NAMES: Mapping[str, str] = {
    "PowerCycle": "Reboot1",
    "GracefulRebootWithoutForcedShutdown": "Reboot2",
    "GracefulRebootWithForcedShutdown": "Reboot3",  # [C]
}
"""Name of a reboot job: the number is CreateRebootJob's in WS-Man."""
REBOOT_TYPES: Mapping[str, str] = {
    "PowerCycle": "PowerCycle",
    "ForceReboot": "GracefulRebootWithForcedShutdown",
    "NoForceReboot": "GracefulRebootWithoutForcedShutdown",
}
"""RebootJobType when a job is created, which is not spelled as CreateRebootJob spells it."""
LOCAL_LENGTH = len("2026-01-31T12:00:00")
TIME_NOW, TIME_NA = "TIME_NOW", "TIME_NA"


COLLECTIONS = ("Jobs", "Oem/Dell/Jobs")
"""Where the job collections stand below a manager."""
_FILLED = re.compile(rf"{ROOT}/Managers/[^/]+/({'|'.join(COLLECTIONS)})")


def places(site: Site) -> tuple[str, ...]:
    """The URIs of the job collections."""
    return tuple(f"{manager}/{path}" for manager in site.managers[:1] for path in COLLECTIONS)


def jobs_link(site: Site) -> Document:
    """Where the jobs are, as a vendor's part of a resource says it; {} where no manager has them."""
    return {"Jobs": link(places(site)[1])} if site.managers else {}


def fills(uri: str) -> bool:
    """Whether a URI is that of a job collection, whatever the manager is called."""
    return _FILLED.fullmatch(uri) is not None


def resources(site: Site) -> list[Resource]:
    """Both collections and their members."""
    create = {"POST": Verb(create_job, "ConfigureComponents", "DellJob.create")}
    delete = {"DELETE": Verb(delete_dell_job, "ConfigureComponents")}
    return [
        resource
        for uri in places(site)
        for resource in (
            Resource(uri, get=dell_jobs, verbs=create),
            Resource(f"{uri}/{{id}}", get=dell_job, verbs=delete, of_job=True),
        )
    ]


def dell_jobs(call: Call) -> Document:
    """The collection: "JobQueue"."""
    members = [link(f"{call.uri}/{key}") for key in call.machine.queue.jobs]
    return {
        "@odata.context": "/redfish/v1/$metadata#DellJobCollection.DellJobCollection",
        "@odata.id": call.uri,
        "@odata.type": "#DellJobCollection.DellJobCollection",
        "Description": "Collection of Job Instances",
        "Id": "JobQueue",
        "Name": "JobQueue",
        "Members": members,
        "Members@odata.count": len(members),
    }


def dell_job(call: Call) -> Document | None:
    """One job."""
    found = call.machine.queue.get(call.params["id"])
    return dell_job_document(call, found, call.uri) if found else None


def create_job(call: Call) -> Reply:
    """A targeted configuration job for what is pending at TargetSettingsURI: 200 with its Location (captured).

    With a StartTime (TIME_NOW too), an EndTime or a RebootJobType it is scheduled at once, and the reboot job with it.
    """
    body = call.body
    target = call.site.device_at(body["TargetSettingsURI"])
    if target is None:
        raise Rejected(
            Message("PropertyValueNotInList", (body["TargetSettingsURI"], "TargetSettingsURI"), ("TargetSettingsURI",))
        )
    reboot_type = body.get("RebootJobType")
    made = call.machine.create_configuration_job(
        target,
        call.user,
        scheduled="StartTime" in body,
        start=parse_date_time(call, body.get("StartTime"), "StartTime"),
        until=parse_date_time(call, body.get("EndTime"), "EndTime"),
        reboot_type=REBOOT_TYPES[reboot_type] if reboot_type else None,
    )
    place_of_job = f"{call.uri}/{made.id}"
    location = (("Location", place_of_job),)
    if call.machine.policy.create_job_status == 201:  # as newer firmware: the job itself
        document = dell_job_document(call, made, place_of_job)
        return Reply(201, {**document, "@Message.ExtendedInfo": created_messages(call)}, location)
    return Reply(200, {"@Message.ExtendedInfo": success_messages(call, "OperationDone")}, location)


def delete_dell_job(call: Call) -> Reply:
    """Take a job back, or forget a finished one; the two ids that stand for all jobs are taken here too."""
    if call.params["id"] not in (CLEAR_ALL, CLEAR_ALL_FORCE):
        return delete_job(call)
    call.machine.delete_job(call.params["id"])
    return succeeded(call, "OperationDone")


def parse_date_time(call: Call, text: str | None, name: str) -> float | None:
    """TIME_NOW, TIME_NA or "YYYY-MM-DDThh:mm:ss", local unless it has an offset, as a moment; None for now and never.

    Raises:
        Rejected: PropertyValueFormatError.
    """
    if text is None or text in (TIME_NOW, TIME_NA):
        return None
    try:
        moment = parse_moment(text)
    except ValueError as error:
        raise Rejected(Message("PropertyValueFormatError", (text[:50], name), (name,))) from error
    return call.moment_of(moment)


def dell_job_document(call: Call, found: Job, uri: str, *, prefixed: bool = False) -> Document:
    """A job as a DellJob. MessageId is bare ("PR19") here, and `prefixed` ("IDRAC.2.7.PR19") inside a Task."""
    said = call.dialect.say(found.message or Message("JobNew"), "DellJob")[0]
    return {
        "@odata.context": "/redfish/v1/$metadata#DellJob.DellJob",
        "@odata.id": uri,
        "@odata.type": "#DellJob.v1_2_0.DellJob",
        "ActualRunningStartTime": _ran(call, found.started_at),
        "ActualRunningStopTime": _ran(call, found.ended_at if found.started_at else None),
        "CompletionTime": _local(call, found.ended_at),
        "Description": "Job Instance",
        "EndTime": _end_time(call, found),
        "Id": found.id,
        "JobState": call.dialect.word("DellJob", found),
        "JobType": _job_type(call, found),
        "Message": said.text,
        "MessageArgs": list(said.args),
        "MessageArgs@odata.count": len(said.args),
        "MessageId": said.id if prefixed else said.key,
        "Name": _name(call, found),
        "PercentComplete": found.percent,
        "StartTime": _start_time(call, found),
        "TargetSettingsURI": None,
    }


def extend_task(call: Call, document: Document) -> Document:
    """A Task carries the whole DellJob."""
    found = call.machine.queue.jobs[document["Id"]]
    uri = f"{places(call.site)[1]}/{found.id}" if call.site.managers else call.uri
    return {**document, "Oem": {"Dell": dell_job_document(call, found, uri, prefixed=True)}}


def _name(call: Call, found: Job) -> str:
    if found.kind is Kind.REBOOT:
        return REBOOT_NAMES[found.steps[0].name]
    return call.dialect.job_name("DellJob", found, "")


def _job_type(call: Call, found: Job) -> str:
    if found.kind in KIND_TYPES:
        return KIND_TYPES[found.kind]
    if found.kind is Kind.REBOOT:
        return JOB_TYPES[found.steps[0].name]
    if found.lane is Lane.LIVE:
        return REAL_TIME
    device = call.machine.devices.get(found.target)
    return JOB_TYPES.get(device.kind, UNKNOWN_TYPE) if device else UNKNOWN_TYPE


def _start_time(call: Call, found: Job) -> str | None:
    if found.not_before is None and call.machine.policy.immediate_start_time == TIME_NOW:
        return TIME_NOW
    return _local(call, found.not_before or found.created_at)


def _end_time(call: Call, found: Job) -> str | None:
    """The end of its window; TIME_NA for a job that could have one, null for what the controller does at once [C]."""
    if found.until is not None:
        return _local(call, found.until)
    return None if found.lane is Lane.LIVE or found.kind is Kind.IMPORT else TIME_NA


def _ran(call: Call, moment: float | None) -> str | int | None:
    """When it ran; of a job that has not run by policy null or zero."""
    return 0 if moment is None and call.machine.policy.never_ran == "zero" else _local(call, moment)


def _local(call: Call, moment: float | None) -> str | None:
    """Local time without an offset, as the controller writes its own."""
    return None if moment is None else call.time(moment)[:LOCAL_LENGTH]
