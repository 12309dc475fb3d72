"""DellJobService: the job service's numbers and its four actions (DellJobService v1_2_0, as captured)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from emulator.core.engine import REBOOT_EVENTS
from emulator.core.message import Message, Rejected
from emulator.dialects.dell.oem.dell_job import TIME_NOW, places
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, succeeded

SCHEMA = "DellJobService"
CREATE = f"{SCHEMA}.CreateRebootJob"
TIME_FORMAT = "%Y%m%d%H%M%S"
TIME_DIGITS = 14


def resources(site: Site) -> list[Resource]:
    """The service and its actions, under the manager and under the older URI that scripts still use."""
    found = []
    for uri in service_uris(site):
        found.append(Resource(uri, get=dell_job_service))
        for name, handler in ACTIONS.items():
            verb = Verb(handler, "ConfigureComponents", f"{SCHEMA}.{name}", action=f"{SCHEMA}.{name}")
            found.append(Resource(f"{uri}/Actions/{SCHEMA}.{name}", verbs={"POST": verb}))
    return found


def service_uris(site: Site, schema: str = SCHEMA) -> tuple[str, ...]:
    """Where this service, or another of the vendor's, stands: under the manager, and where scripts still look."""
    return uris_of(site.managers[:1], schema)


def uris_of(owners: Iterable[str], schema: str) -> tuple[str, ...]:
    """Where a service of the vendor's stands: under the managers or systems that have it, and where scripts look."""
    return tuple(
        uri
        for owner in owners
        for uri in (f"{owner}/Oem/Dell/{schema}", f"/redfish/v1/Dell/{owner.removeprefix('/redfish/v1/')}/{schema}")
    )


def dell_job_service(call: Call) -> Document:
    """The service: true at every moment."""
    queue = call.machine.queue
    actions: Document = {
        f"#{SCHEMA}.{name}": {"target": f"{call.uri}/Actions/{SCHEMA}.{name}"} for name in sorted(ACTIONS)
    }
    actions[f"#{SCHEMA}.CreateRebootJob"]["RebootJobType@Redfish.AllowableValues"] = sorted(REBOOT_EVENTS)
    return {
        "@odata.context": f"/redfish/v1/$metadata#{SCHEMA}.{SCHEMA}",
        "@odata.id": call.uri,
        "@odata.type": f"#{SCHEMA}.v1_2_0.{SCHEMA}",
        "Actions": actions,
        "CurrentNumberOfJobs": len(queue.jobs),
        "DeleteOnCompletionTimeoutMinutes": queue.timeout_minutes,
        "Description": "Creates, schedules and deletes jobs.",
        "Id": "Job Service",
        "MaximumNumberOfJobs": queue.policy.max_jobs,
        "Name": SCHEMA,
        "StartAutoDeleteAtThreshold": queue.policy.auto_delete_threshold,
    }


def create_reboot_job(call: Call) -> Reply:
    """202 with the RID's Location; the job waits for SetupJobQueue."""
    wanted = call.body["RebootJobType"]
    if wanted not in REBOOT_EVENTS:
        raise Rejected(Message("RebootTypeInvalid", (wanted[:50], "RebootJobType", CREATE), ("RebootJobType",)))
    made = call.machine.create_reboot_job(wanted, call.user)
    return Reply(202, None, (("Location", f"{places(call.site)[1]}/{made.id}"),))


def setup_job_queue(call: Call) -> Reply:
    """Schedule the jobs of JobArray in its order, from StartTimeInterval and not after UntilTime."""
    body = call.body
    until = body.get("UntilTime")
    if until is not None and "StartTimeInterval" not in body:
        raise Rejected(Message("QueueParameterMissing", ("StartTimeInterval",), ("StartTimeInterval",)))
    call.machine.setup_queue(
        body["JobArray"],
        moment_of(call, body.get("StartTimeInterval", TIME_NOW), "StartTimeMalformed", "StartTimeInterval"),
        None if until is None else moment_of(call, until, "UntilTimeMalformed", "UntilTime"),
    )
    return succeeded(call, "OperationDone")


def delete_job_queue(call: Call) -> Reply:
    """Delete one job; with JID_CLEARALL every job and every pending value.

    With JID_CLEARALL_FORCE the controller's data services start again besides, and it is not ready for a while.
    """
    call.machine.delete_job(call.body["JobID"])
    return succeeded(call, "JobDeleted")


def set_delete_on_completion_timeout(call: Call) -> Reply:
    """How long finished jobs are kept once there are many: 15 to 10,080 minutes."""
    # 60.0 is an integer in JSON
    call.machine.set_delete_on_completion_timeout(int(call.body["DeleteOnCompletionTimeout"]))
    return succeeded(call, "OperationDone")


def moment_of(call: Call, text: str, refusal: str, name: str) -> float | None:
    """TIME_NOW (None), or yyyymmddhhmmss in the controller's local time.

    Raises:
        Rejected: with the key `refusal`.
    """
    if text == TIME_NOW:
        return None
    try:
        if not (len(text) == TIME_DIGITS and text.isdecimal()):
            raise ValueError(text)
        moment = datetime.strptime(text, TIME_FORMAT)  # noqa: DTZ007 - it is local
    except ValueError as error:
        raise Rejected(Message(refusal, (text[:50], name), (name,))) from error
    return call.moment_of(moment)


ACTIONS: Mapping[str, Callable[[Call], Reply]] = {
    "CreateRebootJob": create_reboot_job,
    "SetupJobQueue": setup_job_queue,
    "DeleteJobQueue": delete_job_queue,
    "SetDeleteOnCompletionTimeout": set_delete_on_completion_timeout,
}
