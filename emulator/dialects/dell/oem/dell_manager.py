"""DellManager: the vendor's links in the Manager, and ClearPending of a settings resource."""

from __future__ import annotations

from emulator.core.message import Message, Rejected
from emulator.dialects.dell.oem import dell_lc_service, dell_time_service
from emulator.dialects.dell.oem.clear_pending import (
    CLEAR_PENDING,
    clear_pending,
    clear_pending_resource,
    offered_clear_pending,
)
from emulator.dialects.dell.oem.dell_job import jobs_link
from emulator.dialects.dell.oem.dell_job_service import service_uris
from emulator.dialects.dell.oem.oem_part import merged
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, link


def resources(site: Site) -> list[Resource]:
    """ClearPending of each settings resource."""
    verb = Verb(clear_pending_of_storage, "ConfigureComponents", CLEAR_PENDING, action=CLEAR_PENDING)
    of_volumes = [Resource(_target(f"{uri}/{{id}}/Settings"), verbs={"POST": verb}) for uri in _volumes(site)]
    return [
        *(clear_pending_resource(_target(place.settings_uri), place.device_id) for place in site.bioses),
        *(
            clear_pending_resource(_target(f"{uri}/Settings"), place.device_id)
            for place in site.storages
            for uri in place.controllers
        ),
        *of_volumes,
    ]


def _volumes(site: Site) -> list[str]:
    """Where volumes are shown."""
    short = dict.fromkeys(f"{place.short_uri}/Volumes" for place in site.storages)
    return [*(place.volumes_uri for place in site.storages), *short]


def clear_pending_of_storage(call: Call) -> Reply:
    """Discard what is staged for a volume's controller and no job holds: all that is pending for it, its volumes and
    its drives.

    Raises:
        Rejected: ResourceMissingAtURI where there is no such settings resource; as `Machine.clear_pending`.
    """
    settings_uri = call.uri.removesuffix(_target(""))
    device = call.site.device_at(settings_uri)
    if device is None or call.documents.document(call, settings_uri) is None:
        raise Rejected(Message("ResourceMissingAtURI", (call.uri,)))
    return clear_pending(device, None, call)


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
