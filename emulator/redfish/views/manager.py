"""Manager: the controller's own time, its firmware, and Reset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.core.message import Message, Rejected
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource, Verb
from emulator.redfish.views.computer_system import ALLOWABLE, installed_version, listed_resets
from emulator.redfish.views.software_inventory import with_current_links

RESET = "Manager.Reset"
RESETS = ("GracefulRestart", "ForceRestart")
"""Both restart the controller; there is nothing that a forceful one would have to force."""


def resources(site: Site) -> list[Resource]:
    """Each manager. The first one of a mockup is the controller of the machine, and can be restarted."""
    verb = Verb(reset, "ConfigureManager", RESET, action=RESET)
    return [
        *(Resource(uri, get=manager, timeless=False, needs_ready=False) for uri in site.managers),
        *(Resource(_target(site, uri), verbs={"POST": verb}, needs_ready=False) for uri in site.managers[:1]),
    ]


def manager(call: Call) -> Document:
    """The manager, with the machine's virtual time as its clock."""
    now = call.time(call.machine.moment)
    document = {**call.base(), "DateTime": now, "DateTimeLocalOffset": now[-6:]}
    if call.uri == call.site.managers[0]:
        document = {**with_current_links(call, document), **_of_the_controller(call, document)}
    return call.extended("Manager", document)


def reset(call: Call) -> Reply:
    """Manager.Reset: 204, and then nobody answers for a while."""
    check_reset(call.site, call.body)
    call.machine.restart_controller()
    return Reply(204)


def check_reset(site: Site, parameters: Mapping[str, Any]) -> None:
    """Refuse a ResetType that is not offered; without one it is the first.

    Raises:
        Rejected: ActionParameterValueNotInList.
    """
    offered = offered_resets(site, site.managers[0])
    wanted = parameters.get("ResetType", offered[0])
    if wanted not in offered:
        raise Rejected(Message("ActionParameterValueNotInList", (wanted, "ResetType", RESET), ("ResetType",)))


def offered_resets(site: Site, uri: str) -> list[str]:
    """The reset types that the mockup lists, as far as they are restarts; both where it lists none."""
    return [kind for kind in listed_resets(site, _action(site, uri)) if kind in RESETS] or list(RESETS)


def _of_the_controller(call: Call, document: Document) -> Document:
    """What is true of the machine's own controller now."""
    offered = {
        **_action(call.site, call.uri),
        "target": _target(call.site, call.uri),
        ALLOWABLE: offered_resets(call.site, call.uri),
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
    actions = site.tree.documents[uri].get("Actions") or {}
    return dict(actions.get(f"#{RESET}") or {})


def _target(site: Site, uri: str) -> str:
    target = _action(site, uri).get("target", "")
    return target if isinstance(target, str) and target.startswith(f"{uri}/") else f"{uri}/Actions/{RESET}"
