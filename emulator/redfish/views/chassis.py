"""Chassis: those that hold the host are on and off with it, and those with drives are no better than these."""

from __future__ import annotations

from functools import partial
from typing import Any

from emulator.mockup.reader import links
from emulator.mockup.site import Site
from emulator.mockup.storage import StoragePlace
from emulator.redfish.storage_operation import drive_health, layout, worst
from emulator.redfish.view import Call, Document, Resource
from emulator.redfish.views.computer_system import power_state

Bays = tuple[tuple[StoragePlace, str], ...]
"""The drives in a chassis, with the controller that has each."""


def resources(site: Site) -> list[Resource]:
    """Each chassis with power from the host that tells of its power, and each with drives."""
    documents, drives = site.tree.documents, _drives(site)
    telling = [uri for uri in site.enclosures.of_host if isinstance(documents[uri].get("PowerState"), str)]
    found = dict.fromkeys((*telling, *drives))
    return [
        Resource(uri, get=partial(chassis, uri in telling, drives.get(uri, ())), needs_ready=False) for uri in found
    ]


def chassis(follows_host: bool, drives: Bays, call: Call) -> Document:
    """As delivered, with the host's power and the health of the worst of its drives."""
    document = call.base()
    if follows_host:
        document["PowerState"] = power_state(call.machine.host.phase)
    status = document.get("Status")
    if drives and isinstance(status, dict):
        healths = [drive_health(layout(call, place), drive) for place, drive in drives]
        document["Status"] = {**status, "HealthRollup": worst(status.get("HealthRollup"), *healths)}
    return call.extended("Chassis", document)


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
