"""ComputerSystem: power, boot progress, the version of its BIOS, Reset; where it boots from, and what it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulator.core.host import RESETS, Phase
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.core.system import BOOT, CONTINUOUS, DISABLED, ENABLED, ONCE, TARGET
from emulator.core.update import firmware_of
from emulator.devices.firmware import Component
from emulator.mockup.boot import OVERRIDE
from emulator.mockup.documents import object_at
from emulator.mockup.site import Site
from emulator.redfish.boot_order import boot_order, refuse_others
from emulator.redfish.generic_patch import sharing
from emulator.redfish.reset_types import ALLOWABLE, offered_resets, wanted_reset
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, succeeded

RESET, PATCH = "#ComputerSystem.Reset", "ComputerSystem.patch"

PROPERTIES = ("AssetTag", "HostName", "IndicatorLED", "LocationIndicatorActive")
"""What can be set besides Boot, where the mockup has it."""
ORDER = "BootOrder"
LISTED = {ENABLED: (DISABLED, ONCE, CONTINUOUS), TARGET: None, "BootSourceOverrideMode": ("UEFI", "Legacy")}
"""What of the boot source override comes from a list, and the list of a mockup that gives none (None: any text)."""

POWER_STATES: Mapping[Phase, str] = {Phase.OFF: "Off", Phase.GAP: "Off", Phase.STOPPING: "PoweringOff"}
"""Every other phase is On."""
BOOT_PROGRESS: Mapping[Phase, Document] = {
    Phase.OFF: {"LastState": "None"},
    Phase.GAP: {"LastState": "None"},
    Phase.POST: {"LastState": "SystemHardwareInitializationComplete"},
    Phase.TASKS: {"LastState": "OEM", "OemLastState": "Automated Task Execution"},
    Phase.BOOTING: {"LastState": "OSBootStarted"},
    Phase.RUNNING: {"LastState": "OSRunning"},
    Phase.STOPPING: {"LastState": "OSRunning"},
}


def resources(site: Site) -> list[Resource]:
    """Each system, and its Reset action where the mockup offers one."""
    found = []
    for uri in site.systems:
        patch = {"PATCH": Verb(sharing(patch_computer_system, PATCH), "ConfigureComponents", PATCH)}
        found.append(Resource(uri, get=computer_system, verbs=patch if uri == site.systems[0] else {}))
        action = object_at(site.tree.documents[uri], "Actions", RESET)
        if action and uri == site.systems[0]:
            target = action.get("target", f"{uri}/Actions/ComputerSystem.Reset")
            verb = Verb(reset, "ConfigureComponents", "ComputerSystem.Reset", action="ComputerSystem.Reset")
            found.append(Resource(target, verbs={"POST": verb}))
    return found


def computer_system(call: Call) -> Document:
    """The system as it is now. The first system of a mockup is the host of the machine."""
    document = call.base()
    if call.uri != call.site.systems[0]:
        return document
    host = call.machine.host
    document["PowerState"] = power_state(host.phase)
    if "BootProgress" in document:
        document["BootProgress"] = BOOT_PROGRESS[host.phase]
    if host.last_reset_at is not None and "LastResetTime" in document:
        document["LastResetTime"] = call.time(host.last_reset_at)
    bios = installed_version(call, lambda component: component.id.lower().startswith("bios"))
    if bios and "BiosVersion" in document:
        document["BiosVersion"] = bios
    actions = document.get("Actions") or {}
    if RESET in actions:
        offered = {**actions[RESET], ALLOWABLE: _offered(call.site, call.uri)}
        document["Actions"] = {**actions, RESET: offered}
    if "Boot" in document:
        document["Boot"] = _boot(call, document["Boot"])
    return call.extended("ComputerSystem", {**document, **call.machine.system.properties})


def power_state(phase: Phase) -> str:
    """The PowerState of the host, and of what has its power from it."""
    return POWER_STATES.get(phase, "On")


def _boot(call: Call, delivered: Document) -> Document:
    """Where it boots from: the override as it is, and the order in force."""
    order = boot_order(call.site)
    in_force = {ORDER: list(order.in_force(call))} if order is not None else {}
    return {**delivered, **call.machine.system.override, **in_force}


def patch_computer_system(call: Call) -> Reply:
    """Set what can be set, all or nothing. The boot order is the BIOS's to change; all else is in force at once."""
    document, body = call.base(), call.body
    refuse_others(document, body, frozenset({*PROPERTIES, "Boot"} & document.keys()), "")
    boot = body.get("Boot", {})
    override = _override(call, document.get("Boot") or {}, boot)
    properties = {name: body[name] for name in PROPERTIES if name in body}
    order, given = boot_order(call.site), boot.get(ORDER)
    if given is None and override is None and not properties:
        raise Rejected(Message("NoOperation"))
    reply = succeeded(call, "OperationDone")
    if order is not None and given is not None:
        now = order.wanted(call)
        rest = [name for name in now if name not in given] if call.dialect.completes_boot_requests else []
        reply = order.change(call, ((name, now.get(name, True)) for name in (*given, *rest)), BOOT + ORDER)
    if override is not None or properties:
        call.machine.set_up_system(override or call.machine.system.override, properties)
    return reply


def _override(call: Call, document: Document, given: Mapping[str, Any]) -> dict[str, str | None] | None:
    """The boot source override as it is to be; None where nothing of it was given.

    Raises:
        Rejected: PropertyValueNotInList, PropertyNotWritable, PropertyUnknown, and as `System.overridden`.
    """
    settable = {name for name in OVERRIDE if name in document}
    if boot_order(call.site) is not None:
        settable.add(ORDER)
    refuse_others(document, given, frozenset(settable), BOOT)
    reject_if_any(
        Message("PropertyValueNotInList", (given[name], BOOT + name), (BOOT + name,))
        for name, otherwise in LISTED.items()
        if name in given
        and (listed := document.get(f"{name}@Redfish.AllowableValues") or otherwise)
        and given[name] not in listed
    )
    change = {name: value for name, value in given.items() if name in OVERRIDE}
    if not change:
        return None
    return call.machine.system.overridden(change, alone_is_once=call.dialect.completes_boot_requests)


def reset(call: Call) -> Reply:
    """ComputerSystem.Reset: 204."""
    call.machine.reset(host_reset(call.site, call.body))
    return Reply(204)


def host_reset(site: Site, parameters: Mapping[str, Any], otherwise: str = "") -> str:
    """As `wanted_reset`, of what the host can do."""
    return wanted_reset(RESET.removeprefix("#"), parameters, _offered(site, site.systems[0]), otherwise)


def _offered(site: Site, uri: str) -> list[str]:
    """What the mockup lists and this host can do."""
    return offered_resets(site, object_at(site.tree.documents[uri], "Actions", RESET), RESETS)


def installed_version(call: Call, is_meant: Callable[[Component], bool]) -> str:
    """The version now installed on the first component that is meant; "" where there is none."""
    firmware = firmware_of(call.machine)
    component = next(filter(is_meant, call.site.components), None)
    return firmware.installed(component.id) if firmware and component else ""
