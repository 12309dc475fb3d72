"""Task monitors: where a client waits for an operation (DSP0266, "Asynchronous operations").

A monitor is 202 with the task while the operation goes on, then it gives the operation's own answer, and some time
after that was read it is gone (TaskService v1_3_0, TaskMonitorAutoExpirySeconds).
"""

from __future__ import annotations

from dataclasses import replace

from emulator.core.job import Job, State
from emulator.core.message import Message
from emulator.mockup.site import Site
from emulator.redfish.errors import error_body
from emulator.redfish.exported_file import exported_file
from emulator.redfish.storage_operation import answer_of
from emulator.redfish.view import (
    TASK_MONITORS,
    Call,
    Document,
    Reply,
    Resource,
    Verb,
    retry_after,
    success_messages,
    without_place,
)
from emulator.redfish.views.job import delete_job, failures
from emulator.redfish.views.task import task_document


def resources(site: Site) -> list[Resource]:
    """The monitors; DELETE of one takes its operation back."""
    cancel = {"DELETE": Verb(cancel_operation, "ConfigureComponents")}
    return [Resource(f"{TASK_MONITORS}/{{id}}", get=task_monitor, verbs=cancel)]


def task_monitor(call: Call) -> Reply | None:
    """202 with the task, or the answer; None when it is gone."""
    found = call.machine.queue.get(call.params["id"])
    if found is None or not call.machine.queue.has_monitor(found, call.machine.moment):
        return None
    task = without_place(task_document(call, found))
    if found.is_open:
        return Reply(202, task, retry_after(call))
    answer = _answer(call, found, task)
    call.machine.answer_was_read(found)
    return answer


def cancel_operation(call: Call) -> Reply:
    """Take back what goes on there, or forget what has ended.

    Raises:
        Rejected: as `delete_job`.
    """
    return delete_job(call)


def _answer(call: Call, found: Job, task: Document) -> Reply:
    """That which the operation would have had at once, or what went wrong."""
    file = exported_file(call, found)
    if file is not None:
        return Reply(200, file=file)
    if found.state is not State.COMPLETED:
        if call.machine.policy.failed_task_monitor == "task":
            return Reply(200, task)
        failed = failures(call, found, found.outcomes)
        return Reply(400, error_body(call.dialect, [*failed, found.message or Message("GeneralError")]))
    own = answer_of(call, found) or Reply(200, {"@Message.ExtendedInfo": success_messages(call)})
    return replace(own, body={**task, **_messages(own)}) if call.dialect.tells_task else own


def _messages(reply: Reply) -> Document:
    return {name: value for name, value in (reply.body or {}).items() if name == "@Message.ExtendedInfo"}
