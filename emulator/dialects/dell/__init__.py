"""A lifecycle controller: the words of iDRAC firmware 6 and of the Job Control Profile.

Where a fact comes from is said beside it: [C] was captured from a device, [E] is read from the text of its message
registry.
"""

from __future__ import annotations

from collections.abc import Mapping

from emulator.core.dialect import Dialect, Registry, Words
from emulator.core.job import Kind, State
from emulator.core.policy import Policy
from emulator.dialects.access_messages import ACCESS_MESSAGES
from emulator.dialects.dell.storage_messages import ABOUT_STORAGE, STORAGE_MESSAGES
from emulator.dialects.event_messages import EVENT_MESSAGES

DMTF_WORDS: Words = {
    (None, State.NEW): "New",
    (None, State.DOWNLOADING): "Running",
    (None, State.DOWNLOADED): "Pending",
    (None, State.READY): "New",
    (None, State.SCHEDULED): "Starting",  # [C] a scheduled job is Starting at 0 % in its Task
    (None, State.RUNNING): "Running",
    (None, State.COMPLETED): "Completed",
    (None, State.COMPLETED_WITH_ERRORS): "Exception",
    (None, State.FAILED): "Exception",
    (None, State.CANCELLED): "Cancelled",
    (Kind.RECURRING, State.SCHEDULED): "Pending",  # it waits for its schedule, for weeks perhaps (Job 1.3)
}

