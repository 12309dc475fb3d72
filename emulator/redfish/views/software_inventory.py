"""SoftwareInventory: what is installed, what a rollback would bring back, and packages that wait to be installed.

A lifecycle controller puts the version into an entry's Id, with a word before it: Installed-159-2.1.5__BIOS.Setup.1-1.
So its entries come and go with the versions. In plain Redfish an entry is a component, whatever its version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from emulator.core.message import Message, Rejected
from emulator.core.update import firmware_of, withdraw
from emulator.devices.firmware import Component, Firmware, entry_key
from emulator.mockup.documents import is_link
from emulator.mockup.reader import links
from emulator.mockup.site import Site
from emulator.redfish.storage_operation import missing_drives
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, collection, link, succeeded

INSTALLED, CURRENT, PREVIOUS, AVAILABLE = "Installed", "Current", "Previous", "Available"
"""What an entry stands for; "Current" is a captured copy of what is installed."""
VERSION = "FirmwareVersion"


class Entry(NamedTuple):
    """One resource of the inventory."""

    uri: str
    what: str
    component: Component
    version: str
    key: str = ""
    """Of a waiting package: by what the device knows it."""
    at: float | None = None
    """When it was installed; None as delivered, and for what is not installed."""


def resources(site: Site) -> list[Resource]:
    """The collection and its members, where the tree has them, and what else shows their versions."""
    if site.firmware_inventory is None or not site.components:
        return []
    place, shown = f"{site.firmware_inventory}/{{id}}", [Resource(uri, get=versioned) for uri in _versioned(site)]
    if site.pushes_into_inventory:  # the collection is where packages are pushed to: update_service.py
        delete = Verb(delete_software_inventory, "ConfigureComponents")
        return [Resource(place, get=software_inventory, verbs={"DELETE": delete}), *shown]
    return [
        Resource(site.firmware_inventory, get=software_inventories),
        Resource(place, get=software_inventory),
        *shown,
    ]


def software_inventories(call: Call) -> Document:
    """The collection."""
    return collection(call, "SoftwareInventoryCollection", "Firmware Inventory", [entry.uri for entry in entries(call)])


def software_inventory(call: Call) -> Document | None:
    """One entry."""
    found = entry_at(call, call.uri)
    return _document(call, found) if found else None


def delete_software_inventory(call: Call) -> Reply:
    """Throw away a package that waits. A job that was made of it goes on.

    Raises:
        Rejected: ResourceMissingAtURI; OperationNotAllowed for an entry of anything else.
    """
    found = entry_at(call, call.uri)
    if found is None:
        raise Rejected(Message("ResourceMissingAtURI", (call.uri,)))
    if found.what != AVAILABLE:
        raise Rejected(Message("OperationNotAllowed"))
    withdraw(call.machine, found.key)
    return succeeded(call, "OperationDone")


def versioned(call: Call) -> Document:
    """A resource of the mockup that shows the version of a component's firmware."""
    return with_version(call, call.uri, call.base())


def with_version(call: Call, uri: str, document: Document, name: str = VERSION) -> Document:
    """The document of what stands at this URI with the version of its firmware that is installed now, if it shows one.

    `name` is what the document calls it.
    """
    firmware, fqdd = _firmware(call), uri.rpartition("/")[2]
    if firmware is None or name not in document:
        return document
    about = (one for one in call.site.components if one.fqdd == fqdd or uri in related_uris(call.site, one))
    component = next((one for one in about if document[name] == one.version), None)
    return document if component is None else {**document, name: firmware.installed(component.id)}


def related_uris(site: Site, component: Component) -> list[str]:
    """The resources that a component's entry is about."""
    return links((site.tree.get(component.uri) or {}).get("RelatedItem") or ())


def _versioned(site: Site) -> dict[str, Component]:
    """The component whose version a resource shows, for each that no view of its own tells the truth about."""
    of_others = {*site.systems, *site.managers, *(bios.uri for bios in site.bioses)}
    for storage in site.storages:
        of_others |= {storage.uri, *storage.controllers, *(uri for uris in storage.drive_uris.values() for uri in uris)}
    return {
        uri: component
        for component in site.components
        for uri in related_uris(site, component)
        if uri not in of_others and (site.tree.get(uri) or {}).get(VERSION) == component.version
    }


