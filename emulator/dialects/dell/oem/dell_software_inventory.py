"""DellSoftwareInventory: what else a lifecycle controller says of its firmware (DellSoftwareInventory v1_2_0).

It stands in a collection of its own, which clients look for; on captured controllers also within each inventory entry
and below it. What the mockup has tells of the versions delivered; what is installed otherwise is laid over it.
"""

from __future__ import annotations

import re

from emulator.devices.firmware import Component
from emulator.mockup.documents import object_at
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Resource, collection, local_text
from emulator.redfish.views.software_inventory import INSTALLED, Entry, entries, entry_at

PLACE = "Oem/Dell/DellSoftwareInventory"
SCHEMA = "DellSoftwareInventory"
NUMBERS = ("MajorVersion", "MinorVersion", "RevisionNumber", "BuildNumber")
"""A version in its parts; a part that is no number is zero."""
UNKNOWN = ("HashValue", "RevisionString")
"""What nobody can say of a version that was not delivered."""


def resources(site: Site) -> list[Resource]:
    """The collection and its members, and the same documents where captured controllers have them."""
    inventory = site.firmware_inventory
    if inventory is None or not site.components:
        return []
    return [
        Resource(_place(site), get=dell_software_inventories),
        Resource(f"{_place(site)}/{{id}}", get=dell_software_inventory),
        Resource(f"{inventory}/{PLACE}/{{id}}", get=dell_software_inventory),
        Resource(f"{inventory}/{{entry}}/{PLACE}/{{id}}", get=dell_software_inventory_of_entry),
    ]


def dell_software_inventories(call: Call) -> Document:
    """The collection. One of a mockup that knows nothing of this is empty."""
    return collection(call, f"{SCHEMA}Collection", f"{SCHEMA}Collection", [f"{call.uri}/{key}" for key in _all(call)])


def dell_software_inventory(call: Call) -> Document | None:
    """One of them, by its Id."""
    found = _all(call).get(call.params["id"])
    return {**found, "@odata.id": call.uri} if found else None


def dell_software_inventory_of_entry(call: Call) -> Document | None:
    """The one of an inventory entry."""
    entry = entry_at(call, call.uri.removesuffix(f"/{PLACE}/{call.params['id']}"))
    found = _document(call, entry) if entry else None
    return {**found, "@odata.id": call.uri} if found and found["Id"] == call.params["id"] else None


def extend_software_inventory(call: Call, document: Document) -> Document:
    """An inventory entry holds its own one, where those of the mockup do."""
    entry = entry_at(call, document["@odata.id"])
    delivered = call.base(entry.component.uri) if entry else {}
    found = _document(call, entry) if entry and _within(delivered) else None
    if entry is None or found is None:
        return document
    oem = delivered["Oem"]
    own = {**found, "@odata.id": f"{entry.uri}/{PLACE}/{found['Id']}"}
    return {**document, "Oem": {**oem, "Dell": {**oem["Dell"], SCHEMA: own}}}


def instance_id(call: Call, component: Component) -> str:
    """By what the vendor's actions know an installed component: "DCIM:INSTALLED#741__BIOS.Setup.1-1"."""
    known = _within(call.base(component.uri)) or _listed(call.site, component)
    own_id = str(known.get("Id") or f"DCIM:INSTALLED#{component.software_id}__{component.fqdd}")
    return own_id.replace("_0x23_", "#", 1)  # an Id is part of a URI, which a number sign would end


def _place(site: Site) -> str:
    return f"{site.update_service}/{PLACE}"


def _all(call: Call) -> dict[str, Document]:
    """By their Ids, in the order of the inventory."""
    found = (_document(call, entry) for entry in entries(call))
    return {document["Id"]: document for document in found if document is not None}


def _document(call: Call, entry: Entry) -> Document | None:
    """What is said of an entry; None where the mockup says nothing of its component."""
    captured = call.base(entry.uri)
    own = _within(captured) if captured.get("Version") == entry.version else {}
    of_component = _within(call.base(entry.component.uri)) or _listed(call.site, entry.component)
    if own or (entry.what == INSTALLED and entry.version == entry.component.version):
        found = own or of_component
        return {**found, "InstallationDate": _utc(call, entry.at)} if found and entry.at is not None else found or None
    return _laid_over(call, of_component, entry) if of_component else None


def _within(document: Document) -> Document:
    """The one that an inventory entry of the mockup holds; {} where it holds none."""
    return _named(object_at(document, "Oem", "Dell", SCHEMA))


def _named(document: Document) -> Document:
    """A copy; {} where it has no Id: nobody could ask for it."""
    own_id = document.get("Id")
    return dict(document) if isinstance(own_id, str) and own_id else {}


def _listed(site: Site, component: Component) -> Document:
    """The one of a component in the mockup's collection; {} where there is none."""
    wanted = {"FQDD": component.fqdd, "ComponentID": component.software_id}
    listed = (site.tree.documents[uri] for uri in site.tree.members(_place(site)))
    about = (found for found in listed if all(found.get(name) == value for name, value in wanted.items()))
    return _named(next(about, {}))


def _laid_over(call: Call, document: Document, entry: Entry) -> Document:
    parts = [int(part) if part.isdecimal() else 0 for part in entry.version.split(".")]
    known = {"Version": entry.version, **dict.fromkeys(NUMBERS, 0), **dict.fromkeys(UNKNOWN)}
    known |= zip(NUMBERS, parts, strict=False)
    return {
        **document,
        "Id": re.sub("^DCIM:[A-Z]+", f"DCIM:{entry.what.upper()}", document["Id"]),
        **{name: value for name, value in known.items() if name in document},
        "InstallationDate": _utc(call, entry.at) if entry.at is not None else "NA",
        "Status": "Installed" if entry.what == INSTALLED else "AvailableForInstallation",
    }


def _utc(call: Call, moment: float) -> str:
    return local_text(0, call.machine.wall.shows(moment)).replace("+00:00", "Z")
