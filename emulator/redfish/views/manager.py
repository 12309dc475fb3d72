"""Manager: the controller's own time, which can be set, its firmware, and Reset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.core.message import Message, Rejected
from emulator.mockup.documents import object_at
from emulator.mockup.site import Site
from emulator.redfish.boot_order import refuse_others
from emulator.redfish.generic_patch import sharing
from emulator.redfish.iso8601 import parse_zoned_moment
from emulator.redfish.reset_types import ALLOWABLE, offered_resets, wanted_reset
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, succeeded
from emulator.redfish.views.computer_system import installed_version
from emulator.redfish.views.software_inventory import with_current_links

RESET, PATCH = "Manager.Reset", "Manager.patch"
DATE_TIME, LOCAL_OFFSET = "DateTime", "DateTimeLocalOffset"
RESETS = ("GracefulRestart", "ForceRestart")
"""Both restart the controller; there is nothing that a forceful one would have to force."""


def resources(site: Site) -> list[Resource]:
    """Each manager. The first one of a mockup is the controller of the machine, and can be set and restarted."""
    verb = Verb(reset, "ConfigureManager", RESET, action=RESET)
    patch = {"PATCH": Verb(sharing(patch_manager, PATCH), "ConfigureManager", PATCH)}
    return [
        *(
            Resource(uri, get=manager, verbs=patch if uri == site.managers[0] else {}, needs_ready=False)
            for uri in site.managers
        ),
        *(Resource(_target(site, uri), verbs={"POST": verb}, needs_ready=False) for uri in site.managers[:1]),
    ]


def manager(call: Call) -> Document:
    """The manager, with what the controller's clock shows."""
    now = call.time_of_day()
    document = {**call.base(), DATE_TIME: now, LOCAL_OFFSET: now[-6:]}
    if call.uri == call.site.managers[0]:
        document = {**with_current_links(call, document), **_of_the_controller(call, document)}
    return call.extended("Manager", document)


def patch_manager(call: Call) -> Reply:
    """Set the clock of the controller, and the local time in which it is read (DSP0268: both can be written).

    Raises:
        Rejected: PropertyNotWritable, PropertyUnknown, NoOperation, PropertyValueFormatError, TimeNotAhead.
    """
    body = call.body
    refuse_others(call.base(), body, frozenset({DATE_TIME, LOCAL_OFFSET}), "")
    if body.keys().isdisjoint((DATE_TIME, LOCAL_OFFSET)):
        raise Rejected(Message("NoOperation"))
    if DATE_TIME in body:
        try:
            wanted = parse_zoned_moment(body[DATE_TIME]).timestamp()
        except ValueError as error:
            args = (body[DATE_TIME][:50], DATE_TIME)
            raise Rejected(Message("PropertyValueFormatError", args, (DATE_TIME,))) from error
        call.machine.set_time(wanted)
    if LOCAL_OFFSET in body:
        call.machine.set_local_offset(_minutes(body[LOCAL_OFFSET]))
    return succeeded(call, "OperationDone")


def _minutes(offset: str) -> int:
    """An offset from UTC such as +05:30, in minutes."""
    minutes = int(offset[1:3]) * 60 + int(offset[4:])
    return -minutes if offset[0] == "-" else minutes


def reset(call: Call) -> Reply:
    """Manager.Reset: 204, and then nobody answers for a while."""
    check_reset(call.site, call.body)
    call.machine.restart_controller()
    return Reply(204)


def check_reset(site: Site, parameters: Mapping[str, Any]) -> None:
    """Refuse a ResetType that is not offered.

    Raises:
        Rejected: ActionParameterValueNotInList.
    """
    wanted_reset(RESET, parameters, _offered(site, site.managers[0]))


def _offered(site: Site, uri: str) -> list[str]:
    """What the mockup lists, as far as they are restarts."""
    return offered_resets(site, _action(site, uri), RESETS)


def _of_the_controller(call: Call, document: Document) -> Document:
    """What is true of the machine's own controller now."""
    offered = {
        **_action(call.site, call.uri),
        "target": _target(call.site, call.uri),
        ALLOWABLE: _offered(call.site, call.uri),
    }
    found: Document = {"Actions": {**(document.get("Actions") or {}), f"#{RESET}": offered}}
    restarted_at = call.machine.controller.last_reset_at
    if restarted_at is not None:
        found["LastResetTime"] = call.time(restarted_at)
    version = installed_version(call, lambda component: component.is_controller)
    if version and "FirmwareVersion" in document:
        found["FirmwareVersion"] = version
    return found


def _action(site: Site, uri: str) -> Document:
    return object_at(site.tree.documents[uri], "Actions", f"#{RESET}")


def _target(site: Site, uri: str) -> str:
    target = _action(site, uri).get("target", "")
    return target if isinstance(target, str) and target.startswith(f"{uri}/") else f"{uri}/Actions/{RESET}"
