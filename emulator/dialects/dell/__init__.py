"""A lifecycle controller: the words of iDRAC firmware 6 and of the Job Control Profile.

Where a fact comes from is said beside it: [C] was captured from a device, [E] is read from the text of its message
registry.
"""

from __future__ import annotations

from collections.abc import Mapping

from emulator.core.dialect import Dialect, Registry, Words
from emulator.core.job import Kind, State
from emulator.core.queue import Policy

DMTF_WORDS: Words = {
    (None, State.NEW): "New",
    (None, State.SCHEDULED): "Starting",  # [C] a scheduled job is Starting at 0 % in its Task
    (None, State.RUNNING): "Running",
    (None, State.COMPLETED): "Completed",
    (None, State.COMPLETED_WITH_ERRORS): "Exception",
    (None, State.FAILED): "Exception",
    (None, State.CANCELLED): "Cancelled",
}

DELL_WORDS: Words = {
    (None, State.NEW): "New",
    (None, State.SCHEDULED): "Scheduled",
    (None, State.RUNNING): "Running",
    (None, State.COMPLETED): "Completed",
    (None, State.COMPLETED_WITH_ERRORS): "CompletedWithErrors",
    (None, State.FAILED): "Failed",
    (None, State.CANCELLED): "Failed",
    (Kind.REBOOT, State.RUNNING): "RebootPending",
    (Kind.REBOOT, State.COMPLETED): "RebootCompleted",
    (Kind.REBOOT, State.COMPLETED_WITH_ERRORS): "RebootCompleted",
    (Kind.REBOOT, State.FAILED): "RebootFailed",
}

MESSAGES: Mapping[str, tuple[str, ...]] = {
    # what is wrong with a request: the controller's own message first, then DMTF's for neutral clients
    "MalformedJSON": ("IDRAC.SYS405", "Base.MalformedJSON"),
    "PropertyUnknown": ("IDRAC.SYS429", "Base.PropertyUnknown"),
    "PropertyMissing": ("IDRAC.SYS428", "Base.PropertyMissing"),
    "PropertyValueTypeError": ("IDRAC.SYS409", "Base.PropertyValueTypeError"),
    "PropertyValueNotInList": ("IDRAC.SYS426", "Base.PropertyValueNotInList"),
    "PropertyValueOutOfRange": ("IDRAC.SYS409", "Base.PropertyValueOutOfRange"),
    "PropertyValueFormatError": ("IDRAC.SYS409", "Base.PropertyValueFormatError"),
    "PropertyNotWritable": ("IDRAC.SYS427", "Base.PropertyNotWritable"),
    "ActionParameterValueNotInList": ("IDRAC.SYS426", "Base.ActionParameterValueNotInList"),
    "PropertyDependency": ("IDRAC.SYS410", "Base.PropertyNotWritable"),
    "ActionParameterMissing": ("IDRAC.SYS428:1", "Base.ActionParameterMissing"),
    "ActionParameterUnknown": ("IDRAC.SYS429:1", "Base.ActionParameterUnknown"),
    "ActionParameterValueTypeError": ("IDRAC.SYS409", "Base.ActionParameterValueTypeError"),
    "ActionParameterValueFormatError": ("IDRAC.SYS409", "Base.ActionParameterValueFormatError"),
    "ActionParameterValueOutOfRange": ("IDRAC.SYS409", "Base.ActionParameterValueOutOfRange"),
    "UnsupportedMediaType": ("IDRAC.SYS401",),
    "ResourceMissingAtURI": ("IDRAC.SYS403", "Base.ResourceMissingAtURI"),
    "OperationNotAllowed": ("IDRAC.SYS402", "Base.OperationNotAllowed"),
    "InsufficientPrivilege": ("IDRAC.SYS479", "Base.InsufficientPrivilege"),
    "AccessUnauthorized": ("IDRAC.SYS416", "Base.AccessUnauthorized"),
    "LoginFailed": ("IDRAC.SYS415", "Base.ResourceAtUriUnauthorized"),
    # the job service
    "PendingCommitted": ("IDRAC.SYS011",),  # [C]
    "PendingLocked": ("IDRAC.BIOS011",),  # [E]
    "NothingPending": ("IDRAC.BIOS008",),  # [C] the text
    "NothingToClear": ("IDRAC.BIOS012",),  # [E]
    "UnknownJob": ("IDRAC.SUP011",),  # [E]
    "JobStoreFull": ("IDRAC.JCP017",),  # [E]
    "StartTimeInvalid": ("IDRAC.SUP017",),  # [E]
    "UntilTimeInvalid": ("IDRAC.SUP018",),  # [E]
    "WindowTooShort": ("IDRAC.JCP016",),  # [E]
    "QueueParameterMissing": ("IDRAC.JCP013",),  # [E]
    "QueueDuplicateJob": ("IDRAC.JCP023",),  # [E]
    "QueueUnknownJob": ("IDRAC.JCP022",),  # [E]
    "QueueFinishedJob": ("IDRAC.SUP016",),  # [E]
    "QueueScheduledJob": ("IDRAC.SUP031",),  # [E]
    "JobNew": ("IDRAC.JCP033",),
    "JobScheduled": ("IDRAC.JCP001",),  # [C]
    "JobRunning": ("IDRAC.PR20",),  # [C]
    "JobCompleted": ("IDRAC.PR19",),  # [C]
    "JobCompletedWithErrors": ("IDRAC.PR31",),  # [E]
    "JobFailed": ("IDRAC.PR21",),  # [E]
    "JobCancelled": ("IDRAC.JCP009",),  # [E]
    "RebootPending": ("IDRAC.RED029",),  # [E]
    "RebootCompleted": ("IDRAC.RED030",),  # [C]
    "RebootFailed": ("IDRAC.RED033",),  # [E]
    "RebootNotPossible": ("IDRAC.RED033",),
    "WindowExpired": ("IDRAC.JCP004",),  # [E]
    "StepFailed": ("IDRAC.SYS017",),
    "StepInterrupted": ("IDRAC.SYS017",),
    "DefaultsRestored": ("IDRAC.UEFI0157",),  # [E]
    # successes
    "OperationDone": ("IDRAC.SYS413",),  # [C]
    "JobDeleted": ("IDRAC.SUP020",),  # [C]
}


def dialect(registries: Mapping[str, Registry]) -> Dialect:
    """The lifecycle controller's dialect over these registries."""
    return Dialect(
        name="dell",
        registries=registries,
        messages=MESSAGES,
        words={"Job": DMTF_WORDS, "Task": DMTF_WORDS, "DellJob": DELL_WORDS},
        job_names={
            ("DellJob", Kind.CONFIGURATION): "Configure: {target}",  # [C]
            ("Job", Kind.CONFIGURATION): "Config{device}:{target}",  # [C]
            ("Task", Kind.CONFIGURATION): "Configure: {target}",
            **{(view, Kind.REBOOT): "Reboot: {reboot}" for view in ("Job", "Task", "DellJob")},
        },
        related_prefix="#/",
        accepted_location="/redfish/v1/TaskService/Tasks/{id}",  # suits every client; see docs/architecture.md
        task_answers_as_monitor=True,
        names_success=True,
        policy=Policy(),
    )
