"""What all settings resources have in common (DSP0266, "Settings resource"): staging, and telling how it went."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emulator.core.device import NO_ATTRIBUTES, Value
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.redfish.apply_time import IMMEDIATE, SETTINGS_APPLY_TIME, SETTINGS_APPLY_TIMES, window_of
from emulator.redfish.view import Call, Document, Reply, accepted, link, message_objects, succeeded

PREFERRED_APPLY_TIME: Document = {"@odata.type": "#Settings.v1_4_0.PreferredApplyTime", "ApplyTime": "OnReset"}


def settings_annotation(
    call: Call,
    device_id: str,
    settings_uri: str,
    apply_times: Sequence[str] = SETTINGS_APPLY_TIMES,
    spelled: Callable[[Message], Message] = lambda message: message,
) -> Document:
    """`@Redfish.Settings` of a live resource: where its settings are, and how the last application of them went.

    `spelled` gives a message about attributes the names that the resource has for them.
    """
    annotation: dict[str, Any] = {
        "@odata.type": "#Settings.v1_4_0.Settings",
        "SettingsObject": link(settings_uri),
        "SupportedApplyTimes": list(apply_times),
    }
    result = call.machine.results.get(device_id)
    if result is not None:
        annotation["Time"] = call.time(result.at)
        annotation["Messages"] = [
            entry for message in result.messages for entry in message_objects(call.dialect, spelled(message))
        ]
    return annotation


def pending_attributes(call: Call, device_id: str) -> dict[str, Value]:
    """What is pending for a device, but for what is shown elsewhere. A password shows as null."""
    described = call.machine.devices[device_id].describe()
    return {
        name: None if described[name].type == "Password" else value
        for name, value in call.machine.values_pending(device_id).items()
        if described[name].type not in NO_ATTRIBUTES
    }


def attributes_in_force(call: Call, device_id: str) -> dict[str, Value]:
    """The values that a device has now, but for what is shown elsewhere."""
    device = call.machine.devices[device_id]
    described = device.describe()
    return {name: value for name, value in device.read().items() if described[name].type not in NO_ATTRIBUTES}


def refuse_what_is_no_attribute(call: Call, device_id: str, change: Mapping[str, Any]) -> None:
    """Neither a sequence nor an operation is set among the attributes.

    Raises:
        Rejected: PropertyUnknown for each.
    """
    described = call.machine.devices[device_id].describe()
    reject_if_any(
        Message("PropertyUnknown", (name,), (f"Attributes/{name}",))
        for name in change
        if name in described and described[name].type in NO_ATTRIBUTES
    )


def stage(call: Call, device_id: str, change: Mapping[str, Any], shown: Callable[[Call], Document]) -> Reply:
    """Stage values. With an apply time a job is made too, and the answer is 202 with its place.

    An apply time alone makes the job for what is pending already. Otherwise the answer is what is `shown` then.
    """
    apply = call.body.get(SETTINGS_APPLY_TIME)
    if apply is not None:
        when = apply["ApplyTime"]
        window = window_of(call, when, apply, SETTINGS_APPLY_TIME)
        at_once = when == IMMEDIATE
        return accepted(call, call.machine.stage_and_create_job(device_id, change, call.user, window, at_once=at_once))
    if not change:
        raise Rejected(Message("NoOperation"))
    call.machine.stage(device_id, change)
    if call.dialect.names_success:
        return succeeded(call, "OperationDone")
    return Reply(200, shown(call))
