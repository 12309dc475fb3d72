"""Operations on storage, as every face of Redfish asks for them: when they are done, and the job that does them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from emulator.core.device import OPERATIONS
from emulator.core.job import Job, Kind
from emulator.core.message import Message, Rejected
from emulator.devices.raid import Raid
from emulator.devices.raid.layout import Condition, Layout, Work
from emulator.mockup.storage import StoragePlace
from emulator.redfish.apply_time import (
    AT_START,
    IMMEDIATE,
    MAINTENANCE_WINDOW,
    ON_RESET_IN_WINDOW,
    OPERATION_APPLY_TIME,
    SETTINGS_APPLY_TIME,
    window_of,
)
from emulator.redfish.settings_resource import stage as stage_values
from emulator.redfish.view import Call, Document, Reply, accepted, created_messages, succeeded

SUPPORT = "@Redfish.OperationApplyTimeSupport"
HEALTHS = ("OK", "Warning", "Critical")
ON_RESET = "OnReset"
STAGED_APPLY_TIMES = (ON_RESET, AT_START, ON_RESET_IN_WINDOW)
Operation = tuple[str, str, Mapping[str, Any]]
"""A name of `devices.raid.ALL_OPERATIONS`, the id of what it is done to ("" for the controller, or a volume that is yet
to be), and its parameters."""


def apply_times(place: StoragePlace) -> list[str]:
    """When an operation on this controller can be done: SupportedValues of @Redfish.OperationApplyTimeSupport."""
    return [*((IMMEDIATE,) if place.is_real_time else ()), ON_RESET]


def operation_support(place: StoragePlace) -> Document:
    """@Redfish.OperationApplyTimeSupport."""
    return {"@odata.type": "#Settings.v1_4_0.OperationApplyTimeSupport", "SupportedValues": apply_times(place)}


def unknown(path: str, given: Mapping[str, Any], known: Collection[str]) -> Iterator[Message]:
    """A message for each property of an object at this path that nobody knows; annotations are passed over."""
    for name in given:
        if name not in known and "@" not in name:
            yield Message("PropertyUnknown", (f"{path}/{name}",), (f"{path}/{name}",))


def controller(call: Call, place: StoragePlace) -> Raid:
    """The device behind this Storage."""
    device = call.machine.devices[place.device_id]
    assert isinstance(device, Raid), "the site says so"
    return device


def layout(call: Call, place: StoragePlace) -> Layout:
    """How it is configured now."""
    return controller(call, place).layout


def drive_health(now: Layout, drive: str) -> str:
    """What a drive means for the health of what holds it. One that was taken out is no harm to that."""
    disk = now.disks[drive]
    if disk.condition is Condition.FAILED:
        return "Critical"
    return "Warning" if disk.predicted else "OK"


def worst(*healths: str | None) -> str:
    """The gravest Health of these."""
    return max((health for health in healths if health in HEALTHS), key=HEALTHS.index, default=HEALTHS[0])


def missing_drives(call: Call) -> frozenset[str]:
    """The ids of all drives that have been taken out."""
    return frozenset(
        drive
        for place in call.site.storages
        for drive, disk in layout(call, place).disks.items()
        if disk.condition is Condition.REMOVED
    )


def pending_layout(call: Call, place: StoragePlace) -> Layout | None:
    """How it will be when what is staged is done; None where nothing is, or where it cannot be done any more."""
    staged = call.machine.values_pending(place.device_id)
    try:
        return controller(call, place).after(staged) if staged else None
    except Rejected:
        return None


def percent(call: Call, work: Work) -> int:
    """How far something is that takes the controller long, in percent; the answer holds until it is one more."""
    done = work.percent(call.machine.moment)
    call.holds_until(work.began + (work.ends - work.began) * (done + 1) / 100)
    return done


def settings_apply_times(place: StoragePlace) -> list[str]:
    """When staged values can be applied: SupportedApplyTimes of @Redfish.Settings."""
    return [*((IMMEDIATE,) if place.is_real_time else ()), *STAGED_APPLY_TIMES]


def operate(
    call: Call,
    place: StoragePlace,
    *operations: Operation,
    apply_time: str | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Reply:
    """202 with the job that sets these attributes of the controller and does these operations, in this order.

    When: `apply_time`, else what the body says (@Redfish.OperationApplyTime), else at once where the controller can,
    else at the host's next restart. In a maintenance window: @Redfish.MaintenanceWindow of the body.

    Raises:
        Rejected: ApplyTimeNotSupported (STOR302), what an operation has against it, as `Machine.create_live_job`, or as
            `Machine.stage_and_create_job`.
    """
    default = IMMEDIATE if place.is_real_time else ON_RESET
    when = apply_time or call.body.get(OPERATION_APPLY_TIME) or default
    change = {**(attributes or {}), **(_change(operations) if operations else {})}
    if when == IMMEDIATE:
        return _at_once(call, place, change, OPERATION_APPLY_TIME)
    if when not in STAGED_APPLY_TIMES:
        raise Rejected(Message("ApplyTimeNotSupported", (when,), (OPERATION_APPLY_TIME,)))
    window = window_of(call, when, call.body.get(MAINTENANCE_WINDOW) or {}, MAINTENANCE_WINDOW)
    return accepted(call, call.machine.stage_and_create_job(place.device_id, change, call.user, window))


def stage(
    call: Call,
    place: StoragePlace,
    attributes: Mapping[str, Any],
    operations: Sequence[Operation],
    shown: Callable[[Call], Document],
) -> Reply:
    """Stage the controller's own attributes, and operations; with @Redfish.SettingsApplyTime there is a job at once.

    Raises:
        Rejected: PendingNeedsRestart (STOR081) for Immediate without a change, where something that was staged waits;
            as `operate`.
    """
    change = {**attributes, **(_change(operations) if operations else {})}
    apply = call.body.get(SETTINGS_APPLY_TIME)
    if apply is not None and apply["ApplyTime"] == IMMEDIATE:
        return _at_once(call, place, change, SETTINGS_APPLY_TIME)
    reply = stage_values(call, place.device_id, change, shown)
    waits = apply is None and call.dialect.names_success
    return succeeded(call, "OperationDone", "StorageChangePending") if waits else reply


def _at_once(call: Call, place: StoragePlace, change: Mapping[str, Any], said_in: str) -> Reply:
    if not place.is_real_time:
        raise Rejected(Message("ApplyTimeNotSupported", (IMMEDIATE,), (said_in,)))
    if not change:
        waits = call.machine.values_pending(place.device_id)
        raise Rejected(Message("PendingNeedsRestart" if waits else "NoOperation"))
    return accepted(call, call.machine.create_live_job(place.device_id, change, call.user))


def _change(operations: Sequence[Operation]) -> dict[str, Any]:
    return {OPERATIONS: [[name, subject, dict(given)] for name, subject, given in operations]}


def answer_of(call: Call, job: Job) -> Reply | None:
    """What the operation itself would have answered that a completed job was made for (DSP0266, "Asynchronous
    operations"): 201 with the place of the volume that it has made, that of a deletion where it has deleted one, the
    resource as it is now where values were set; None elsewhere.

    What a request asks for comes after what was staged before it, so its own operation is the last step.
    """
    last = job.steps[-1] if job.kind is Kind.CONFIGURATION and job.steps else None
    if last is None:
        return None
    if last.operation == "DeleteVolume":
        return succeeded(call)
    place = _place_of(call, last.device)
    if last.operation == "CreateVolume" and place is not None:
        uri = place.volume_uri(last.name)
        shown = None if call.dialect.names_success else call.documents.document(call, uri)
        return Reply(201, shown or {"@Message.ExtendedInfo": created_messages(call)}, (("Location", uri),))
    request = job.request or {}
    if request.get("HttpOperation") != "PATCH" or call.dialect.names_success:
        return None
    shown = call.documents.document(call, request["TargetUri"])
    return Reply(200, shown) if shown else None


def created_by(call: Call, job: Job) -> list[str]:
    """The places of the volumes that a job has made, as far as they are there."""
    done = (step for step, outcome in zip(job.steps, job.outcomes, strict=False) if outcome.ok)
    made = ((_place_of(call, step.device), step.name) for step in done if step.operation == "CreateVolume")
    return [place.volume_uri(name) for place, name in made if place and name in layout(call, place).volumes]


def _place_of(call: Call, device_id: str) -> StoragePlace | None:
    """Where the controller stands that is this device; None where the tree has it no more, or it is none."""
    return next((place for place in call.site.storages if place.device_id == device_id), None)


def operate_now(call: Call, place: StoragePlace, operation: Operation) -> None:
    """Do an operation that needs no job, in this moment: a light is switched on.

    Raises:
        Rejected: what it has against it.
    """
    call.machine.operate(place.device_id, _change((operation,)))
