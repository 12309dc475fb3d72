"""One file per Redfish schema; each declares its resources with `resources(site)`.

Those of one kind of device alone are named with that kind, in `app.DEVICE_KINDS`.
"""

from __future__ import annotations

from emulator.mockup.site import Site
from emulator.redfish import event_record
from emulator.redfish.view import Resource
from emulator.redfish.views import (
    chassis,
    computer_system,
    ethernet_interface,
    event_destination,
    event_service,
    job,
    job_service,
    log_service,
    manager,
    manager_account,
    manager_ethernet_interface,
    power,
    sensor,
    sensor_excerpt,
    service_root,
    session,
    software_inventory,
    task,
    task_service,
    thermal,
    update_service,
)

VIEWS = (
    sensor_excerpt,
    sensor,
    thermal,
    power,
    chassis,
    service_root,
    computer_system,
    ethernet_interface,
    manager,
    manager_account,
    manager_ethernet_interface,
    session,
    job_service,
    job,
    task_service,
    task,
    event_service,
    event_destination,
    log_service,
    software_inventory,
    update_service,
)


_FILLED = frozenset(
    (task_service.TASKS, job_service.JOBS, session.SESSIONS, manager_account.ACCOUNTS, event_record.SUBSCRIPTIONS)
)


def is_filled(uri: str) -> bool:
    """Whether this is a collection whose members are the emulator's own, whatever the mockup has in it."""
    return uri in _FILLED


def resources(site: Site) -> list[Resource]:
    """What every dialect serves, whatever kinds of device there are."""
    return [resource for view in VIEWS for resource in view.resources(site)]
