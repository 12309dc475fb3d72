"""Sensor: what it reads now."""

from __future__ import annotations

from emulator.mockup.site import Site
from emulator.redfish.readings import resources_of, with_readings
from emulator.redfish.view import Resource


def resources(site: Site) -> list[Resource]:
    """Each sensor that lives."""
    return resources_of(site, {"Sensor"}.__contains__, with_readings)