DELL_WORDS: Words = {
    (None, State.NEW): "New",
    (None, State.DOWNLOADING): "Downloading",
    (None, State.DOWNLOADED): "Downloaded",
    (None, State.READY): "ReadyForExecution",
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
    "SequenceRepeats": ("Jobfish.SequenceRepeats",),
    "SequenceIncomplete": ("Jobfish.SequenceIncomplete",),
    "ActionParameterMissing": ("IDRAC.SYS428:1", "Base.ActionParameterMissing"),
    "ActionParameterUnknown": ("IDRAC.SYS429:1", "Base.ActionParameterUnknown"),
    "ActionParameterValueTypeError": ("IDRAC.SYS409", "Base.ActionParameterValueTypeError"),
    "ActionParameterValueFormatError": ("IDRAC.SYS409", "Base.ActionParameterValueFormatError"),
    "ActionParameterValueOutOfRange": ("IDRAC.SYS409", "Base.ActionParameterValueOutOfRange"),
    "NotAcceptable": ("Jobfish.NotAcceptable",),
    "UnsupportedMediaType": ("IDRAC.SYS401",),
    "ResourceMissingAtURI": ("IDRAC.SYS403", "Base.ResourceMissingAtURI"),
    "PreconditionRequired": ("IDRAC.SYS404", "Base.PreconditionRequired"),
    "OperationNotAllowed": ("IDRAC.SYS402", "Base.OperationNotAllowed"),
    "InsufficientPrivilege": ("IDRAC.SYS479", "Base.InsufficientPrivilege"),
    "AccessUnauthorized": ("IDRAC.SYS416", "Base.AccessUnauthorized"),
    "LoginFailed": ("IDRAC.SYS415", "Base.ResourceAtUriUnauthorized"),
    # the job service
    "PendingCommitted": ("IDRAC.SYS011",),  # [C]
    "TargetHasJob": ("IDRAC.SYS011",),  # [C]
    "PendingLocked": ("IDRAC.BIOS011",),  # [E]
    "NothingPending": ("IDRAC.BIOS008",),  # [C] the text
    "NothingToClear": ("IDRAC.BIOS012",),  # [E]
    "UnknownJob": ("IDRAC.SUP011", "IDRAC.JCP022"),  # [E]
    "JobStoreFull": ("IDRAC.JCP017",),  # [E]
    "StartTimeInvalid": ("IDRAC.SUP017",),  # [E]
    "UntilTimeInvalid": ("IDRAC.SUP018",),  # [E]
    "StartTimeMalformed": ("IDRAC.SUP017", "IDRAC.JCP011:1"),  # [E]
    "UntilTimeMalformed": ("IDRAC.SUP018", "IDRAC.JCP011:1"),  # [E]
    "WindowTooShort": ("IDRAC.JCP016",),  # [E]
    "WindowTimeInvalid": ("IDRAC.SYS447",),  # [E]
    "WindowStartInvalid": ("IDRAC.SYS436",),  # [E]
    "WindowDurationTooShort": ("IDRAC.SYS448",),  # [E]
    "QueueParameterMissing": ("IDRAC.JCP013",),  # [E]
    "QueueTooLong": ("IDRAC.JCP014",),  # [E]
    "QueueDuplicateJob": ("IDRAC.JCP023", "IDRAC.SUP023"),  # [E]
    "QueueUnknownJob": ("IDRAC.JCP022", "IDRAC.SUP011"),  # [E]
    "QueueFinishedJob": ("IDRAC.SUP016",),  # [E]
    "QueueScheduledJob": ("IDRAC.SUP031", "IDRAC.SUP016"),  # [E]
    "RebootTypeInvalid": ("IDRAC.SYS426:0,1", "IDRAC.SUP005:0", "Base.ActionParameterValueNotInList"),  # [E]
    "JobIsRunning": ("IDRAC.JCP015",),  # [E]
    "UpdateIsRunning": ("IDRAC.SUP013",),  # [E]
    "JobIsDownloading": ("IDRAC.SUP006",),  # [E]
    "JobNew": ("IDRAC.JCP033",),
    "JobReady": ("IDRAC.PR23",),  # [E]
    "JobReadyForRestart": ("IDRAC.JCP001",),  # the next restart takes it along: it is on the schedule
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
    "ShutdownTimedOut": ("IDRAC.SYS051",),
    "WindowExpired": ("IDRAC.JCP004",),  # [E]
    "StepFailed": ("IDRAC.SYS017",),
    "StepInterrupted": ("IDRAC.SYS017",),
    "CertificateNotUsable": ("Jobfish.CertificateNotUsable",),
    "CertificateRequestNotPossible": ("Jobfish.CertificateRequestNotPossible",),
    "DefaultsRestored": ("IDRAC.UEFI0157",),  # [E]
    # recurring jobs
    "ScheduleStartInvalid": ("IDRAC.SYS436",),  # [E]
    "ScheduleNeverOccurs": ("Jobfish.ScheduleNeverOccurs",),
    "TargetNotSchedulable": ("IDRAC.SYS426:0,1", "Jobfish.TargetNotSchedulable:0,2"),
    "OccurrenceDone": ("Jobfish.OccurrenceDone",),
    "UriTooLong": ("Jobfish.UriTooLong",),
    "HeadersTooLarge": ("Jobfish.HeadersTooLarge",),
    "ExpansionTooLarge": ("Jobfish.ExpansionTooLarge",),
    "OccurrenceFailed": ("Jobfish.OccurrenceFailed",),
    "RecurringJobCreated": ("Jobfish.JobCreated",),
    # updates
    "UpdateDownloading": ("IDRAC.RED003",),  # [E]
    "UpdateDownloaded": ("IDRAC.RED002",),  # [E]
    "UpdateCompleted": ("IDRAC.RED001",),  # [C]
    "DownloadFailed": ("IDRAC.RED006:1",),  # [E]
    "ImageInvalid": ("IDRAC.RED007:1",),  # [E]
    "ImageForUnknownComponent": ("Jobfish.ImageForUnknownComponent:1",),
    "ImageForOtherComponent": ("Jobfish.ImageForOtherComponent:1,2",),
    "ComponentNotUpdateable": ("Jobfish.ComponentNotUpdateable:1",),
    "ComponentHasJob": ("IDRAC.RED014",),  # [E]
    "UpdateNotNewer": ("Jobfish.UpdateNotNewer:1,2,3",),
    "NoRollback": ("IDRAC.RED019",),  # [E]
    # updates from a repository
    "CatalogDownloading": ("IDRAC.RED003",),
    "CatalogDownloaded": ("IDRAC.RED002",),
    "RepositoryCompared": ("IDRAC.RED001",),
    "RepositoryAllCurrent": ("IDRAC.RED064",),  # [E]
    "RepositoryApplied": ("IDRAC.RED065",),  # [E]
    "RepositoryStaged": ("IDRAC.RED066",),  # [E]
    "RepositoryRestarts": ("IDRAC.RED067",),  # [E]
    "RepositoryFailed": ("IDRAC.RED068",),  # [E] ansible looks for it in the log
    "RepositoryBusy": ("IDRAC.RED034",),  # [E]
    "RepositoryUnknown": ("IDRAC.SUP028",),  # [E]
    "RepositoryCurrent": ("IDRAC.SUP029",),  # [E] the text is older firmware's, which clients compare
    "UpdateTargetUnknown": ("IDRAC.SUP024",),  # [E]
    # server configuration profiles
    "ProfileBusy": ("IDRAC.RAC0679",),  # [C]
    "PendingExists": ("IDRAC.LC068",),  # [C]
    "ProfileNothingChosen": ("Jobfish.ProfileNothingChosen",),
    "ProfileInvalid": ("Jobfish.ProfileInvalid",),
    "ShareTypeNotPossible": ("Jobfish.ShareTypeNotPossible",),
    "ProfileNoSuchDevice": ("Jobfish.ProfileNoSuchDevice",),
    "ProfileExporting": ("IDRAC.SYS057",),
    "ProfileExported": ("IDRAC.SYS043",),
    "ProfileExportFailed": ("IDRAC.SYS071",),
    "ProfileTransferFailed": ("Jobfish.ProfileTransferFailed:1",),
    "ProfileComparing": ("IDRAC.SYS052",),
    "ProfileWaitingForShutdown": ("IDRAC.SYS056",),
    "ProfileApplying": ("IDRAC.SYS058",),
    "ProfileImported": ("IDRAC.SYS053",),
    "ProfileImportedWithErrors": ("IDRAC.SYS055",),
    "ProfileImportFailed": ("IDRAC.SYS067",),
    "ProfileShutdownTimedOut": ("IDRAC.SYS051",),
    "ProfileNeedsRestart": ("IDRAC.SYS068",),
    "ProfileChangesNothing": ("IDRAC.SYS069",),
    "ProfilePreviewing": ("IDRAC.SYS192",),
    "ProfilePreviewed": ("IDRAC.SYS081",),
    # diagnostics and system erase
    "DiagnosticsExist": ("IDRAC.SYS098",),  # [E]
    "DiagnosticsCompleted": ("IDRAC.SYS018",),  # [C]
    "DiagnosticsInterrupted": ("IDRAC.SYS172",),  # [E]
    "DiagnosticsTestFailed": ("Jobfish.DiagnosticsTestFailed",),
    "NoDiagnosticsResult": ("IDRAC.SYS099",),  # [E]
    "DiagnosticsExported": ("IDRAC.SYS085",),  # [E]
    "DiagnosticsNotExported": ("IDRAC.SYS086:1",),  # [E]
    "EraseBusy": ("IDRAC.SYS168",),  # [E]
    "EraseCompleted": ("IDRAC.SYS018",),  # [C]
    "EraseCompletedWithErrors": ("IDRAC.SYS152",),  # [E]
    "EraseFailed": ("IDRAC.SYS157",),  # [E]
    "ComponentErased": ("Jobfish.ComponentErased",),
    "ComponentNotErased": ("Jobfish.ComponentNotErased",),
    "NothingToErase": ("Jobfish.NothingToErase",),
    "NoDrivesToErase": ("IDRAC.SYS204",),  # [E]
    "NoMemoryToErase": ("IDRAC.SYS307",),  # [E]
    "CacheNotErased": ("IDRAC.SYS158",),  # [E]
    "CardNotErased": ("IDRAC.SYS159",),  # [E]
    "CardErased": ("IDRAC.SYS145",),  # [E]
    "DiagnosticsErased": ("IDRAC.SYS143",),  # [E]
    "DriversErased": ("IDRAC.SYS142",),  # [E]
    "ControllerSettingsErased": ("IDRAC.SYS149",),  # [E]
    "LifecycleDataErased": ("IDRAC.SYS141",),  # [E]
    # virtual media
    "MediaInUse": ("IDRAC.VRM0021", "Jobfish.MediaInUse"),
    "NoMediaInserted": ("Jobfish.NoMediaInserted",),
    "MediaInserted": ("Jobfish.MediaInserted",),
    "MediaEjected": ("Jobfish.MediaEjected",),
    # the controller, and what only its log says
    "TimeNotAhead": ("IDRAC.SWC0014", "Jobfish.TimeNotAhead"),
    "ControllerNotReady": ("IDRAC.SWC0700",),  # [C]
    "ControllerAway": ("Base.ServiceTemporarilyUnavailable", "IDRAC.SWC0700"),
    "ControllerRestarting": ("Jobfish.ControllerRestarting",),
    "ControllerRestarted": ("IDRAC.RAC0182",),
    "HostStarting": ("IDRAC.SYS1003",),
    "HostBootsFrom": ("Jobfish.HostBootsFrom",),
    "HostPoweredOff": ("IDRAC.SYS1001",),
    "HostPowerCycled": ("IDRAC.SYS1002",),
    "JobCreated": ("IDRAC.JCP027",),  # [E]
    "JobScheduledFrom": ("IDRAC.JCP051",),  # [E]
    "JobScheduledInWindow": ("IDRAC.JCP049",),  # [E]
    "RebootScheduled": ("IDRAC.JCP050",),  # [E]
    "JobForgotten": ("IDRAC.JCP036",),  # [E]
    "QueueCleared": ("IDRAC.JCP045",),  # [E]
    "QueueClearedByForce": ("IDRAC.JCP046",),  # [E]
    "FirmwareChanged": ("IDRAC.PR36",),  # [E]
    "StepDone": ("Jobfish.StepDone",),
    "StepUndone": ("Jobfish.StepUndone",),
    # network ports
    "AdapterReplaced": ("Jobfish.AdapterReplaced",),
    "CableInserted": ("Jobfish.CableInserted:0,3",),
    "CableRemoved": ("Jobfish.CableRemoved:0,3",),
    "ConnectionDropped": ("IDRAC.NIC100:0,3",),  # [E]
    "ConnectionEstablished": ("IDRAC.NIC101:0,3",),  # [E]
    # successes
    "OperationDone": ("IDRAC.SYS413",),  # [C]
    "JobDeleted": ("IDRAC.SUP020",),  # [C]
    "ResourceCreated": ("IDRAC.SYS414",),  # [C]
    "ControllerIsReady": ("IDRAC.LC061",),  # [C]
    "ControllerIsNotReady": ("IDRAC.LC060",),  # [C]
}

