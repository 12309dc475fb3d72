"""JobService: DMTF's entrance to the jobs."""

from __future__ import annotations

from emulator.mockup.reader import ROOT
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, link, succeeded

JOB_SERVICE = f"{ROOT}/JobService"
JOBS = f"{JOB_SERVICE}/Jobs"
TYPE = "#JobService.v1_1_0.JobService"
STEPS_MAX = 4096
CANCEL_ALL = "JobService.CancelAllJobs"
CANCEL_ALL_TARGET = f"{JOB_SERVICE}/Actions/{CANCEL_ALL}"


def resources(site: Site) -> list[Resource]:
    """The service and its action."""
    cancel = {"POST": Verb(cancel_all_jobs, "ConfigureManager", CANCEL_ALL, action=CANCEL_ALL)}
    return [Resource(JOB_SERVICE, get=job_service), Resource(CANCEL_ALL_TARGET, verbs=cancel)]


def job_service(call: Call) -> Document:
    """What the service can do, and its clock."""
    log, delivered = call.site.lifecycle_log, call.base()
    knows = str(delivered.get("@odata.type", TYPE)) >= TYPE  # an older schema has no such property
    return {
        "@odata.id": JOB_SERVICE,
        "@odata.type": TYPE,
        "Id": "JobService",
        "Name": "Job Service",
        **delivered,
        "DateTime": call.time_of_day(),
        "ServiceEnabled": True,
        "ServiceCapabilities": {
            "MaxJobs": call.machine.queue.policy.max_jobs,
            "MaxSteps": STEPS_MAX,
            "Scheduling": True,
            **({"UserSpecifiedJobs": True} if knows else {}),
        },
        "Status": {"State": "Enabled", "Health": "OK"},
        "Jobs": link(JOBS),
        **({"Log": link(log.uri)} if log else {}),
        **({"Actions": {f"#{CANCEL_ALL}": {"target": CANCEL_ALL_TARGET}}} if knows else {}),
    }


def cancel_all_jobs(call: Call) -> Reply:
    """JobService.CancelAllJobs: every unfinished job is taken back, or by policy none while one is at work."""
    call.machine.cancel_all_jobs()
    return succeeded(call, "OperationDone")
