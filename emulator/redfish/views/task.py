"""Task: a job as an asynchronous operation (DSP0266, "Asynchronous operations"). Where one waits for it is its monitor
(`task_monitor.py`).
"""

from __future__ import annotations

from emulator.core.job import Job
from emulator.mockup.site import Site
from emulator.redfish.exported_file import exported_file
from emulator.redfish.iso8601 import duration_text
from emulator.redfish.storage_operation import created_by
from emulator.redfish.task_payload import payload_of
from emulator.redfish.view import (
    TASK_MONITORS,
    TASKS,
    Call,
    Document,
    Reply,
    Resource,
    Verb,
    collection,
    link,
    retry_after,
)
from emulator.redfish.views.job import HEALTH, delete_job, device_kind, estimated_seconds, job_messages, start_time


def resources(site: Site) -> list[Resource]:
    """The collection, its members, and what each of them has brought about."""
    delete = {"DELETE": Verb(delete_job, "ConfigureManager")}
    return [
        Resource(TASKS, get=tasks),
        Resource(f"{TASKS}/{{id}}", get=task, verbs=delete, of_job=True),
        Resource(f"{TASKS}/{{id}}/SubTasks", get=sub_tasks),
    ]


def tasks(call: Call) -> Document:
    """The collection."""
    return collection(call, "TaskCollection", "Tasks", [f"{TASKS}/{key}" for key in call.machine.queue.jobs])


def sub_tasks(call: Call) -> Document | None:
    """The tasks that a task has made: members of the one collection, each told once."""
    found = call.machine.queue.get(call.params["id"])
    if found is None or not found.details.get("made"):
        return None
    return collection(call, "TaskCollection", "Subtasks", [f"{TASKS}/{key}" for key in found.details["made"]])


def task(call: Call) -> Reply | None:
    """One task. Clients that cut the id out of a Location read a profile that was exported for its reader here: it can
    be had as long as the task's monitor.
    """
    found = call.machine.queue.get(call.params["id"])
    if found is None:
        return None
    document = task_document(call, found)
    status = call.machine.policy.unfinished_task_status if found.is_open else 200
    return Reply(status, document, retry_after(call) if status == 202 else (), exported_file(call, found))


def task_document(call: Call, found: Job) -> Document:
    """A job as a Task."""
    document: Document = {
        "@odata.id": f"{TASKS}/{found.id}",
        "@odata.type": "#Task.v1_7_4.Task",
        "Id": found.id,
        "Name": call.dialect.job_name("Task", found, device_kind(call, found)),
        "Description": "A job of the lifecycle job service, as a task",
        "TaskState": call.dialect.word("Task", found),
        "TaskStatus": HEALTH.get(found.state, "OK"),  # from the beginning: OCP's profile of services wants it of all
        "PercentComplete": found.percent,
        "StartTime": call.time(start_time(found)),
        "Messages": job_messages(call, found, "Task"),
        **payload_of(found),
    }
    if found.ended_at is not None:
        document["EndTime"] = call.time(found.ended_at)
    if call.machine.queue.has_monitor(found, call.machine.moment):
        document["TaskMonitor"] = f"{TASK_MONITORS}/{found.id}"
    if found.details.get("made"):
        document["SubTasks"] = link(f"{TASKS}/{found.id}/SubTasks")
    seconds = estimated_seconds(found)
    if seconds is not None:
        document["EstimatedDuration"] = duration_text(seconds)
    made = created_by(call, found)
    if made:
        document["Links"] = {"CreatedResources": [link(uri) for uri in made], "CreatedResources@odata.count": len(made)}
    return call.extended("Task", document)