def entry_at(call: Call, uri: str) -> Entry | None:
    """The entry with this URI as it is now."""
    wanted = uri.rstrip("/")
    return next((entry for entry in entries(call) if entry.uri == wanted), None)


def entries(call: Call) -> Iterator[Entry]:
    """All entries, in the order of the components."""
    firmware = _firmware(call)
    inventory = call.site.firmware_inventory
    if firmware is None or inventory is None:
        return
    missing = missing_drives(call)
    for component in call.site.components:
        if component.fqdd in missing:
            continue
        version, previous = firmware.installed(component.id), firmware.previous(component.id)
        at = firmware.installed_at(component.id)
        yield Entry(installed_uri(component, version), INSTALLED, component, version, at=at)
        if version == component.version:
            copies = [uri for uri in component.entries if f"/{CURRENT}-" in uri]
            yield from (Entry(uri, CURRENT, component, version) for uri in copies if uri != component.uri)
        if previous is not None:
            yield Entry(_previous_uri(component, previous), PREVIOUS, component, previous)
    for key, offer in firmware.available.items():
        if firmware.components[offer.component].fqdd in missing:
            continue
        yield Entry(
            f"{inventory}/{AVAILABLE}-{key}", AVAILABLE, firmware.components[offer.component], offer.version, key
        )


def installed_uri(component: Component, version: str) -> str:
    """Where the installed version of a component stands."""
    folder, _, delivered = component.uri.rpartition("/")
    if version == component.version or not _names_version(component):
        return component.uri
    return f"{folder}/{delivered.partition('-')[0]}-{entry_key(component, version)}"


def with_current_links(call: Call, value: Any) -> Any:
    """A document whose links to entries of what was installed, or could be brought back, lead to what that is now."""
    firmware = _firmware(call)
    if firmware is None or not firmware.own:
        return value
    now = {(entry.component.id, entry.what): entry.uri for entry in entries(call) if entry.what != AVAILABLE}
    stood_for = {
        uri: (component.id, INSTALLED if uri == component.uri else _word(uri))
        for component in call.site.components
        for uri in (component.uri, *component.entries)
    }
    return _relinked(value, {uri: now.get(what) for uri, what in stood_for.items()})


def _relinked(value: Any, moved: Mapping[str, str | None]) -> Any:
    """The value with other links; a list loses those that lead nowhere any more, and its count follows."""
    if isinstance(value, list):
        kept = [entry for entry in value if not (is_link(entry) and moved.get(entry["@odata.id"], "") is None)]
        return [_relinked(entry, moved) for entry in kept]
    if not isinstance(value, dict):
        return value
    if is_link(value):
        return link(moved.get(value["@odata.id"]) or value["@odata.id"])
    found = {name: _relinked(entry, moved) for name, entry in value.items()}
    counted = (name for name, entry in found.items() if isinstance(entry, list) and f"{name}@odata.count" in found)
    return {**found, **{f"{name}@odata.count": len(found[name]) for name in counted}}


def _word(uri: str) -> str:
    """What a lifecycle controller's entry stands for."""
    return uri.rpartition("/")[2].partition("-")[0]


def _firmware(call: Call) -> Firmware | None:
    device = firmware_of(call.machine)
    return device if isinstance(device, Firmware) else None


def _names_version(component: Component) -> bool:
    """Whether the entry's Id holds the version, as a lifecycle controller's do."""
    return component.uri.endswith(f"-{entry_key(component, component.version)}")


def _previous_uri(component: Component, version: str) -> str:
    folder, _, delivered = component.uri.rpartition("/")
    return f"{folder}/{PREVIOUS}-{entry_key(component, version) if _names_version(component) else delivered}"


def _document(call: Call, entry: Entry) -> Document:
    delivered = call.base(entry.uri)
    if delivered.get("Version") == entry.version:
        return call.extended("SoftwareInventory", {**delivered, "@odata.id": entry.uri})
    document = call.base(entry.component.uri)
    for name in ("Oem", "ReleaseDate", "Measurement", "Manifest"):
        document.pop(name, None)  # they tell of the version delivered
    laid_over = {
        **document,
        "@odata.id": entry.uri,
        "Id": entry.uri.rpartition("/")[2],
        "Version": entry.version,
        "Updateable": entry.component.updateable,
        "Status": {"State": "Enabled" if entry.what == INSTALLED else "StandbyOffline", "Health": "OK"},
    }
    return call.extended("SoftwareInventory", laid_over)
