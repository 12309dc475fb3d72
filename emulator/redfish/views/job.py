"""Job: a job in DMTF's words, and its steps.

What the job says of itself is one message, and the first; what went wrong in its steps follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from emulator.core.job import Job, Kind, Outcome, State
from emulator.core.message import Message, Rejected
from emulator.mockup.site import Site
from emulator.redfish import user_specified_job
from emulator.redfish.iso8601 import duration_text
from emulator.redfish.storage_operation import created_by
from emulator.redfish.view import (
    Call,
    Document,
    Reply,
    Resource,
    Verb,
    collection,
    created_messages,
    link,
    message_objects,
    succeeded,
    success_messages,
)
from emulator.redfish.views.job_service import JOBS

JOB_TYPE = "#Job.v1_3_0.Job"
ESTIMATED = frozenset(Kind) - {Kind.IMPORT, Kind.REBOOT, Kind.RECURRING, Kind.REPOSITORY}
"""Kinds of job whose steps are known from the beginning, and how long each takes."""
HEALTH: Mapping[State, str] = {State.COMPLETED_WITH_ERRORS: "Warning", State.FAILED: "Critical"}
"""JobStatus and TaskStatus; every other state is OK."""


def resources(site: Site) -> list[Resource]:
    """The collection, its members and their steps."""
    create = {"POST": Verb(create_job, "ConfigureManager", "Job")}
    change = {
        "PATCH": Verb(patch_job, "ConfigureManager", "Job"),
        "DELETE": Verb(delete_job, "ConfigureManager"),
    }
    return [
        Resource(JOBS, get=jobs, verbs=create),
        Resource(f"{JOBS}/{{id}}", get=job, verbs=change, of_job=True),
        Resource(f"{JOBS}/{{id}}/Steps", get=steps),
        Resource(f"{JOBS}/{{id}}/Steps/{{step}}", get=step),
    ]


def jobs(call: Call) -> Document:
    """The collection."""
    return collection(call, "JobCollection", "Jobs", [f"{JOBS}/{key}" for key in call.machine.queue.jobs])


def job(call: Call) -> Document | None:
    """One job."""
    found = call.machine.queue.get(call.params["id"])
    return _job_document(call, found) if found else None


def create_job(call: Call) -> Reply:
    """A user-specified job: by policy 201 with the job, or 200 with messages as a lifecycle controller answers."""
    made = user_specified_job.create(call)
    uri = f"{JOBS}/{made.id}"
    location = (("Location", uri),)
    if call.machine.policy.create_job_status == 200:
        return Reply(200, {"@Message.ExtendedInfo": success_messages(call, "OperationDone")}, location)
    said = {"@Message.ExtendedInfo": created_messages(call)} if call.dialect.names_success else {}
    return Reply(201, {**_job_document(call.at(uri, {"id": made.id}), made), **said}, location)


def patch_job(call: Call) -> Reply:
    """Change when a user-specified job occurs: 200 with the job as it is then."""
    found = known_job(call)
    user_specified_job.change(call, found)
    return Reply(200, _job_document(call, found))


def delete_job(call: Call) -> Reply:
    """Take a job back, or forget a finished one."""
    call.machine.delete_job(known_job(call).id)
    return succeeded(call, "OperationDone")


def known_job(call: Call) -> Job:
    """The job that the URI names.

    Raises:
        Rejected: ResourceMissingAtURI.
    """
    found = call.machine.queue.get(call.params["id"])
    if found is None:
        raise Rejected(Message("ResourceMissingAtURI", (call.uri,)))
    return found


def steps(call: Call) -> Document | None:
    """The steps of a job: each is a Job of its own."""
    found = call.machine.queue.get(call.params["id"])
    if found is None:
        return None
    return collection(call, "JobCollection", "Steps", [f"{call.uri}/{n}" for n in range(1, len(found.steps) + 1)])


def step(call: Call) -> Document | None:
    """One step, numbered from 1."""
    found = call.machine.queue.get(call.params["id"])
    number = call.number("step")
    if found is None or number is None or not 1 <= number <= len(found.steps):
        return None
    outcome = found.outcomes[number - 1] if number <= len(found.outcomes) else None
    return {
        "@odata.id": call.uri,
        "@odata.type": JOB_TYPE,
        "Id": str(number),
        "Name": found.steps[number - 1].name,
        **_step_state(call, found, number, outcome),
    }


def _step_state(call: Call, found: Job, number: int, outcome: Outcome | None) -> Document:
    if outcome is None:
        running = found.state is State.RUNNING and number == len(found.outcomes) + 1
        return {"JobState": "Running" if running else "Pending", "JobStatus": "OK", "PercentComplete": 0}
    return {
        "JobState": "Completed" if outcome.ok else "Exception",
        "JobStatus": "OK" if outcome.ok else "Critical",
        "PercentComplete": 100,
        "EndTime": call.time(outcome.at),
        "Messages": [
            entry for said in failures(call, found, [outcome]) for entry in message_objects(call.dialect, said)
        ],
    }


def _job_document(call: Call, found: Job) -> Document:
    document = {
        "@odata.id": call.uri,
        "@odata.type": JOB_TYPE,
        "Id": found.id,
        "Name": call.dialect.job_name("Job", found, device_kind(call, found)),
        "Description": "A job of the lifecycle job service",
        "JobState": call.dialect.word("Job", found),
        "JobStatus": HEALTH.get(found.state, "OK"),
        "JobType": "ServiceGenerated",
        "PercentComplete": found.percent,
        "CreationTime": call.time(found.created_at),
        "StartTime": call.time(start_time(found)),
        "Messages": job_messages(call, found, "Job"),
        "Steps": link(f"{call.uri}/Steps"),
    }
    if found.kind is Kind.RECURRING:
        document |= user_specified_job.document(call, found)
    else:
        document["StepOrder"] = [str(number) for number in range(1, len(found.steps) + 1)]
    links = user_specified_job.links(found)
    made = created_by(call, found)
    if made:
        links |= {"CreatedResources": [link(uri) for uri in made], "CreatedResources@odata.count": len(made)}
    if links:
        document["Links"] = links
    seconds, end = estimated_seconds(found), estimated_end(found)
    if seconds is not None:
        document["EstimatedDuration"] = duration_text(seconds)
    if end is not None:
        document["EstimatedCompletionTime"] = call.time(end)
    if found.created_by:
        document["CreatedBy"] = found.created_by
    if found.ended_at is not None:
        document["EndTime"] = call.time(found.ended_at)
    return call.extended("Job", document)


def start_time(found: Job) -> float:
    """When a job started; before that, when it is to start, which is its creation where nothing else was said."""
    return found.started_at or found.not_before or found.created_at


def estimated_seconds(found: Job) -> float | None:
    """How long a job's work takes once it has begun; None where nobody knows before."""
    seconds = sum(step.seconds for step in found.steps)
    return seconds if found.kind in ESTIMATED and found.state is not State.DOWNLOADING and seconds else None


def estimated_end(found: Job) -> float | None:
    """When a job that is at work will be done, if nothing comes between."""
    if found.state is not State.RUNNING or found.step_began is None or estimated_seconds(found) is None:
        return None
    return found.step_began + sum(step.seconds for step in found.steps[len(found.outcomes) :])


def job_messages(call: Call, found: Job, view: str) -> list[Document]:
    """What the job says of itself, which is where clients look first, then what went wrong in its steps."""
    said = [found.message] if found.message is not None else []
    said += failures(call, found, found.outcomes)
    return [entry for message in said for entry in message_objects(call.dialect, message, view)]


def failures(call: Call, found: Job, outcomes: Iterable[Outcome]) -> list[Message]:
    """What went wrong in steps of a job."""
    return [call.site.spelled(found.target, outcome.message) for outcome in outcomes if outcome.message is not None]


def device_kind(call: Call, found: Job) -> str:
    """The kind of the device that a job configures: bios."""
    device = call.machine.devices.get(found.target)
    return device.kind if device else ""
