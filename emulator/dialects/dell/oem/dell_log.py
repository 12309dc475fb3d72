"""A lifecycle controller's log: entries in its own record format, and the older URI that scripts still use."""

from __future__ import annotations

from emulator.mockup.logs import LIFECYCLE_LOG
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Resource
from emulator.redfish.views.log_service import PAGE, log_entries


def resources(site: Site) -> list[Resource]:
    """The older URI, which is the collection of entries."""
    if site.lifecycle_log is None:
        return []
    return [Resource(f"{manager}/Logs/{LIFECYCLE_LOG}", get=log_entries, page=PAGE) for manager in site.managers[:1]]


def extend_log_entry(call: Call, document: Document) -> Document:
    """What the entry's format is."""
    return {**document, "EntryType": "Oem", "OemRecordFormat": "Dell"}
