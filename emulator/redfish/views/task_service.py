"""TaskService: the jobs as tasks, and how long they are kept.

A task is a view of a job, so the rules of keeping are the job service's (`core/queue.py`).
"""

from __future__ import annotations

from emulator.core.message import Message, Rejected
from emulator.mockup.reader import ROOT
from emulator.mockup.site import Site
from emulator.redfish.boot_order import refuse_others
from emulator.redfish.view import TASKS, Call, Document, Reply, Resource, Verb, link, succeeded

TASK_SERVICE = f"{ROOT}/TaskService"
TYPE = "#TaskService.v1_3_0.TaskService"
DELETE_ALL = "TaskService.DeleteAllCompletedTasks"
EXPIRY, AUTO_DELETE = "TaskMonitorAutoExpirySeconds", "TaskAutoDeleteTimeoutMinutes"


def resources(site: Site) -> list[Resource]:
    """The service and its action."""
    change = {"PATCH": Verb(patch_task_service, "ConfigureManager", "TaskService.patch")}
    delete = {"POST": Verb(delete_all_completed, "ConfigureManager", DELETE_ALL, action=DELETE_ALL)}
    return [
        Resource(TASK_SERVICE, get=task_service, verbs=change),
        Resource(f"{TASK_SERVICE}/Actions/{DELETE_ALL}", verbs=delete),
    ]


def task_service(call: Call) -> Document:
    """The service, its clock and its rules."""
    queue, delivered = call.machine.queue, call.base()
    document = {
        "@odata.id": TASK_SERVICE,
        "@odata.type": TYPE,
        "Id": "TaskService",
        "Name": "Task Service",
        **delivered,
        "DateTime": call.time_of_day(),
        "ServiceEnabled": True,
        "CompletedTaskOverWritePolicy": "Manual" if queue.policy.full_store == "refuse" else "Oldest",
        "LifeCycleEventOnTaskStateChange": True,
        "Status": {"State": "Enabled", "Health": "OK"},
        "Tasks": link(TASKS),
    }
    return document | _newer(call) if _is_new(call) else document


def _newer(call: Call) -> Document:
    """What TaskService has since v1_2_0 and v1_3_0."""
    queue = call.machine.queue
    found: Document = {
        EXPIRY: queue.monitor_expiry_seconds,
        "Actions": {f"#{DELETE_ALL}": {"target": f"{TASK_SERVICE}/Actions/{DELETE_ALL}"}},
    }
    if queue.deletes_always:
        found[AUTO_DELETE] = queue.timeout_minutes
    return found


def _is_new(call: Call) -> bool:
    """Whether the tree's schema has them; of a service that it has not, the emulator's own does."""
    return str(call.base().get("@odata.type", TYPE)) >= TYPE


def patch_task_service(call: Call) -> Reply:
    """How long answers and tasks are kept: 200 with the service as it is then.

    Raises:
        Rejected: PropertyNotWritable, PropertyUnknown (for TaskAutoDeleteTimeoutMinutes too, where tasks go only while
            there are many), NoOperation.
    """
    body, machine, shown = call.body, call.machine, task_service(call)
    writable = frozenset({EXPIRY, AUTO_DELETE} & shown.keys())
    refuse_others(shown, body, writable, "")
    if body.keys().isdisjoint(writable):
        raise Rejected(Message("NoOperation"))
    if EXPIRY in body:
        machine.set_monitor_expiry(int(body[EXPIRY]))
    if AUTO_DELETE in body:
        machine.set_task_timeout(int(body[AUTO_DELETE]))
    if call.dialect.names_success:
        return succeeded(call, "OperationDone")
    return Reply(200, task_service(call))


def delete_all_completed(call: Call) -> Reply:
    """Every task that has ended goes, and its job with it."""
    call.machine.delete_finished_jobs()
    return succeeded(call, "OperationDone")
