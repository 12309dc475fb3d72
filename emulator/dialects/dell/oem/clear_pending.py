"""DellManager.ClearPending: the action of a settings resource that discards what is staged there."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from emulator.redfish.view import Call, Document, Reply, Resource, Verb, succeeded

CLEAR_PENDING = "DellManager.ClearPending"


def clear_pending_resource(target: str, device_id: str, only: Collection[str] | None = None) -> Resource:
    """The action at its target; `only`: it is about some of the device's attributes."""
    handler = partial(clear_pending, device_id, only)
    return Resource(target, verbs={"POST": Verb(handler, "ConfigureComponents", CLEAR_PENDING, action=CLEAR_PENDING)})


def clear_pending_target(settings_uri: str) -> str:
    """Where the action stands, for all settings but the BIOS's, which have it below Oem [C]."""
    return f"{settings_uri}/Actions/{CLEAR_PENDING}"


def offered_clear_pending(target: str) -> Document:
    """What a settings resource says of the action."""
    return {f"#{CLEAR_PENDING}": {"target": target}}


def clear_pending(device_id: str, only: Collection[str] | None, call: Call) -> Reply:
    """Discard what is staged and no job holds; what else is staged for the device stays."""
    call.machine.clear_pending(device_id, only)
    return succeeded(call, "OperationDone")
