"""Operations on storage, as every face of Redfish asks for them: when they are to be done, and the job that does them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.core.device import OPERATIONS
from emulator.core.message import Message, Rejected
from emulator.devices.raid import Raid
from emulator.devices.raid.layout import Layout
from emulator.mockup.storage import StoragePlace
from emulator.redfish.apply_time import (
    AT_START,
    IMMEDIATE,
    MAINTENANCE_WINDOW,
    ON_RESET_IN_WINDOW,
    OPERATION_APPLY_TIME,
    window_of,
)
from emulator.redfish.view import Call, Reply, accepted

ON_RESET = "OnReset"
STAGED_APPLY_TIMES = (ON_RESET, AT_START, ON_RESET_IN_WINDOW)
Operation = tuple[str, str, Mapping[str, Any]]
"""A name of `devices.raid.ALL_OPERATIONS`, the id of what it is done to ("" for the controller, or a volume that is yet
to be), and its parameters."""


def apply_times(place: StoragePlace) -> list[str]:
    """When an operation on this controller can be done: SupportedValues of @Redfish.OperationApplyTimeSupport."""
    return [*((IMMEDIATE,) if place.is_real_time else ()), ON_RESET]


def controller(call: Call, place: StoragePlace) -> Raid:
    """The device behind this Storage."""
    device = call.machine.devices[place.device_id]
    assert isinstance(device, Raid), "the site says so"
    return device


def layout(call: Call, place: StoragePlace) -> Layout:
    """How it is configured now."""
    return controller(call, place).layout


def operate(call: Call, place: StoragePlace, *operations: Operation, apply_time: str | None = None) -> Reply:
    """202 with the job that does these operations, in this order.

    When: `apply_time`, else what the body says (@Redfish.OperationApplyTime), else at once where the controller can,
    else at the host's next restart. In a maintenance window: @Redfish.MaintenanceWindow of the body.

    Raises:
        Rejected: ApplyTimeNotSupported (STOR302), what an operation has against it, as `Machine.create_live_job`, or as
            `Machine.stage_and_create_job`.
    """
    default = IMMEDIATE if place.is_real_time else ON_RESET
    when = apply_time or call.body.get(OPERATION_APPLY_TIME) or default
    if when not in (*apply_times(place), *STAGED_APPLY_TIMES):
        raise Rejected(Message("ApplyTimeNotSupported", (when,), (OPERATION_APPLY_TIME,)))
    change = {OPERATIONS: [[name, subject, dict(given)] for name, subject, given in operations]}
    if when == IMMEDIATE:
        return accepted(call, call.machine.create_live_job(place.device_id, change, call.user))
    window = window_of(call, when, call.body.get(MAINTENANCE_WINDOW) or {}, MAINTENANCE_WINDOW)
    return accepted(call, call.machine.stage_and_create_job(place.device_id, change, call.user, window))


def operate_now(call: Call, place: StoragePlace, operation: Operation) -> None:
    """Do an operation that needs no job, in this moment: a light is switched on.

    Raises:
        Rejected: what it has against it.
    """
    name, subject, given = operation
    call.machine.operate(place.device_id, {OPERATIONS: [[name, subject, dict(given)]]})
