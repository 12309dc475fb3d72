"""A lifecycle controller's own resources, and its part in everybody's.

`redfish` hands these the same `Call` as its own views and does not know them; `app.py` brings the two together.
"""

from __future__ import annotations

from emulator.dialects.dell.oem import dell_job, dell_job_service, dell_manager
from emulator.mockup.site import Site
from emulator.redfish.view import Oem, Resource


def resources(site: Site) -> list[Resource]:
    """All of them, under the first manager."""
    return [
        *dell_job.resources(site),
        *dell_job_service.resources(site),
        *dell_manager.resources(site),
    ]


OEM = Oem(
    resources=resources,
    extend={
        "Task": dell_job.extend_task,
        "Manager": dell_manager.extend_manager,
        "Bios.Settings": dell_manager.extend_settings,
    },
)
