"""One file per Redfish schema; each declares its resources with `resources(site)`."""

from __future__ import annotations

from emulator.mockup.site import Site
from emulator.redfish.view import Resource
from emulator.redfish.views import (
    bios,
    boot_option,
    computer_system,
    ethernet_interface,
    job,
    job_service,
    log_service,
    manager,
    manager_account,
    manager_ethernet_interface,
    network_adapter,
    network_device_function,
    port,
    service_root,
    session,
    software_inventory,
    task,
    task_service,
    update_service,
)

VIEWS = (
    service_root,
    computer_system,
    boot_option,
    bios,
    network_adapter,
    network_device_function,
    port,
    ethernet_interface,
    manager,
    manager_account,
    manager_ethernet_interface,
    session,
    job_service,
    job,
    task_service,
    task,
    log_service,
    software_inventory,
    update_service,
)


def resources(site: Site) -> list[Resource]:
    """All resources that every dialect serves."""
    return [resource for view in VIEWS for resource in view.resources(site)]
