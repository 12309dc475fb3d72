"""Plain DMTF: the words of Job 1.3, Task 1.7 and the registries that DMTF publishes."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.core.dialect import Dialect, Registry, Words
from emulator.core.job import Kind, State
from emulator.core.queue import Policy

WORDS: Words = {
    (None, State.NEW): "New",
    (None, State.SCHEDULED): "Pending",
    (None, State.RUNNING): "Running",
    (None, State.COMPLETED): "Completed",
    (None, State.COMPLETED_WITH_ERRORS): "Exception",
    (None, State.FAILED): "Exception",
    (None, State.CANCELLED): "Cancelled",
}
"""DMTF has no word for Completed with Errors: a job some of whose work failed is an Exception."""

MESSAGES: Mapping[str, tuple[str, ...]] = {
    "PropertyDependency": ("Base.PropertyValueConflict", "Base.PropertyNotWritable"),
    "PendingCommitted": ("Base.ResourceInUse",),
    "PendingLocked": ("Base.ResourceInUse",),
    "NothingPending": ("Base.NoOperation",),
    "NothingToClear": ("Base.NoOperation",),
    "UnknownJob": ("Base.InvalidObject",),
    "JobStoreFull": ("Base.CreateLimitReachedForResource",),
    "StartTimeInvalid": ("Base.OperationFailed",),
    "WindowTooShort": ("Base.OperationFailed",),
    "JobNew": (),
    "JobScheduled": (),
    "JobRunning": ("JobEvent.JobStarted",),
    "JobCompleted": ("JobEvent.JobCompletedOK",),
    "JobCompletedWithErrors": ("JobEvent.JobCompletedException",),
    "JobFailed": ("JobEvent.JobCompletedException",),
    "JobCancelled": ("JobEvent.JobCancelled",),
    "RebootPending": ("JobEvent.JobStarted",),
    "RebootCompleted": ("JobEvent.JobCompletedOK",),
    "RebootFailed": ("JobEvent.JobCompletedException",),
    "RebootNotPossible": ("Base.OperationFailed",),
    "WindowExpired": ("Base.OperationTimeout",),
    "StepFailed": ("Base.PropertyNotUpdated",),
    "StepInterrupted": ("Base.PropertyNotUpdated",),
    "DefaultsRestored": ("Base.Success",),
    "QueueParameterMissing": ("Base.PropertyMissing",),
    "QueueDuplicateJob": ("Base.PropertyDuplicate",),
    "QueueUnknownJob": ("Base.InvalidObject",),
    "QueueFinishedJob": ("Base.OperationFailed",),
    "QueueScheduledJob": ("Base.ResourceInUse",),
    "UnsupportedMediaType": ("Base.HeaderInvalid",),
    "LoginFailed": ("Base.ResourceAtUriUnauthorized",),
}

TASK_MESSAGES: Mapping[str, tuple[str, ...]] = {
    "JobRunning": ("TaskEvent.TaskStarted",),
    "JobCompleted": ("TaskEvent.TaskCompletedOK",),
    "JobCompletedWithErrors": ("TaskEvent.TaskAborted",),
    "JobFailed": ("TaskEvent.TaskAborted",),
    "JobCancelled": ("TaskEvent.TaskCancelled",),
    "RebootPending": ("TaskEvent.TaskStarted",),
    "RebootCompleted": ("TaskEvent.TaskCompletedOK",),
    "RebootFailed": ("TaskEvent.TaskAborted",),
}


def dialect(registries: Mapping[str, Registry]) -> Dialect:
    """The plain DMTF dialect over these registries."""
    return Dialect(
        name="standard",
        registries=registries,
        messages=MESSAGES,
        messages_in={"Task": TASK_MESSAGES},
        words={"Job": WORDS, "Task": WORDS},
        job_names={
            (view, kind): name
            for view in ("Job", "Task")
            for kind, name in ((Kind.CONFIGURATION, "Configure {target}"), (Kind.REBOOT, "Reboot: {reboot}"))
        },
        policy=Policy(apply_staged_on_reset=True),
    )
