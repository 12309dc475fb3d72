"""Task and its monitor: a job as an asynchronous operation (DSP0266, "Asynchronous operations").

The two are told apart by what clients do with a 202's Location. Plain Redfish sends them to the *monitor*, which is 202
while the job is unfinished and then gives the answer of the operation itself. A lifecycle controller sends them to the
*task*, which is 202 itself while the job is unfinished.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from emulator.core.job import Job, Kind, State
from emulator.core.message import Message
from emulator.mockup.site import Site
from emulator.redfish.errors import error_body
from emulator.redfish.storage_operation import answer_of
from emulator.redfish.view import Call, Document, Own, Reply, Resource, Verb, collection, success_messages
from emulator.redfish.views.job import HEALTH, delete_job, device_kind, failures, job_messages, start_time
from emulator.redfish.views.task_service import MONITORS, TASKS


def resources(site: Site) -> list[Resource]:
    """The collection, its members and their monitors."""
    delete = {"DELETE": Verb(delete_job, "ConfigureManager")}
    return [
        Resource(TASKS, get=tasks),
        Resource(f"{TASKS}/{{id}}", get=task, verbs=delete, of_job=True),
        Resource(f"{MONITORS}/{{id}}", get=task_monitor),
    ]


def tasks(call: Call) -> Document:
    """The collection."""
    return collection(call, "TaskCollection", "Tasks", [f"{TASKS}/{key}" for key in call.machine.queue.jobs])


def task(call: Call) -> Document | Reply | None:
    """One task."""
    found = call.machine.queue.get(call.params["id"])
    if found is None:
        return None
    document = task_document(call, found)
    if found.is_open and call.dialect.task_answers_as_monitor:
        return Reply(202, document)
    return Reply(200, document, file=_file(call, found))


def task_monitor(call: Call) -> Reply | None:
    """202 while the job is unfinished; then the answer of the operation: that which it would have had at once (201 for
    what it has made, 204 for what it has deleted), else 200; or 400 with what went wrong.
    """
    found = call.machine.queue.get(call.params["id"])
    if found is None:
        return None
    if found.is_open:
        return Reply(202)
    file = _file(call, found)
    own = answer_of(call, found) if found.state is State.COMPLETED else None
    if own is not None:
        return own
    if found.state is State.COMPLETED or file is not None:
        return Reply(200, {"@Message.ExtendedInfo": success_messages(call)}, file=file)
    failed = failures(call, found, found.outcomes)
    return Reply(400, error_body(call.dialect, [*failed, found.message or Message("GeneralError")]))


def _file(call: Call, found: Job) -> Callable[[Own], tuple[bytes, str]] | None:
    """What the job was for, where that is a file for its reader: a profile that was not to be sent elsewhere."""
    export = call.oem.export
    good = found.state in (State.COMPLETED, State.COMPLETED_WITH_ERRORS)
    if export is None or found.kind is not Kind.EXPORT or not good or found.details["uri"] is not None:
        return None
    system, ended = call.base(call.site.systems[0]), call.time(found.ended_at or found.created_at)
    return lambda own: export(own(system), ended, replace(found, details=own(found.details)))


def task_document(call: Call, found: Job) -> Document:
    """A job as a Task."""
    document = {
        "@odata.id": f"{TASKS}/{found.id}",
        "@odata.type": "#Task.v1_7_4.Task",
        "Id": found.id,
        "Name": call.dialect.job_name("Task", found, device_kind(call, found)),
        "Description": "A job of the lifecycle job service, as a task",
        "TaskState": call.dialect.word("Task", found),
        "TaskStatus": HEALTH.get(found.state, "OK"),
        "TaskMonitor": f"{MONITORS}/{found.id}",
        "PercentComplete": found.percent,
        "StartTime": call.time(start_time(found)),
        "Messages": job_messages(call, found, "Task"),
    }
    if found.ended_at is not None:
        document["EndTime"] = call.time(found.ended_at)
    return call.extended("Task", document)
