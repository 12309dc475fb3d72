"""One file per Redfish schema; each declares its resources with `resources(site)`."""

from __future__ import annotations

from emulator.mockup.site import Site
from emulator.redfish.view import Resource
from emulator.redfish.views import (
    bios,
    computer_system,
    job,
    job_service,
    manager,
    manager_account,
    service_root,
    session,
    task,
    task_service,
)

VIEWS = (
    service_root,
    computer_system,
    bios,
    manager,
    manager_account,
    session,
    job_service,
    job,
    task_service,
    task,
)


def resources(site: Site) -> list[Resource]:
    """All resources that every dialect serves."""
    return [resource for view in VIEWS for resource in view.resources(site)]
