"""Plain DMTF: the words of Job 1.3, Task 1.7 and the registries that DMTF publishes."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.core.dialect import Dialect, Registry, Words
from emulator.core.job import Kind, State
from emulator.core.policy import Policy
from emulator.dialects.standard.storage_messages import STORAGE_MESSAGES

WORDS: Words = {
    (None, State.NEW): "New",
    (None, State.DOWNLOADING): "Running",
    (None, State.DOWNLOADED): "Pending",
    (None, State.READY): "New",
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
    "SequenceRepeats": ("Jobfish.SequenceRepeats",),
    "SequenceIncomplete": ("Jobfish.SequenceIncomplete",),
    "PendingCommitted": ("Base.ResourceInUse",),
    "TargetHasJob": ("Base.ResourceInUse",),
    "PendingLocked": ("Base.ResourceInUse",),
    "NothingPending": ("Base.NoOperation",),
    "NothingToClear": ("Base.NoOperation",),
    "UnknownJob": ("Base.InvalidObject:0",),
    "JobStoreFull": ("Base.CreateLimitReachedForResource",),
    "JobIsRunning": ("Base.ResourceInUse",),
    "UpdateIsRunning": ("Base.ResourceInUse",),
    "JobIsDownloading": ("Base.ResourceInUse",),
    "StartTimeInvalid": ("Base.OperationFailed",),
    "UntilTimeInvalid": ("Base.OperationFailed",),
    "StartTimeMalformed": ("Base.PropertyValueFormatError",),
    "UntilTimeMalformed": ("Base.PropertyValueFormatError",),
    "WindowTooShort": ("Base.OperationFailed",),
    "WindowTimeInvalid": ("Base.PropertyValueFormatError:0,1",),
    "WindowStartInvalid": ("Base.PropertyValueOutOfRange:0,1",),
    "WindowDurationTooShort": ("Base.PropertyValueOutOfRange:0,1",),
    "JobNew": (),
    "JobReady": (),
    "JobReadyForRestart": (),
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
    "ShutdownTimedOut": ("Base.OperationTimeout",),
    "WindowExpired": ("Base.OperationTimeout",),
    "StepFailed": ("Base.PropertyNotUpdated",),
    "StepInterrupted": ("Base.PropertyNotUpdated",),
    "DefaultsRestored": ("Jobfish.DefaultsRestored",),
    "QueueParameterMissing": ("Base.PropertyMissing",),
    "QueueTooLong": ("Base.OperationFailed",),
    "QueueDuplicateJob": ("Base.PropertyDuplicate",),
    "QueueUnknownJob": ("Base.InvalidObject",),
    "QueueFinishedJob": ("Base.OperationFailed",),
    "QueueScheduledJob": ("Base.ResourceInUse",),
    # recurring jobs
    "ScheduleStartInvalid": ("Base.PropertyValueOutOfRange:0,1",),
    "ScheduleNeverOccurs": ("Jobfish.ScheduleNeverOccurs",),
    "TargetNotSchedulable": ("Base.PropertyValueNotInList:0,1", "Jobfish.TargetNotSchedulable:0,2"),
    "OccurrenceDone": ("Jobfish.OccurrenceDone",),
    "OccurrenceFailed": ("Jobfish.OccurrenceFailed",),
    "RecurringJobCreated": ("Jobfish.JobCreated",),
    # updates
    "UpdateDownloading": ("JobEvent.JobStarted",),
    "UpdateDownloaded": (),
    "UpdateCompleted": ("JobEvent.JobCompletedOK",),
    "DownloadFailed": ("Jobfish.DownloadFailed",),
    "ImageInvalid": ("Jobfish.ImageInvalid:1",),
    "ImageForUnknownComponent": ("Jobfish.ImageForUnknownComponent:1",),
    "ImageForOtherComponent": ("Jobfish.ImageForOtherComponent:1,2",),
    "ComponentNotUpdateable": ("Jobfish.ComponentNotUpdateable:1",),
    "ComponentHasJob": ("Base.ResourceInUse",),
    "UpdateNotNewer": ("Jobfish.UpdateNotNewer:1,2,3",),
    "NoRollback": ("Base.OperationFailed",),
    # profiles: no plain service offers them, but their jobs have words all the same
    "ProfileBusy": ("Base.ResourceInUse",),
    "PendingExists": ("Base.ResourceInUse",),
    "ProfileNothingChosen": ("Jobfish.ProfileNothingChosen",),
    "ProfileNoSuchDevice": ("Jobfish.ProfileNoSuchDevice",),
    "ProfileExporting": ("JobEvent.JobStarted",),
    "ProfileExported": ("JobEvent.JobCompletedOK",),
    "ProfileExportFailed": ("JobEvent.JobCompletedException",),
    "ProfileTransferFailed": ("Jobfish.ProfileTransferFailed:1",),
    "ProfileComparing": ("JobEvent.JobStarted",),
    "ProfilePreviewing": ("JobEvent.JobStarted",),
    "ProfilePreviewed": ("JobEvent.JobCompletedOK",),
    "ProfileWaitingForShutdown": ("JobEvent.JobStarted",),
    "ProfileApplying": ("JobEvent.JobStarted",),
    "ProfileImported": ("JobEvent.JobCompletedOK",),
    "ProfileImportedWithErrors": ("JobEvent.JobCompletedException",),
    "ProfileImportFailed": ("JobEvent.JobCompletedException",),
    "ProfileShutdownTimedOut": ("Base.OperationTimeout",),
    "ProfileNeedsRestart": ("JobEvent.JobCompletedOK",),
    "ProfileChangesNothing": ("JobEvent.JobCompletedOK",),
    # the controller, and what only its log says
    "ControllerNotReady": ("Base.ServiceTemporarilyUnavailable",),
    "ControllerAway": ("Base.ServiceTemporarilyUnavailable",),
    "ControllerRestarting": ("Jobfish.ControllerRestarting",),
    "ControllerRestarted": ("Jobfish.ControllerRestarted",),
    "HostStarting": ("Jobfish.HostStarting",),
    "HostBootsFrom": ("Jobfish.HostBootsFrom",),
    "HostPoweredOff": ("Jobfish.HostPoweredOff",),
    "HostPowerCycled": ("Jobfish.HostPowerCycled",),
    "JobCreated": ("Jobfish.JobCreated",),
    "JobScheduledFrom": ("Jobfish.JobScheduled",),
    "JobScheduledInWindow": ("Jobfish.JobScheduledInWindow",),
    "RebootScheduled": ("Jobfish.JobScheduled",),
    "JobForgotten": ("JobEvent.JobRemoved",),
    "QueueCleared": ("Jobfish.QueueCleared",),
    "QueueClearedByForce": ("Jobfish.QueueCleared",),
    "FirmwareChanged": ("Jobfish.FirmwareChanged",),
    "StepDone": ("Jobfish.StepDone",),
    "StepUndone": ("Jobfish.StepUndone",),
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
    "UpdateDownloading": ("TaskEvent.TaskStarted",),
    "UpdateCompleted": ("TaskEvent.TaskCompletedOK",),
    "RebootCompleted": ("TaskEvent.TaskCompletedOK",),
    "RebootFailed": ("TaskEvent.TaskAborted",),
}


LOG_MESSAGES: Mapping[str, tuple[str, ...]] = {
    "JobNew": ("Jobfish.JobCreated",),
    "JobScheduled": ("Jobfish.JobIsScheduled",),
    "JobReady": ("Jobfish.JobIsReady",),
    "JobReadyForRestart": ("Jobfish.JobIsReady",),
    "UpdateDownloaded": ("Jobfish.PackageArrived",),
}
"""What the log says where a job's own view has no word."""

JOB_NAMES: Mapping[Kind, str] = {
    Kind.CONFIGURATION: "Configure {target}",
    Kind.REBOOT: "Reboot: {reboot}",
    Kind.UPDATE: "Firmware Update: {part}",
    Kind.EXPORT: "Export Configuration",
    Kind.IMPORT: "Import Configuration",
    Kind.PREVIEW: "Preview Configuration",
    Kind.RECURRING: "Scheduled: {request}",
}


def dialect(registries: Mapping[str, Registry]) -> Dialect:
    """The plain DMTF dialect over these registries."""
    return Dialect(
        name="standard",
        registries=registries,
        messages={**MESSAGES, **STORAGE_MESSAGES},
        messages_in={"Task": TASK_MESSAGES, "Log": LOG_MESSAGES},
        words={"Job": WORDS, "Task": WORDS},
        job_names={(view, kind): name for view in ("Job", "Task") for kind, name in JOB_NAMES.items()},
        policy=Policy(
            apply_staged_on_reset=True,
            unqueued_jobs="schedule",
            completed_with_errors="all",
            recurring_job_ids="jid",
            create_job_status=201,
        ),
    )
