"""DellManager: the vendor's links in the Manager, and ClearPending of a settings resource."""

from __future__ import annotations

from emulator.dialects.dell.oem import dell_lc_service, dell_time_service
from emulator.dialects.dell.oem.clear_pending import CLEAR_PENDING, clear_pending_resource, offered_clear_pending
from emulator.dialects.dell.oem.dell_job import jobs_link
from emulator.dialects.dell.oem.dell_job_service import service_uris
from emulator.dialects.dell.oem.oem_part import merged
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Resource, link


def resources(site: Site) -> list[Resource]:
    """ClearPending of each settings resource."""
    return [clear_pending_resource(_target(place.settings_uri), place.device_id) for place in site.bioses]


def extend_manager(call: Call, document: Document) -> Document:
    """Where the jobs, in the two places in which clients look, and the services are."""
    jobs = jobs_link(call.site)
    services = {
        "DellJobService": link(service_uris(call.site)[0]),
        "DellLCService": link(service_uris(call.site, dell_lc_service.SCHEMA)[0]),
        "DellTimeService": link(service_uris(call.site, dell_time_service.SCHEMA)[0]),
    }
    links = merged(document.get("Links"), {"Oem": {"Dell": {**jobs, **services}}})
    return {**document, "Links": links, "Oem": merged(document.get("Oem"), {"Dell": jobs})}


def extend_settings(call: Call, document: Document) -> Document:
    """The action that clears, and where the jobs are."""
    action = {"Oem": offered_clear_pending(_target(document["@odata.id"]))}
    jobs = jobs_link(call.site)
    return {
        **document,
        "Actions": merged(document.get("Actions"), action),
        "Oem": merged(document.get("Oem"), {"Dell": jobs} if jobs else {}),
    }


def _target(settings_uri: str) -> str:
    return f"{settings_uri}/Actions/Oem/{CLEAR_PENDING}"
