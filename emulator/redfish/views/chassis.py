"""Chassis: those that hold the host are on and off with it, and those with drives are no better than these. The asset
tag and the indicator can be set.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from emulator.core.message import Message, Rejected
from emulator.mockup.documents import object_at
from emulator.mockup.reader import links
from emulator.mockup.site import Site
from emulator.mockup.storage import StoragePlace
from emulator.redfish.boot_order import refuse_others
from emulator.redfish.generic_patch import sharing
from emulator.redfish.storage_operation import drive_health, layout, worst
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, patched
from emulator.redfish.views.computer_system import power_state

Bays = tuple[tuple[StoragePlace, str], ...]
"""The drives in a chassis, with the controller that has each."""
PATCH = "Chassis.patch"
INDICATORS = ("IndicatorLED", "LocationIndicatorActive")
SETTABLE = frozenset({"AssetTag", *INDICATORS})
"""What can be set, where the chassis has it."""


def resources(site: Site) -> list[Resource]:
    """Each chassis with power from the host that tells of its power, with drives, or with something that can be set."""
    documents, drives = site.tree.documents, _drives(site)
    telling = [uri for uri in site.enclosures.of_host if isinstance(documents[uri].get("PowerState"), str)]
    settable = [uri for uri in site.chassis if not SETTABLE.isdisjoint(documents[uri])]
    found = dict.fromkeys((*telling, *drives, *settable))
    return [_resource(uri, uri in telling, drives.get(uri, ()), is_settable=uri in settable) for uri in found]


def _resource(uri: str, follows_host: bool, drives: Bays, *, is_settable: bool) -> Resource:
    get = partial(chassis, follows_host, drives)
    patch = {"PATCH": Verb(sharing(partial(patch_chassis, get), PATCH), "ConfigureComponents", PATCH)}
    return Resource(uri, get=get, verbs=patch if is_settable else {}, needs_ready=False)


def chassis(follows_host: bool, drives: Bays, call: Call) -> Document:
    """As delivered, with the host's power, the health of the worst of its drives, and what somebody has set."""
    document = call.base()
    if follows_host:
        document["PowerState"] = power_state(call.machine.host.phase)
    status = document.get("Status")
    if drives and isinstance(status, dict):
        healths = [drive_health(layout(call, place), drive) for place, drive in drives]
        document["Status"] = {**status, "HealthRollup": worst(status.get("HealthRollup"), *healths)}
    document |= call.machine.set_up.chassis.get(call.uri, {})
    of_system = call.machine.system.properties
    document |= {name: of_system[name] for name in _shared(call) if name in of_system}
    return call.extended("Chassis", document)


def patch_chassis(get: partial[Document], call: Call) -> Reply:
    """Set what can be set, all or nothing.

    Raises:
        Rejected: PropertyNotWritable, PropertyUnknown, NoOperation.
    """
    machine, shared = call.machine, _shared(call)
    refuse_others(call.base(), call.body, SETTABLE & call.base().keys(), "")
    given = {name: call.body[name] for name in call.body if name in SETTABLE}
    if not given:
        raise Rejected(Message("NoOperation"))
    own = {name: value for name, value in given.items() if name not in shared}
    if own:
        machine.set_up.change_chassis(call.uri, own)
    if len(own) < len(given):
        of_system = {name: value for name, value in given.items() if name in shared}
        machine.set_up_system(machine.system.override, of_system)
    return patched(call, get)


def _shared(call: Call) -> tuple[str, ...]:
    """What of a chassis is the host's too: the light by which people find one is the light of the other."""
    document = call.site.tree.documents[call.uri]
    system = call.site.tree.documents[call.site.systems[0]]
    if call.uri not in links(object_at(system, "Links").get("Chassis")):
        return ()
    return tuple(name for name in INDICATORS if name in document and name in system)


def _drives(site: Site) -> dict[str, Bays]:
    """The drives that live in each chassis of the tree."""
    found: dict[str, Bays] = {}
    for place in site.storages:
        for drive, uris in place.drive_uris.items():
            for uri in _chassis_of(site.tree.documents[uris[0]]):
                if uri in site.tree.documents:
                    found[uri] = (*found.get(uri, ()), (place, drive))
    return found


def _chassis_of(drive: Document) -> list[str]:
    found: Any = drive.get("Links")
    return links(found.get("Chassis")) if isinstance(found, dict) else []
