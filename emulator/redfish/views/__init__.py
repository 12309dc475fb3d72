"""One file per Redfish schema; each declares its resources with `resources(site)`.

Those of one kind of device alone are named with that kind, in `app.DEVICE_KINDS`.
"""

from __future__ import annotations

from emulator.mockup.access import ACCOUNTS, ROLE_COLLECTION
from emulator.mockup.site import Site
from emulator.redfish import event_record
from emulator.redfish.view import TASKS, Resource
from emulator.redfish.views import (
    account_service,
    certificate,
    certificate_service,
    chassis,
    computer_system,
    control,
    environment_metrics,
    ethernet_interface,
    event_destination,
    event_service,
    job,
    job_service,
    log_service,
    manager,
    manager_account,
    manager_ethernet_interface,
    manager_network_protocol,
    power,
    privilege_registry,
    role,
    sensor,
    sensor_excerpt,
    service_root,
    session,
    software_inventory,
    task,
    task_monitor,
    task_service,
    telemetry_service,
    thermal,
    update_service,
    virtual_media,
)

VIEWS = (
    sensor_excerpt,
    sensor,
    thermal,
    power,
    control,
    environment_metrics,
    chassis,
    certificate,
    certificate_service,
    service_root,
    computer_system,
    ethernet_interface,
    manager,
    account_service,
    manager_account,
    role,
    privilege_registry,
    manager_ethernet_interface,
    manager_network_protocol,
    virtual_media,
    session,
    job_service,
    job,
    task_service,
    task,
    task_monitor,
    telemetry_service,
    event_service,
    event_destination,
    log_service,
    software_inventory,
    update_service,
)


_FILLED = frozenset((TASKS, job_service.JOBS, session.SESSIONS, ACCOUNTS, ROLE_COLLECTION, event_record.SUBSCRIPTIONS))


def is_filled(uri: str) -> bool:
    """Whether this is a collection whose members are the emulator's own, whatever the mockup has in it."""
    return uri in _FILLED or uri.endswith(certificate.HTTPS_CERTIFICATES)


def resources(site: Site) -> list[Resource]:
    """What every dialect serves, whatever kinds of device there are."""
    return [resource for view in VIEWS for resource in view.resources(site)]