LOG_MESSAGES: Mapping[str, tuple[str, ...]] = {
    "JobCompleted": ("IDRAC.JCP037",),
    "UpdateCompleted": ("IDRAC.JCP037",),
    "RepositoryCompared": ("IDRAC.JCP037",),
}
"""What the lifecycle log says with another entry, one that names the job."""

NIC_MESSAGES: Mapping[str, tuple[str, ...]] = {
    "PropertyUnknown": ("IDRAC.NIC013", "Base.PropertyUnknown"),  # [E]
    "PropertyValueTypeError": ("IDRAC.NIC014:1,0", "Base.PropertyValueTypeError"),  # [E]
    "PropertyValueNotInList": ("IDRAC.NIC014:1,0", "Base.PropertyValueNotInList"),  # [E]
    "PropertyValueOutOfRange": ("IDRAC.NIC014:1,0", "Base.PropertyValueOutOfRange"),  # [E]
    "PropertyValueFormatError": ("IDRAC.NIC014:1,0", "Base.PropertyValueFormatError"),  # [E]
    "StringValueTooLong": ("IDRAC.NIC014:2,0", "Base.StringValueTooLong"),  # [E]
    "StringValueTooShort": ("IDRAC.NIC014:2,0", "Base.StringValueTooShort"),  # [E]
    "PropertyNotWritable": ("IDRAC.NIC015", "Base.PropertyNotWritable"),  # [E]
    "PropertyDependency": ("IDRAC.NIC016", "Base.PropertyNotWritable"),  # [E]
    "PendingCommitted": ("IDRAC.SYS011", "IDRAC.NIC006"),  # [E]
    "TargetHasJob": ("IDRAC.SYS011", "IDRAC.NIC007"),  # [E]
    "PendingLocked": ("IDRAC.NIC011",),  # [E]
    "NothingPending": ("IDRAC.NIC008",),  # [E]
    "NothingToClear": ("IDRAC.NIC012",),  # [E] the text
}
"""What is said with another entry of a network adapter. An attribute's name comes first: clients look for it there."""


