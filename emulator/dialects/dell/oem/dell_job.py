"""DellJob: a job in the lifecycle controller's words (DellJob v1_2_0, as captured from firmware 6.00).

The same jobs stand under two URIs: `Managers/{id}/Jobs`, the older, and `Managers/{id}/Oem/Dell/Jobs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from emulator.core.job import Job, Kind
from emulator.core.message import Message, Rejected
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, link, success_messages
from emulator.redfish.views.job import delete_job

JOB_TYPES: Mapping[str, str] = {
    "bios": "BIOSConfiguration",
    "PowerCycle": "RebootPowerCycle",
    "GracefulRebootWithForcedShutdown": "RebootForce",
    "GracefulRebootWithoutForcedShutdown": "RebootNoForce",
}
"""JobType by the kind of the device configured, or by the kind of reboot."""
REBOOT_TYPES: Mapping[str, str] = {
    "PowerCycle": "PowerCycle",
    "ForceReboot": "GracefulRebootWithForcedShutdown",
    "NoForceReboot": "GracefulRebootWithoutForcedShutdown",
}
"""RebootJobType when a job is created, which is not spelled as CreateRebootJob spells it."""
TIME_NOW, TIME_NA = "TIME_NOW", "TIME_NA"


def places(site: Site) -> tuple[str, ...]:
    """The URIs of the job collections."""
    return tuple(f"{manager}/{path}" for manager in site.managers[:1] for path in ("Jobs", "Oem/Dell/Jobs"))


def resources(site: Site) -> list[Resource]:
    """Both collections and their members."""
    create = {"POST": Verb(create_job, "ConfigureComponents", "DellJob.create")}
    delete = {"DELETE": Verb(delete_job, "ConfigureComponents")}
    return [
        resource
        for uri in places(site)
        for resource in (
            Resource(uri, get=dell_jobs, verbs=create),
            Resource(f"{uri}/{{id}}", get=dell_job, verbs=delete),
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

    With a StartTime, an EndTime or a RebootJobType it is scheduled at once, and the reboot job with it.
    """
    body = call.body
    place = call.site.bios_at(body["TargetSettingsURI"])
    if place is None:
        raise Rejected(
            Message("PropertyValueNotInList", (body["TargetSettingsURI"], "TargetSettingsURI"), ("TargetSettingsURI",))
        )
    reboot_type = body.get("RebootJobType")
    made = call.machine.create_configuration_job(
        place.device_id,
        call.user,
        start=parse_date_time(call, body.get("StartTime"), "StartTime"),
        until=parse_date_time(call, body.get("EndTime"), "EndTime"),
        reboot_type=REBOOT_TYPES[reboot_type] if reboot_type else None,
    )
    messages = {"@Message.ExtendedInfo": success_messages(call, "OperationDone")}
    return Reply(200, messages, (("Location", f"{call.uri}/{made.id}"),))


def parse_date_time(call: Call, text: str | None, name: str) -> float | None:
    """TIME_NOW, TIME_NA or "YYYY-MM-DDThh:mm:ss", local unless it has an offset, as a moment; None for now and never.

    Raises:
        Rejected: PropertyValueFormatError.
    """
    if text is None or text in (TIME_NOW, TIME_NA):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Rejected(Message("PropertyValueFormatError", (text[:50], name), (name,))) from error
    zone = call.local(call.machine.moment).tzinfo
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()


def dell_job_document(call: Call, found: Job, uri: str, *, prefixed: bool = False) -> Document:
    """A job as a DellJob. MessageId is bare ("PR19") here, and `prefixed` ("IDRAC.2.7.PR19") inside a Task."""
    said = call.dialect.say(found.message or Message("JobNew"), "DellJob")[0]
    window = found.until if found.kind is Kind.CONFIGURATION else None
    return {
        "@odata.context": "/redfish/v1/$metadata#DellJob.DellJob",
        "@odata.id": uri,
        "@odata.type": "#DellJob.v1_2_0.DellJob",
        "ActualRunningStartTime": _local(call, found.started_at),
        "ActualRunningStopTime": _local(call, found.ended_at if found.started_at else None),
        "CompletionTime": _local(call, found.ended_at),
        "Description": "Job Instance",
        "EndTime": TIME_NA if window is None else _local(call, window),
        "Id": found.id,
        "JobState": call.dialect.word("DellJob", found),
        "JobType": _job_type(call, found),
        "Message": said.text,
        "MessageArgs": list(said.args),
        "MessageArgs@odata.count": len(said.args),
        "MessageId": said.id if prefixed else said.key,
        "Name": call.dialect.job_name("DellJob", found, ""),
        "PercentComplete": found.percent,
        "StartTime": _local(call, found.not_before or found.created_at),
        "TargetSettingsURI": None,
    }


def extend_task(call: Call, document: Document) -> Document:
    """A Task carries the whole DellJob."""
    found = call.machine.queue.jobs[document["Id"]]
    uri = f"{places(call.site)[1]}/{found.id}" if call.site.managers else call.uri
    return {**document, "Oem": {"Dell": dell_job_document(call, found, uri, prefixed=True)}}


def _job_type(call: Call, found: Job) -> str:
    if found.kind is Kind.REBOOT:
        return JOB_TYPES[found.steps[0].name]
    device = call.machine.devices.get(found.target)
    return JOB_TYPES[device.kind] if device else "Unknown"


def _local(call: Call, moment: float | None) -> str | None:
    """Local time without an offset, as the controller writes its own."""
    return None if moment is None else call.local(moment).strftime("%Y-%m-%dT%H:%M:%S")
