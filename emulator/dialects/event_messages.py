"""What events say: DMTF's registries, which every dialect speaks alike.

A job is a task too, so what happens to one is said of both.
"""

from __future__ import annotations

from collections.abc import Mapping

EVENT_MESSAGES: Mapping[str, tuple[str, ...]] = {
    "JobBegan": ("JobEvent.JobStarted", "TaskEvent.TaskStarted"),
    "JobProgressed": ("JobEvent.JobProgressChanged", "TaskEvent.TaskProgressChanged"),
    "JobEndedWell": ("JobEvent.JobCompletedOK", "TaskEvent.TaskCompletedOK"),
    "JobEndedBadly": ("JobEvent.JobCompletedException", "TaskEvent.TaskAborted"),
    "JobWasCancelled": ("JobEvent.JobCancelled", "TaskEvent.TaskCancelled"),
    "JobWasRemoved": ("JobEvent.JobRemoved", "TaskEvent.TaskRemoved"),
    "UpdateBecameJob": ("Update.OperationTransitionedToJob",),
    "UpdateTransfers": ("Update.TransferringToComponent",),
    "UpdateWaits": ("Update.AwaitToUpdate",),
    "UpdateInstalls": ("Update.InstallingOnComponent",),
    "UpdateSucceeded": ("Update.UpdateSuccessful",),
    "UpdateNotTransferred": ("Update.TransferFailed",),
    "UpdateNotApplied": ("Update.ApplyFailed",),
    "ResourceAppeared": ("ResourceEvent.ResourceCreated",),
    "ResourceWentAway": ("ResourceEvent.ResourceRemoved",),
    "ResourceWasChanged": ("ResourceEvent.ResourceChanged",),
    "BecameOK": ("ResourceEvent.ResourceStatusChangedOK",),
    "BecameWarning": ("ResourceEvent.ResourceStatusChangedWarning",),
    "BecameCritical": ("ResourceEvent.ResourceStatusChangedCritical",),
    "HostIsOn": ("ResourceEvent.ResourcePoweredOn",),
    "HostIsOff": ("ResourceEvent.ResourcePoweredOff",),
    "HostGoesOff": ("ResourceEvent.ResourcePoweringOff",),
    "EventTest": ("ResourceEvent.TestMessage",),
    "ServiceIsFunctional": ("HeartbeatEvent.RedfishServiceFunctional",),
    "DeliveryFailed": ("Jobfish.DeliveryFailed",),
    "DeliveryWithheld": ("Jobfish.DeliveryWithheld",),
}
