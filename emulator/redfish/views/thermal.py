"""Thermal, the older way to show temperatures and fans."""

from __future__ import annotations

from emulator.mockup.site import Site
from emulator.redfish.readings import resources_of, with_readings
from emulator.redfish.view import Resource


def resources(site: Site) -> list[Resource]:
    """Each Thermal that shows a sensor which lives."""
    return resources_of(site, {"Thermal"}.__contains__, with_readings)