JOB_NAMES: Mapping[Kind, str] = {
    Kind.REPOSITORY: "Repository Update",
    Kind.REBOOT: "Reboot: {reboot}",
    Kind.UPDATE: "Firmware Update: {part}",  # [C]
    Kind.EXPORT: "Export: Server Configuration Profile",  # [C]
    Kind.IMPORT: "Import Configuration",  # [C]
    Kind.PREVIEW: "Preview Configuration",
    Kind.DIAGNOSTICS: "Remote Diagnostics",  # [C]
    Kind.DIAGNOSTICS_EXPORT: "Export: ePSA Diagnostics",
    Kind.ERASE: "System_Erase",  # [C]
    Kind.RECURRING: "Scheduled: {request}",
}


def dialect(registries: Mapping[str, Registry]) -> Dialect:
    """The lifecycle controller's dialect over these registries."""
    return Dialect(
        name="dell",
        registries=registries,
        messages={**MESSAGES, **STORAGE_MESSAGES, **ACCESS_MESSAGES, **EVENT_MESSAGES},
        words={"Job": DMTF_WORDS, "Task": DMTF_WORDS, "DellJob": DELL_WORDS},
        job_names={
            ("DellJob", Kind.CONFIGURATION): "Configure: {target}",  # [C]
            ("Job", Kind.CONFIGURATION): "Config{device}:{target}",  # [C]
            ("Task", Kind.CONFIGURATION): "Configure: {target}",
            **{(view, kind): name for view in ("Job", "Task", "DellJob") for kind, name in JOB_NAMES.items()},
        },
        messages_in={"Log": LOG_MESSAGES},
        messages_about={"nic": NIC_MESSAGES, "raid": ABOUT_STORAGE},
        related_prefix="#/",
        tells_task=True,
        names_success=True,
        completes_boot_requests=True,
        policy=Policy(failed_task_monitor="task"),
    )
